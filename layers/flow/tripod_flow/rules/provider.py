"""Providers: X, and any other that a consumer secret describes."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from tripod.credentials import Consumer
from tripod_flow.rules.errors import NotConfigured
from tripod_flow.rules.loopback import is_loopback

_REQUIRED = ("request_token_url", "authorize_url", "access_token_url")
_URLS = (*_REQUIRED, "authenticate_url", "invalidate_url", "identity_url", "bearer_token_url", "invalidate_bearer_token_url")
_FOR_US = ("identity_user_id_field",)  # not part of a consumer secret


@dataclass(frozen=True, slots=True)
class ProviderDefinition:
    """A provider's endpoints and quirks; the field names are those of ``"provider"`` in a consumer secret.

    ``user_id_field`` and ``screen_name_field`` name fields of the token answer. Where it lacks the user id, ``identity_url`` is
    asked, and they are dotted paths in its JSON.
    """

    request_token_url: str
    authorize_url: str
    access_token_url: str
    authenticate_url: str | None = None
    invalidate_url: str | None = None
    identity_url: str | None = None
    user_id_field: str = "user_id"
    screen_name_field: str = "screen_name"
    signature_method: str = "HMAC-SHA1"
    authorize_params: Mapping[str, str] = field(default_factory=dict)
    api_hosts: Sequence[str] = ()  # for the reader layer: where tokens may be sent
    require_callback_confirmed: bool = True
    bearer_token_url: str | None = None  # for the reader layer's app-only sessions
    invalidate_bearer_token_url: str | None = None
    identity_user_id_field: str | None = None  # where the identity's JSON has another name for it than the token answer

    def authorize(self, request_token: str, *, endpoint: str, options: Mapping[str, str]) -> str:
        """Return the URL where the user consents: ``endpoint`` is ``authorize`` or ``authenticate``.

        The endpoint's own query is kept (MediaWiki's ``title=``); the token comes last and nothing can stand in for it.
        """
        url = self.authenticate_url if endpoint == "authenticate" else self.authorize_url
        if url is None:
            raise NotConfigured("the provider has no authenticate_url")
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True)
        query += [*self.authorize_params.items(), *options.items(), ("oauth_token", request_token)]
        return urlunsplit(parts._replace(query=urlencode(query)))


X = ProviderDefinition(
    request_token_url="https://api.x.com/oauth/request_token",
    authorize_url="https://api.x.com/oauth/authorize",
    authenticate_url="https://api.x.com/oauth/authenticate",
    access_token_url="https://api.x.com/oauth/access_token",
    invalidate_url="https://api.x.com/1.1/oauth/invalidate_token",
    identity_url="https://api.x.com/1.1/account/verify_credentials.json",  # one of X's examples of a token answer has no user id
    identity_user_id_field="id_str",
)  # ONE host for every leg: redirects between X's hosts have lost request tokens
KNOWN = {"x": X}


def of(name: str, consumer: Consumer, *, loopback: bool) -> ProviderDefinition:
    """Return the provider that ``name`` and its consumer secret mean; raises ``NotConfigured`` that names every flaw.

    ``loopback``: let this machine pass, over plain http too. The sandbox sets it; a deployed stack can't.
    """
    described = consumer.provider
    if not described:
        if name not in KNOWN:
            raise NotConfigured(f'Tripod does not know the provider {name}: describe it with "provider" in its consumer secret')
        return KNOWN[name]
    flaws = _flaws(described, loopback=loopback)
    if flaws:
        raise NotConfigured(f'"provider" in the consumer secret of {name}: {"; ".join(flaws)}')
    return ProviderDefinition(**described)


def _flaws(described: Mapping[str, Any], *, loopback: bool) -> list[str]:
    kinds = {one.name for one in fields(ProviderDefinition)} - set(_FOR_US)
    unknown = sorted(described.keys() - kinds)  # shown only where it looks like a name: a credential may have been put there
    flaws = [f"unknown key {key}" if re.fullmatch(r"[a-z_]{1,32}", key) else "a key that looks like a value" for key in unknown]
    flaws += [f"{key} is missing" for key in _REQUIRED if key not in described]
    for key, value in described.items():
        if key in _URLS:
            flaws += [f"{key}: {flaw}" for flaw in [_url_flaw(value, loopback=loopback)] if flaw]
        elif key == "api_hosts":
            continue  # checked when the secret is read
        elif key == "authorize_params":
            flaws += _params_flaws(value)
        elif key == "require_callback_confirmed":
            flaws += [] if isinstance(value, bool) else [f"{key} must be true or false"]
        elif key in kinds and not (isinstance(value, str) and value):
            flaws.append(f"{key} must be a non-empty string")
    return flaws


def _params_flaws(value: object) -> list[str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) and text.isprintable() for text in value.values()):
        return ["authorize_params must be an object of printable strings"]
    return [f"authorize_params may not set {name}" for name in value if name.lower().startswith("oauth_")]


def _url_flaw(value: object, *, loopback: bool) -> str | None:
    """Return what is wrong with a provider's URL: it must be https with a host name, so never an address inside Lambda or AWS."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value or "\\" in value:
        return "must be a URL in printable ASCII"
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return "must be a URL"
    if parts.username is not None or parts.fragment:
        return "must have neither user name nor fragment"
    if loopback and parts.scheme in {"http", "https"} and is_loopback(host):
        return None
    if parts.scheme != "https":
        return "must be https"
    return None if _is_host_name(host) else "must have a host name, not an address"


def _is_host_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # A last label that is a number is an address to a resolver (2130706433, 0x7f.1); these three never leave the network.
        labels = host.removesuffix(".").split(".")
        named = len(labels) > 1 and all(0 < len(label) <= 63 for label in labels) and len(host) <= 253
        return named and not labels[-1][0].isdigit() and labels[-1] not in ("localhost", "local", "internal")
    return False
