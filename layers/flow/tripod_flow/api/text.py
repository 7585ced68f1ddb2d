"""The words of every page and problem, in English; only the details of ``bad_request`` stand where they are raised.

Problems are told in these words; pages in these, or in those of a module of ``languages``, which has the same names.
``{provider}`` is the provider's name, ``{name}`` the user's there (a blank before it) or nothing, ``{when}`` when it makes sense to try
again, ``{left}`` a number, ``{reference}`` the request's id.

Also the diagnoses: what the app's developer can do about a provider's refusal, in English alone.
"""

from collections.abc import Mapping
from string import capwords
from typing import NamedTuple

from tripod.provider_errors import Cause


class Text(NamedTuple):
    """The words of a page or problem: what happened, what it means, and the button's label."""

    title: str
    detail: str
    action: str = ""


LANGUAGE = ("en", "ltr")  # its name and direction, as HTML has them

GRANTED = Text("You are connected", "Your {provider} account{name} is connected. You can close this page.")
CONSENTED = Text(
    "One step is left",
    "You have agreed to connect your {provider} account{name}. Go back to the app that sent you here: it must now finish this.",
)
DENIED = Text("Nothing was connected", "You chose not to connect your {provider} account. Nothing was stored.", "Try again")

PROBLEMS = {
    "bad_request": Text("This request is not right", "Something in it is missing or wrong."),
    "return_to_not_allowed": Text("This way back is not allowed", "return_to is not allowed."),
    "unknown_provider": Text("Unknown provider", "There is no provider of this name here."),
    "unknown_authorization": Text("Nothing to finish here", "This sign-in is not known, or is long over. Please start again.", "Start again"),
    "token_not_found": Text("Not connected", "No tokens of this user are kept here."),
    "ticket_rejected": Text("Ticket rejected", "The ticket is not valid, is too old, was redeemed before, or belongs to another session."),
    "wrong_browser": Text(
        "Please start again in this browser",
        "This sign-in was begun in another browser, so it can only be finished there. Nothing was changed.",
        "Start again here",
    ),
    "in_progress": Text("Just a moment", "Your sign-in is being finished. Look again in a moment.", "Look again"),
    "expired": Text("That took too long", "This sign-in was begun more than ten minutes ago. Please start again.", "Start again"),
    "denied": DENIED,
    "verifier_rejected": Text("This sign-in is no longer valid", "{provider} did not accept this sign-in any more. Please start again.", "Start again"),
    "interrupted": Text(
        "Your sign-in was interrupted", "The answer of {provider} was lost on the way, so your account could not be connected. Please start again.", "Start again"
    ),
    "provider_rejected": Text("{provider} refused this app", "This is not your fault: {provider} did not accept the app's request. If it lasts, tell whoever runs this service.", "Try again"),
    "provider_unavailable": Text("{provider} can't be reached", "{provider} does not answer right now. Nothing is lost: try again {when}.", "Try again"),
    "not_configured": Text("Not set up yet", "This service is not set up completely. Its operator finds the reason in the log.", "Try again"),
    "internal": Text("Something went wrong", "This is our fault, not yours. Please try again.", "Try again"),
}  # fmt: skip

# Told to other Lambdas alone: no page has these, so no language but English.
LAMBDAS_PROBLEMS = {
    "token_revoked": Text("Disconnected", "The user has disconnected: have them sign in again."),
    "token_expired": Text("Tokens ended", "The user's tokens have ended, as {provider} said they would: have the user sign in again."),
    "host_not_allowed": Text("Host not allowed", "Nothing is signed for this host."),
    "plaintext_signature": Text("Not signed here", "{provider} takes PLAINTEXT signatures, which are the secrets themselves. Sign with the layer tripod."),
}  # fmt: skip

# On a page, instead of a request's flaw, which is for whoever made the link.
LINK = Text("This link is not right", "Go back to the page that sent you here, and try again from there.")
FOR_OPERATOR = "For whoever runs this service"

# Instead of ``wrong_browser``, where the browser has brought no cookie of ours at all.
NO_COOKIE = Text(
    "Please start again in this browser",
    "This browser has no cookie of this sign-in. It was begun in another browser or window, or cookies are blocked here: "
    "then allow them for this site. Nothing was changed.",
    "Start again here",
)
NO_PIN_LEFT = Text(
    "That was the last try",
    "None of the five PINs was right, so this sign-in has ended. {provider} shows you a new PIN when you start again.",
    "Start again with a new PIN",
)

