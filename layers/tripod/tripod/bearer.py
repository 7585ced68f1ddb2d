"""App-only calls, on no user's behalf: a bearer token for the app's key and secret (RFC 6749, section 4.4; X's oauth2/token)."""

import json
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from requests import PreparedRequest
from requests.auth import HTTPBasicAuth

from tripod import names, process, response_body
from tripod.credentials import Consumer
from tripod.errors import MalformedSecret, TripodUnavailable
from tripod.provider_errors import Cause
from tripod.renewing import RenewingAuth, RenewingSession
from tripod.session import user_session
from tripod.version import VERSION

TIMEOUT = (3, 5)  # seconds: to connect, between two bytes
HEADERS = {"User-Agent": f"tripod-oauth/{VERSION} (OAuth 1.0a client)", "Accept-Encoding": "identity"}

_TOKEN_URL = "bearer_token_url"  # noqa: S105  # keys of "provider" in a consumer secret, as are X's below
_INVALIDATE_URL = "invalidate_bearer_token_url"
_X = {_TOKEN_URL: "https://api.x.com/oauth2/token", _INVALIDATE_URL: "https://api.x.com/oauth2/invalidate_token"}
_HEADER_SAFE = re.compile(r"[!-~]+")  # visible ASCII: what can stand in a header


def app_session(provider: str) -> requests.Session:
    """Return a ``requests.Session`` that makes every request as the app, with its bearer token.

    The token is got at the first request, kept in memory, and got afresh once when a request is answered 401. Raises
    ``ConsumerNotFound`` or ``MalformedSecret``, and a request raises ``TripodUnavailable`` where the provider gives no token.
    """
    _url(provider, process.this().secret_reader.consumer(provider), _TOKEN_URL)  # what is missing is told here
    return RenewingSession(_AppAuth(provider))


def invalidate_app_token(provider: str, *, owner_id: str) -> None:
    """End the app's bearer token, everywhere; ``owner_id`` is the user who owns the app, whose tokens sign the request.

    Raises as ``user_session`` does, and ``TripodUnavailable`` where the provider doesn't do it.
    """
    url = _url(provider, process.this().secret_reader.consumer(provider), _INVALIDATE_URL)
    bearer = _bearer(provider)
    with user_session(provider, user_id=owner_id) as session:
        answer = _post(provider, session, url, params={"access_token": bearer})  # in the query: X's own rule
    if answer.status != 200:
        raise _failed(provider, answer, "did not invalidate the app's bearer token")
    _drop(provider, bearer)


class _AppAuth(RenewingAuth[str]):
    """Bears the app's token."""

    def __init__(self, provider: str) -> None:
        self._provider = provider

    def current(self) -> str:
        """Return the token that this process keeps, or get one."""
        return _bearer(self._provider)

    def put(self, request: PreparedRequest, credentials: str) -> None:
        """Set the header (RFC 6750, section 2.1)."""
        request.headers["Authorization"] = f"Bearer {credentials}"

    def renewed(self, credentials: str, _cause: Cause, tried: AbstractSet[Cause]) -> str | None:
        """Drop the token that was refused and get another, once."""
        _drop(self._provider, credentials)
        return None if tried else _bearer(self._provider)


@dataclass(frozen=True, slots=True)
class _BearerResponse:
    status: int
    retry_after: int | None  # seconds
    body: bytes = field(repr=False)


def _bearer(provider: str) -> str:
    this = process.this()
    with this.bearers_lock:  # threads that come meanwhile wait, so that the provider is asked once
        if provider not in this.bearers:
            this.bearers[provider] = _ask(provider)
        return this.bearers[provider]


def _drop(provider: str, bearer: str) -> None:
    this = process.this()
    with this.bearers_lock:
        if this.bearers.get(provider) == bearer:  # another thread may have got a newer one
            del this.bearers[provider]


def _ask(provider: str) -> str:
    """Get a token from the provider; where it refuses the app and the consumer secret has changed, once more with that."""
    reader = process.this().secret_reader
    consumer = reader.consumer(provider)
    answer = _ask_as(provider, consumer)
    if answer.status in (401, 403) and (fresh := reader.consumer(provider, fresh=True)) != consumer:
        answer = _ask_as(provider, fresh)
    if answer.status != 200:
        raise _failed(provider, answer, "gave the app no bearer token")
    try:
        content = json.loads(answer.body)
        kind, token = str(content["token_type"]), str(content["access_token"])
    except (ValueError, KeyError, TypeError, RecursionError):
        kind, token = "", ""
    if kind.lower() != "bearer" or not _HEADER_SAFE.fullmatch(token):
        raise TripodUnavailable(f"{provider} gave an answer without a bearer token", code="provider_unavailable")
    return token


def _ask_as(provider: str, consumer: Consumer) -> _BearerResponse:
    # Key and secret are percent-encoded within Basic: RFC 6749, section 2.3.1.
    basic = HTTPBasicAuth(quote(consumer.consumer_key, safe=""), quote(consumer.consumer_secret, safe=""))
    with requests.Session() as session:
        url = _url(provider, consumer, _TOKEN_URL)
        return _post(provider, session, url, auth=basic, data={"grant_type": "client_credentials"})


def _post(provider: str, session: requests.Session, url: str, **request: Any) -> _BearerResponse:
    session.trust_env = False  # no proxy and no .netrc on the way of the app's secret
    bounds: dict[str, Any] = {"timeout": TIMEOUT, "allow_redirects": False, "stream": True}
    try:
        with session.post(url, headers=HEADERS, **bounds, **request) as response:
            wait = response.headers.get("Retry-After", "")
            return _BearerResponse(response.status_code, int(wait) if wait.isdecimal() else None, response_body.peek(response))
    except requests.RequestException as error:  # its text may quote the URL, which bears the token to invalidate
        raise TripodUnavailable(f"{provider}: {type(error).__name__}", code="provider_unavailable") from None


def _failed(provider: str, answer: _BearerResponse, what: str) -> TripodUnavailable:
    if answer.status == 429 or answer.status >= 500:
        return TripodUnavailable(
            f"{provider} {what}: HTTP {answer.status}", code="provider_unavailable", retry_after=answer.retry_after
        )
    secret = names.consumer_secret(process.this().prefix, provider)
    reason = f"{provider} {what}: HTTP {answer.status}; check the key and secret in {secret}, and how often it was asked"
    return TripodUnavailable(reason, code="provider_rejected")


def _url(provider: str, consumer: Consumer, key: str) -> str:
    """Return the endpoint that the consumer secret names, X's own where it describes no provider; raises ``MalformedSecret``."""
    this = process.this()
    described: Mapping[str, Any] = consumer.provider or (_X if provider == "x" else {})
    url = described.get(key)
    if isinstance(url, str) and _is_safe(url, loopback=this.loopback):
        return url
    reason = f'app-only calls need "provider.{key}", an https URL'
    raise MalformedSecret(names.consumer_secret(this.prefix, provider), reason)


def _is_safe(url: str, *, loopback: bool) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if loopback and parts.scheme == "http":
        return parts.hostname in ("localhost", "127.0.0.1", "::1")
    return parts.scheme == "https" and bool(parts.hostname)
