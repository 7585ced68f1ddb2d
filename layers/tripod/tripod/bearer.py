"""App-only calls, without a user: a bearer token for the app's key and secret (RFC 6749, section 4.4; X's oauth2/token)."""

import json
import re
import time
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests
from requests import PreparedRequest
from requests.auth import HTTPBasicAuth

from tripod import allowed_hosts, names, process, provider_errors, response_body, retry_after
from tripod.credentials import Consumer
from tripod.errors import MalformedSecret, TripodUnavailable
from tripod.provider_errors import Cause
from tripod.renewing import RenewingAuth, RenewingSession
from tripod.session import user_session
from tripod.version import USER_AGENT

TIMEOUT = (3, 5)  # seconds: to connect, between two bytes
CALL = 8.0  # seconds for a whole answer, however slowly its bytes come; others wait for the same token
HEADERS = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}

# Keys of a provider's definition.
_TOKEN_URL = "bearer_token_url"  # noqa: S105  # the name of a setting, no token
_INVALIDATE_URL = "invalidate_bearer_token_url"
_HEADER_SAFE = re.compile(r"[!-~]+")  # visible ASCII: what a header can carry


def app_session(provider: str) -> requests.Session:
    """Return a ``requests.Session`` that makes every request as the app, with its bearer token (OAuth 2.0, no user).

    The first request fetches the token; all sessions of this process share it. After a 401 a new one is fetched, and the
    request sent once more.

    Args:
        provider: the name in the consumer secret ``{prefix}/consumer/{provider}``, such as ``"x"``. Where that secret describes
            the provider, it must have ``"bearer_token_url"``.

    Returns:
        A session that threads may share. Pass ``timeout`` (seconds) to each request; ``requests`` has no default.

    Raises:
        ConsumerNotFound: there is no consumer secret of this name under this prefix.
        MalformedSecret: the consumer secret is not what belongs there, or lacks ``"bearer_token_url"``.
        HostNotAllowed: raised by a request: the app's token may not be sent to its URL.
        TripodUnavailable: raised by a request, when the provider issues no token: ``provider_unavailable`` or
            ``provider_rejected``.

    Needs the managed policy ``ReadTokens`` or ``ReadTokensOfOneProvider``.

    >>> with app_session("x") as x:
    ...     x.get("https://api.x.com/1.1/application/rate_limit_status.json", timeout=5).status_code
    200
    """
    _endpoint(provider, process.this().secret_reader.consumer(provider), _TOKEN_URL)  # raises here what is missing
    return RenewingSession(_AppAuth(provider))


def invalidate_app_token(provider: str, *, owner_id: str | int) -> None:
    """Invalidate the app's bearer token, for every process and Lambda that uses it.

    Args:
        provider: the name in the consumer secret ``{prefix}/consumer/{provider}``, such as ``"x"``. Where that secret describes
            the provider, it must have ``"bearer_token_url"`` and ``"invalidate_bearer_token_url"``.
        owner_id: the provider's id, text or an integer, of the user who owns the app. Their tokens sign the request: they must
            be connected.

    Raises:
        TokenNotFound: the owner has not signed in.
        TokenRevoked: the owner has disconnected, or the provider no longer accepts their tokens.
        ConsumerNotFound: there is no consumer secret of this name under this prefix.
        MalformedSecret: a secret is not what belongs there, or the consumer secret lacks one of the two URLs.
        TripodUnavailable: the provider did not invalidate the token: ``provider_unavailable`` or ``provider_rejected``.

    Needs the managed policy ``ReadTokens`` or ``ReadTokensOfOneProvider``.

    >>> invalidate_app_token("x", owner_id="2244994945")
    """
    owner = names.user_id_text(owner_id)
    url = _endpoint(provider, process.this().secret_reader.consumer(provider), _INVALIDATE_URL)
    token = _cached_token(provider)
    with user_session(provider, user_id=owner) as session:
        response = _post(provider, session, url, params={"access_token": token})  # X wants it in the query
    if response.status != 200:
        raise _unavailable(provider, response, "did not invalidate the app's bearer token")
    _drop_token(provider, token)