# Instead of ``provider_rejected``, where it was not the app that the provider refused.
ACCOUNT_PROBLEMS = {
    Cause.USER_SUSPENDED: Text("This account is suspended", "{provider} has suspended this account, so it can't be connected. {provider} says why where you sign in there."),
    Cause.USER_LOCKED: Text("This account is locked", "{provider} has locked this account for now. Unlock it at {provider}, then start again.", "Start again"),
}  # fmt: skip

PIN = Text("Connect {provider} with a PIN", "Open {provider}, agree, and bring back the PIN that it shows you.", "Finish")
PIN_LINK = "Open {provider}"
PIN_NEW_TAB = "(opens in a new tab)"
PIN_LABEL = "PIN"
PIN_AGAIN = "Start again"
NOT_A_PIN = Text(
    "That can't be a PIN",
    "A PIN has letters, digits and hyphens alone. Enter it as {provider} shows it.",
    "Enter the PIN again",
)
ATTEMPTS_LEFT = "{left} more can be tried."
WRONG_PIN = Text(
    "That PIN was not right", "Look at the PIN that {provider} shows you, and enter it again.", "Start again with a new PIN"
)
REFERENCE = "Reference: {reference}"
WHEN = {0: "in a moment", 1: "in a minute", 2: "in {minutes} minutes"}  # each from so many minutes on

A_PROVIDER = "The provider"  # where nobody said which
PROVIDER_NAMES = {"x": "X"}


def when(seconds: int | None, forms: Mapping[int, str] = WHEN) -> str:
    """Return after how long it makes sense to try again, in the words of a language's ``WHEN``."""
    minutes = 0 if seconds is None or seconds < 30 else -(-seconds // 60)
    return forms[max(least for least in forms if least <= minutes)].format(minutes=minutes)


def provider_name(provider: str) -> str:
    """Return what people may call a provider whose definition is not read yet, after its secret's name."""
    return PROVIDER_NAMES.get(provider, capwords(provider.replace("-", " "))) or A_PROVIDER


_DIAGNOSES = {
    Cause.CALLBACK_NOT_APPROVED: "The provider does not know this callback URL. Register exactly this one in the app's settings, to the last character: {callback_url}",
    Cause.NO_CALLBACK_CONFIGURED: "The app has no callback URL at the provider. Register this one in the app's settings: {callback_url}",
    Cause.CALLBACK_NOT_CONFIRMED: "The provider did not confirm the callback URL (oauth_callback_confirmed), as OAuth 1.0a asks. "
    'If it never does, set "require_callback_confirmed": false in the consumer secret.',
    Cause.BAD_CREDENTIALS: "The provider refused the app's credentials. Check the consumer key and secret, and that they are still current: at X they are the app's API key "
    "and API key secret, not an OAuth 2.0 client id.",
    Cause.CLOCK_OFF: "The provider says that the request's timestamp is out of bounds. Check the clock of the machine that signs.",
    Cause.APP_SUSPENDED: "The provider has suspended this app. See the app's page at the provider.",
    Cause.ACCESS_LEVEL: "The app's access level at the provider does not cover this call. See the app's plan there.",
    Cause.PERMISSIONS: "The app's permissions at the provider do not cover this call. Change them in the app's settings; each user must then sign in anew.",
    Cause.CLIENT_FORBIDDEN: "The provider takes calls of this kind from apps in a project only. Attach the app to a project in the provider's developer console.",
    Cause.NO_CREDITS: "The app's balance at the provider is used up. See the app's billing there.",
    Cause.UNREADABLE: "The provider's answer was not what OAuth 1.0a asks for. Check the provider's endpoints in the consumer secret.",
}  # fmt: skip


def diagnosis(cause: Cause | None, callback_url: str) -> str | None:
    """Return what the app's developer can do about a refusal, or None where its cause is unknown.

    Never the provider's own words: an answer that we don't recognise might contain anything.
    """
    words = _DIAGNOSES.get(cause) if cause else None
    return words.format(callback_url=callback_url) if words else None
