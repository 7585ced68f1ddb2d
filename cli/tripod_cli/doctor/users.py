"""The users of a provider: how many are connected, and how many of them the provider refuses."""

from collections.abc import Iterator

from tripod_cli.doctor.finding import Finding, warning
from tripod_cli.stack import Stack


def look(stack: Stack, provider: str) -> Iterator[Finding]:
    """Yield how many users are connected and refused; most of them refused is more than some who have revoked access."""
    refused, connected = stack.roster.count_refused(provider), stack.roster.count(provider)
    at = f"users of {provider}"
    if not refused:
        yield Finding(at, f"{connected} connected, none refused")
        return
    text = f"{connected} connected, of whom the provider refuses {refused}"
    if refused * 2 <= connected:
        yield Finding(at, f"{text} (tripod users {provider} --state refused)")
    else:
        to_do = f"Was the app renewed, suspended, or its permissions changed? The causes: tripod users {provider} --state refused"
        yield warning(at, text, to_do)
