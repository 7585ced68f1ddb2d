"""What the app's developer can do about a provider's refusal."""

from tripod.refusals import Cause

_DIAGNOSES = {
    Cause.CALLBACK_NOT_APPROVED: "The provider does not know this callback URL. Register exactly this one in the app's settings, to the last character: {callback_url}",
    Cause.NO_CALLBACK_CONFIGURED: "The app has no callback URL at the provider. Register this one in the app's settings: {callback_url}",
    Cause.CALLBACK_NOT_CONFIRMED: "The provider did not confirm the callback URL (oauth_callback_confirmed), as OAuth 1.0a asks. "
    'If it never does, set "require_callback_confirmed": false in the consumer secret.',
    Cause.BAD_CREDENTIALS: "The provider refused the app's credentials. Check the consumer key and secret: they are the app's API key and API key secret "
    "(not an OAuth 2.0 client id), and still current.",
    Cause.CLOCK_OFF: "The provider says that the request's timestamp is out of bounds. Check the clock of the machine that signs.",
    Cause.APP_SUSPENDED: "The provider has suspended this app. See the app's page at the provider.",
    Cause.ACCESS_LEVEL: "The app's access level at the provider does not cover this call. See the app's plan there.",
    Cause.UNREADABLE: "The provider's answer was not what OAuth 1.0a asks for. Check the provider's endpoints in the consumer secret.",
}  # fmt: skip


def diagnosis(cause: Cause | None, callback_url: str) -> str | None:
    """Return what the app's developer can do, or None where the answer was not one that we know.

    Never the provider's own words: an answer that we don't recognise might hold anything.
    """
    text = _DIAGNOSES.get(cause) if cause else None
    return text.format(callback_url=callback_url) if text else None
