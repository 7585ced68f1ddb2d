"""Providers: X, and any other that a consumer secret describes."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from tripod import x
from tripod.credentials import AccessToken, Consumer
from tripod.loopback import is_loopback
from tripod_flow.rules.errors import NotConfigured

_REQUIRED = ("request_token_url", "authorize_url", "access_token_url")
_URLS = (*_REQUIRED, "authenticate_url", "invalidate_url", "identity_url", "bearer_token_url", "invalidate_bearer_token_url")
_CHOICES = {
    "method": ("POST", "GET"),
    "transmission": ("header", "body"),
    "expires_unit": ("seconds", "epoch", "epoch-ms"),
    "invalidate_method": ("POST", "GET", "DELETE"),
    "identity_format": ("json", "jwt"),
    "user_id": ("subject",),
}
_SWITCHES = ("verifier", "pin", "require_callback_confirmed", "empty_consumer_secret")
_READ_BEFORE = ("api_hosts", "realm", "revoked", "signature_method")  # checked when the secret is read, by readers too
MOST_KEPT = 10  # fields
LONGEST_NAME = 64  # characters
LONGEST_LIFETIME = 3_200_000_000  # seconds; a century
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"  # of a host name; compiled when it is needed
_NEVER_KEPT = ("oauth_token", "oauth_token_secret", "oauth_verifier")


@dataclass(frozen=True, slots=True)
class ProviderDefinition:
    """A provider's endpoints and quirks; the field names are those of ``"provider"`` in a consumer secret (docs/providers.md).

    ``user_id_field`` and ``screen_name_field`` name fields of the token answer. Where it lacks the user id, ``identity_url`` is
    asked, and they are dotted paths in its JSON.
    """

    request_token_url: str
    authorize_url: str
    access_token_url: str
    name: str = ""  # as people write it, for pages
    method: str = "POST"  # of both token legs
    transmission: str = "header"  # where OAuth's parameters stand on both token legs (RFC 5849, section 3.5)
    realm: str | None = None
    signature_method: str = "HMAC-SHA1"
    empty_consumer_secret: bool = False
    verifier: bool = True  # False: OAuth 1.0, which issues none; the authorize URL says the callback then
    pin: bool = True  # whether it shows a PIN where the callback is oob
    require_callback_confirmed: bool = True
    authorize_params: Mapping[str, str] = field(default_factory=dict)
    authenticate_url: str | None = None
    user_id_field: str = "user_id"
    screen_name_field: str = "screen_name"
    user_id: str | None = None  # "subject": no answer has it, and the app says whose tokens these are
    identity_url: str | None = None
    identity_format: str = "json"
    identity_user_id_field: str | None = None  # where the identity's JSON has another name for it than the token answer
    keep: Sequence[str] = ()  # fields of the token answer and of the callback's query that are kept as ``extra``
    expires_field: str | None = None
    expires_unit: str = "seconds"
    lifetime: int | None = None  # seconds that a token lasts
    invalidate_url: str | None = None
    invalidate_method: str = "POST"
    revoked: Mapping[str, Any] | None = None  # for readers: how an API call says that the token is revoked
    api_hosts: Sequence[str] = ()  # for readers: where tokens may be sent
    bearer_token_url: str | None = None  # for readers' app-only sessions
    invalidate_bearer_token_url: str | None = None

    def authorize(self, request_token: str, *, endpoint: str, options: Mapping[str, str], callback_url: str = "") -> str:
        """Return the URL where the user consents: ``endpoint`` is ``authorize`` or ``authenticate``.

        The endpoint's own query is kept (MediaWiki's ``title=``); the token comes last and nothing can stand in for it. A provider
        that issues no verifier is told the callback URL here too: OAuth 1.0 says it nowhere else.
        """
        url = self.authenticate_url if endpoint == "authenticate" else self.authorize_url
        if url is None:
            raise NotConfigured("the provider has no authenticate_url")
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True)
        query += [*self.authorize_params.items(), *options.items()]
        query += [] if self.verifier else [("oauth_callback", callback_url)]
        query += [("oauth_token", request_token)]
        return urlunsplit(parts._replace(query=urlencode(query)))

    def invalidation(self, token: AccessToken) -> str:
        """Return the URL that invalidates ``token``: ``{token}`` and ``{token_secret}`` in it are replaced."""
        url = (self.invalidate_url or "").replace("{token}", quote(token.oauth_token, safe=""))
        return url.replace("{token_secret}", quote(token.oauth_token_secret, safe=""))

    def expires_at(self, said: str, now: float) -> int | None:
        """Return when a token that was granted at ``now`` ends, in epoch seconds; None where nobody says.

        ``said`` is the token answer's ``expires_field``. An end that is more than a century away says nothing: it is in another unit than
        the definition has, and the token is used until the provider refuses it.
        """
        value = int(said) if re.fullmatch(r"[0-9]{1,15}", said) else 0
        ends = {"seconds": int(now) + value, "epoch": value, "epoch-ms": value // 1000}[self.expires_unit]
        if value and ends <= int(now) + LONGEST_LIFETIME:
            return ends
        return None if self.lifetime is None else int(now) + self.lifetime


X = ProviderDefinition(**x.X)


def of(name: str, consumer: Consumer, *, loopback: bool) -> ProviderDefinition:
    """Return the provider that ``name`` and its consumer secret mean; raises ``NotConfigured`` that names every flaw.

    ``loopback``: let this machine pass, over plain http too. The sandbox sets it; a deployed stack can't.
    """
    described = consumer.provider
    if described is x.X:
        return X
    if not described:
        raise NotConfigured(f'Tripod does not know the provider {name}: describe it with "provider" in its consumer secret')
    flaws = _flaws(described, loopback=loopback)
    if flaws:
        raise NotConfigured(f'"provider" in the consumer secret of {name}: {"; ".join(flaws)}')
    return ProviderDefinition(**described)


def _flaws(described: Mapping[str, Any], *, loopback: bool) -> list[str]:
    kinds = {one.name for one in fields(ProviderDefinition)}
    unknown = sorted(described.keys() - kinds)  # shown only where it looks like a name: a credential may have been put there
    flaws = [f"unknown key {key}" if re.fullmatch(r"[a-z_]{1,32}", key) else "a key that looks like a value" for key in unknown]
    flaws += [f"{key} is missing" for key in _REQUIRED if key not in described]
    for key, value in described.items():
        if key in _URLS:
            flaws += [f"{key}: {flaw}" for flaw in [_url_flaw(value, loopback=loopback)] if flaw]
        elif key in kinds and key not in _READ_BEFORE:
            flaws += _value_flaws(key, value)
    if described.get("method") == "GET" and described.get("transmission") == "body":
        flaws.append("transmission must be header where method is GET, which has no body")
    if described.get("identity_format") == "jwt" and described.get("empty_consumer_secret") is True:
        flaws.append("identity_format jwt needs a consumer secret, which verifies it")
    if not described.get("verifier", True) and described.get("user_id") == "subject":
        flaws.append('user_id "subject" needs a verifier: an app begins by direct invocation, which nothing else protects')
    return flaws


def _value_flaws(key: str, value: object) -> list[str]:
    """Return what is wrong with a value that is no URL."""
    if key == "authorize_params":
        return _params_flaws(value)
    if key == "keep":
        return [] if _are_names(value) else [f"keep must be a list of {MOST_KEPT} field names at most, none of them OAuth's own"]
    if key == "lifetime":
        return [] if type(value) is int and 0 < value <= LONGEST_LIFETIME else ["lifetime must be a number of seconds"]
    if key == "name" and isinstance(value, str) and not (value.strip() and len(value) <= LONGEST_NAME):
        return [f"name must have {LONGEST_NAME} characters at most, and not be blank"]
    if key in _SWITCHES:
        return [] if isinstance(value, bool) else [f"{key} must be true or false"]
    if key in _CHOICES:
        return [] if value in _CHOICES[key] else [f"{key} must be {' or '.join(_CHOICES[key])}"]
    return [] if isinstance(value, str) and value and value.isprintable() else [f"{key} must be a non-empty string"]


def may_be_kept(name: object) -> bool:
    """Return True for the name of a field that a definition may keep as ``extra``."""
    return isinstance(name, str) and bool(re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", name)) and name not in _NEVER_KEPT


def _are_names(value: object) -> bool:
    return isinstance(value, list) and len(value) <= MOST_KEPT and all(map(may_be_kept, value))


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
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "must be a URL"
    if parts.username is not None or parts.fragment:
        return "must have neither user name nor fragment"
    if "{" in parts.netloc:
        return "must have a host name without a token in it"
    if port == 0 or "{" in value.replace("{token}", "").replace("{token_secret}", ""):
        return "must have a port above 0, and no braces but {token} and {token_secret}"
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
        named = len(labels) > 1 and all(re.fullmatch(_LABEL, label) for label in labels) and len(host) <= 253
        return named and not labels[-1][0].isdigit() and labels[-1] not in ("localhost", "local", "internal")
    return False
