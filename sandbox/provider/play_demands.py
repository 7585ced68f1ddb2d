"""What a play demands of a call before it looks at the signature."""

import re
from collections.abc import Mapping

from sandbox.provider.failures import ProviderFailure
from sandbox.provider.play import TOKEN_LEGS, Endpoint, Play
from sandbox.provider.signed_request import SignedRequest


def refused(call: SignedRequest, play: Play, endpoint: Endpoint, named: Mapping[str, str]) -> ProviderFailure | None:
    """Return why the provider refuses a call at once, None if it doesn't."""
    refusals = play.behave(endpoint).refusals
    if play.agent and not call.agent:
        return refusals.no_agent
    if lacking(call.asked, endpoint):
        return refusals.malformed
    if endpoint.proof != "signature":
        return None
    if play.version and call.oauth.get("oauth_version") != "1.0":
        return refusals.malformed
    if endpoint.leg in TOKEN_LEGS and not call.places <= set(play.parameters_in):
        return refusals.malformed
    if not _has_realm(call, play, endpoint, named):
        return refusals.not_authenticated
    if endpoint.leg == "request_token" and play.callback == "required" and not call.oauth.get("oauth_callback"):
        return refusals.missing_callback
    return None


def lacking(asked: Mapping[str, str], endpoint: Endpoint) -> str:
    """Return what is wrong with a call's parameters, empty if nothing is."""
    for name, values in endpoint.needs.items():
        if not asked.get(name) or (values and not set(_listed(asked[name])) <= set(values)):
            return f"{name} must be there{', one of ' if values else ''}{', '.join(values)}"
    for name, values in endpoint.takes.items():
        if name in asked and not set(_listed(asked[name])) <= set(values):
            return f"{name} must be one of {', '.join(values)}"
    return ""


def _has_realm(call: SignedRequest, play: Play, endpoint: Endpoint, named: Mapping[str, str]) -> bool:
    """Return True if the realm is the provider's; a name in braces stands for the account in the host, as NetSuite writes it."""
    if call.realm is None:
        return endpoint.leg not in play.realm_on
    accounts = {name: value.upper().replace("-", "_") for name, value in named.items()}
    return not play.realm or call.realm == play.realm.format(**accounts)


def _listed(value: str) -> list[str]:
    return re.split(r"[,| ]", value)
