"""A real leg 1: what start does, from here, with the app's own keys and callback URL. Nothing is written, and no user is asked."""

from collections.abc import Iterator

from tripod.provider_errors import Cause
from tripod_cli.doctor import clock
from tripod_cli.doctor.finding import Finding, unknown, warning, wrong
from tripod_cli.stack import Stack
from tripod_flow.api import text
from tripod_flow.edges.provider_answer import Refused, Unavailable
from tripod_flow.rules.errors import NotConfigured, UnknownProvider
from tripod_flow.rules.provider import ProviderDefinition


def callback(stack: Stack, provider: str) -> Iterator[Finding]:
    """Yield the callback URL to register."""
    yield Finding(f"callback URL to register at {provider}", _callback_url(stack, provider))


def look(stack: Stack, provider: str) -> Iterator[Finding]:
    """Yield what the provider says to leg 1, and its clock; nothing where the consumer secret is wrong, as was said."""
    try:
        definition, _ = stack.app.consumers.find(provider)
    except (NotConfigured, UnknownProvider):
        return
    yield from clock.look(provider, definition)
    yield _leg_1(stack, provider, definition)


def _callback_url(stack: Stack, provider: str) -> str:
    """Return what start says to the provider; raises ``Failure`` where the stack does not say its address."""
    stack.parameter("api-url")
    return stack.app.callback_url(provider)


def _leg_1(stack: Stack, provider: str, definition: ProviderDefinition) -> Finding:
    at, url = f"leg 1 at {provider}", _callback_url(stack, provider)
    client = stack.app.provider_client.for_request()
    try:
        tokens = stack.app.consumers.call(
            provider, lambda one, consumer: client.request_token(one, consumer, url, access_type=None)
        )
    except Refused as error:
        refusal = error.refusal
        to_do = (
            text.diagnosis(refusal.cause, url) or "See what the provider's documentation says of this answer: docs/x.md has X's"
        )
        return wrong(at, f"the provider refuses it: {refusal}", to_do)
    except Unavailable as error:
        return _unavailable(at, str(error), definition)
    if not tokens.callback_confirmed and definition.require_callback_confirmed:
        return wrong(at, "the callback is not confirmed", text.diagnosis(Cause.CALLBACK_NOT_CONFIRMED, url) or "")
    return Finding(at, "the provider gives a request token for this callback URL")


def _unavailable(at: str, reason: str, definition: ProviderDefinition) -> Finding:
    reason = reason.removeprefix("leg 1: ")
    if reason == "answered 429":
        return warning(at, "the provider answers that it is asked too often (429)", "Look again in a quarter of an hour")
    if reason.startswith("answered"):
        return wrong(
            at,
            f"the provider has {reason}",
            "If it lasts, see the provider's own status page; sign-ins are answered 503 meanwhile",
        )
    to_do = f"Is {definition.request_token_url} right? The functions have a network of their own, and may reach what this machine can't"
    if reason == "NameResolutionError":
        return wrong(at, "the provider's host name is not known (DNS)", to_do)
    return unknown(at, f"the provider can't be reached from here ({reason})", to_do)