class _AppAuth(RenewingAuth[str]):
    """Sends the app's bearer token."""

    def __init__(self, provider: str) -> None:
        self._provider = provider

    def current(self) -> str:
        """Return this process's token; fetch it the first time."""
        return _cached_token(self._provider)

    def authenticate(self, request: PreparedRequest, credentials: str) -> None:
        """Set the header (RFC 6750, section 2.1)."""
        this = process.this()
        consumer = this.secret_reader.consumer(self._provider)
        allowed_hosts.check(this, self._provider, consumer, request.url, reusable=True)
        request.headers["Authorization"] = f"Bearer {credentials}"

    def renew(self, credentials: str, _cause: Cause, tried: AbstractSet[Cause]) -> str | None:
        """Drop the refused token and return a new one, once."""
        _drop_token(self._provider, credentials)
        return None if tried else _cached_token(self._provider)


@dataclass(frozen=True, slots=True)
class _BearerResponse:
    status: int
    retry_after: int | None  # seconds
    body: bytes = field(repr=False)


def _cached_token(provider: str) -> str:
    this = process.this()
    with this.bearer_lock(provider):  # held during the call, so that several threads make one
        if provider not in this.bearer_tokens:
            this.bearer_tokens[provider] = _fetch_token(provider)
        return this.bearer_tokens[provider]


def _drop_token(provider: str, token: str) -> None:
    this = process.this()
    with this.bearer_lock(provider):
        if this.bearer_tokens.get(provider) == token:  # another thread may have fetched a newer one
            del this.bearer_tokens[provider]


def _fetch_token(provider: str) -> str:
    """Fetch a token from the provider. If it refuses the app, read the consumer secret again, and try once more if it changed."""
    reader = process.this().secret_reader
    consumer = reader.consumer(provider)
    response = _fetch_as(provider, consumer)
    if response.status in (401, 403) and (fresh := reader.consumer(provider, fresh=True)) != consumer:
        response = _fetch_as(provider, fresh)
    if response.status != 200:
        raise _unavailable(provider, response, "gave the app no bearer token")
    try:
        content = json.loads(response.body)
        kind, token = str(content["token_type"]), str(content["access_token"])
    except (ValueError, KeyError, TypeError, RecursionError):
        kind, token = "", ""
    if kind.lower() != "bearer" or not _HEADER_SAFE.fullmatch(token):
        raise TripodUnavailable(f"{provider} gave an answer without a bearer token", code="provider_unavailable")
    return token


def _fetch_as(provider: str, consumer: Consumer) -> _BearerResponse:
    # Basic carries key and secret percent-encoded: RFC 6749, section 2.3.1.
    basic = HTTPBasicAuth(quote(consumer.consumer_key, safe=""), quote(consumer.consumer_secret, safe=""))
    with requests.Session() as session:
        url = _endpoint(provider, consumer, _TOKEN_URL)
        return _post(provider, session, url, auth=basic, data={"grant_type": "client_credentials"})


def _post(provider: str, session: requests.Session, url: str, **request: Any) -> _BearerResponse:
    process.this().mount(session, limit=CALL)
    session.trust_env = False  # the app's secret goes through no proxy, and no .netrc replaces it
    options: dict[str, Any] = {"timeout": TIMEOUT, "allow_redirects": False, "stream": True}
    try:
        with session.post(url, headers=HEADERS, **options, **request) as response:
            wait = retry_after.seconds(response.headers, time.time())
            return _BearerResponse(response.status_code, wait, response_body.peek(response))
    except requests.RequestException as error:  # its text may contain the URL, and so the token to invalidate
        raise TripodUnavailable(f"{provider}: {type(error).__name__}", code="provider_unavailable") from None


def _unavailable(provider: str, response: _BearerResponse, what: str) -> TripodUnavailable:
    if response.status == 429 or response.status >= 500 or provider_errors.is_page(response.body):
        return TripodUnavailable(
            f"{provider} {what}: HTTP {response.status}", code="provider_unavailable", retry_after=response.retry_after
        )
    secret = names.consumer_secret(process.this().prefix, provider)
    reason = f"{provider} {what}: HTTP {response.status}; check the key and secret in {secret}, and how often it was asked"
    return TripodUnavailable(reason, code="provider_rejected")


def _endpoint(provider: str, consumer: Consumer, key: str) -> str:
    """Return the URL under ``key`` in the provider's definition; raises MalformedSecret if it is missing or not https."""
    this = process.this()
    url = consumer.provider.get(key)
    if isinstance(url, str) and allowed_hosts.is_protected(url, loopback=this.loopback):
        return url
    reason = f'app-only calls need "provider.{key}", an https URL'
    raise MalformedSecret(names.consumer_secret(this.prefix, provider), reason)
