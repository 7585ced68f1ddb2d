"""The provider's client: every request that Tripod sends to a provider (RFC 5849, sections 2.1 and 2.3), and what the responses mean."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import monotonic, time
from typing import Any, Self, cast
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

from oauthlib.common import generate_nonce
from requests_oauthlib import OAuth1

from tripod import provider_errors
from tripod.credentials import AccessToken, Consumer
from tripod.provider_errors import Cause, Refusal
from tripod.signing import Signer
from tripod_flow.edges.deadline import COMMIT, Deadline
from tripod_flow.edges.identity_response import identity_in, read_identity
from tripod_flow.edges.provider_answer import ChallengePage, Refused, ServerError, TokenRefused, Unavailable, error_of, unreadable
from tripod_flow.edges.token_response import NoToken, TokenResponse, read_access_token, read_request_token
from tripod_flow.edges.transport import Method, NotSent, Response, ResponseLost, ResponseTooLarge, Timeouts, send
from tripod_flow.rules.authorization import Identity
from tripod_flow.rules.provider import ProviderDefinition

_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class ExchangeResponse:
    """What an exchange yields: the access token, and the user that it belongs to where the response says so."""

    token: AccessToken
    identity: Identity | None


class ProviderClient:
    """Signed requests to providers, within ``timeouts``; ``clock`` in epoch seconds reads their rate limits."""

    def __init__(
        self,
        timeouts: Timeouts,
        signer: Signer | None = None,
        clock: Callable[[], float] = time,
        *,
        deadline: Deadline | None = None,
        ends: float = math.inf,
    ) -> None:
        self._timeouts = timeouts
        self._signer = signer or Signer()
        self._clock = clock
        self._deadline = deadline or Deadline()
        self._ends = ends  # by the monotonic clock: no call goes on after it

    def for_request(self, time: float = math.inf) -> Self:
        """Return a client whose calls, retries included, end within one request's time, and in time for what must follow them.

        ``time`` in seconds is what else bounds them.
        """
        left = min(self._timeouts.request, self._deadline.left() - COMMIT, time)
        return type(self)(self._timeouts, self._signer, self._clock, deadline=self._deadline, ends=monotonic() + left)

    def request_token(
        self, provider: ProviderDefinition, consumer: Consumer, callback: str, *, access_type: str | None
    ) -> TokenResponse:
        """Leg 1: get a request token, ``callback`` confirmed; raises ``Refused`` or ``Unavailable``. Tried twice."""

        def attempt() -> Response:
            auth = self._signer.sign_as(consumer, callback=callback, in_body=provider.transmission == "body")
            return self._token_leg(provider, provider.request_token_url, auth, access_type)

        try:
            response = self._twice(attempt)
        except Refused as error:
            if (error.refusal.status, error.refusal.cause) != (401, Cause.UNKNOWN):
                raise
            raise Refused(replace(error.refusal, cause=Cause.BAD_CREDENTIALS)) from None  # there is no user yet
        try:
            tokens = read_request_token(response.body)
        except NoToken:
            secrets = (consumer.consumer_key, consumer.consumer_secret)
            raise Refused(unreadable(provider.request_token_url, response, secrets)) from None
        if provider.require_callback_confirmed and not tokens.callback_confirmed:
            raise Refused(Refusal(response.status, Cause.CALLBACK_NOT_CONFIRMED))
        return tokens

    @staticmethod
    def _twice(attempt: Callable[[], Response]) -> Response:
        """Make leg 1's request, and once more where that failed in passing."""
        try:
            return attempt()
        except (NotSent, ResponseLost, ServerError):
            try:
                return attempt()
            except (NotSent, ResponseLost) as error:
                raise Unavailable(f"leg 1: {error}") from None

    def access_token(
        self,
        provider: ProviderDefinition,
        consumer: Consumer,
        request_token: str,
        request_secret: str,
        verifier: str,
        *,
        brought: Mapping[str, str] | None = None,
    ) -> ExchangeResponse:
        """Leg 3: exchange the verifier, empty where the provider issues none.

        ``brought`` is what the callback's query says beside. Tried again only when the first request can't have been sent, or was
        answered 5xx. Raises ``Refused``, ``Unavailable`` (nothing was exchanged) or ``ResponseLost``.
        """

        def attempt() -> Response:
            auth = self._signer.sign_as(
                consumer, request_token, request_secret, verifier=verifier or None, in_body=provider.transmission == "body"
            )
            return self._token_leg(provider, provider.access_token_url, auth)

        try:
            response = attempt()
        except (NotSent, ServerError) as first:
            response = self._attempt_again(attempt, first)
        try:
            tokens = read_access_token(response.body)
            identity = identity_in(tokens, provider)
        except NoToken as error:  # the verifier is spent, and what it bought can't be read
            secrets = (consumer.consumer_key, consumer.consumer_secret, request_token, request_secret, verifier)
            refusal = unreadable(provider.access_token_url, response, secrets)
            if refusal.cause is not Cause.UNREADABLE:  # it says no, with a status of success
                raise Refused(refusal) from None
            raise ResponseLost(f"a response without a token: {error}") from None
        token = AccessToken(
            oauth_token=tokens.token,
            oauth_token_secret=tokens.secret,
            consumer_key=consumer.consumer_key,
            expires_at=provider.expires_at(tokens.first(provider.expires_field or ""), self._clock()),
            extra=tokens.kept(provider.keep, brought or {}),
        )
        return ExchangeResponse(token, identity)

    def _token_leg(self, provider: ProviderDefinition, url: str, auth: OAuth1, access_type: str | None = None) -> Response:
        """Send leg 1 or 3 as the provider wants it."""
        form = {"x_auth_access_type": access_type} if access_type else {}
        if provider.method == "GET":
            return self._send("GET", _with_query(url, form), auth)
        return self._send("POST", url, auth, form if form or provider.transmission == "body" else None)

    @staticmethod
    def _attempt_again(attempt: Callable[[], Response], first: Exception) -> Response:
        """Try leg 3 once more; a refusal after a server error proves nothing: the first may have been the exchange."""
        maybe_exchanged = isinstance(first, ServerError)
        try:
            return attempt()
        except NotSent as error:
            raise Unavailable(f"leg 3: {error}", maybe_exchanged=maybe_exchanged) from None
        except Refused as error:
            if maybe_exchanged:
                raise ResponseLost(f"refused after a server error: {error}") from None
            raise

    def identity(self, provider: ProviderDefinition, consumer: Consumer, token: AccessToken) -> Identity:
        """Ask which user an access token belongs to; raises ``Refused`` or ``Unavailable``."""
        if provider.identity_url is None:
            raise Refused(Refusal(200, Cause.UNREADABLE))
        nonce = self._signer.nonce() or generate_nonce()
        try:
            response = self._ask(provider, provider.identity_url, consumer, token, nonce)
            if response.status >= 300:
                nonce = self._signer.nonce() or generate_nonce()
                response = self._ask(provider, _within_origin(provider.identity_url, response), consumer, token, nonce)
        except ResponseTooLarge:
            raise Refused(Refusal(200, Cause.UNREADABLE)) from None
        except (NotSent, ResponseLost) as error:
            raise Unavailable(f"identity: {error}") from None
        found = read_identity(response.body, provider, consumer, nonce)
        if found is None:
            secrets = (consumer.consumer_key, consumer.consumer_secret, token.oauth_token, token.oauth_token_secret)
            raise Refused(unreadable(provider.identity_url, response, secrets))
        return found

    def _ask(self, provider: ProviderDefinition, url: str, consumer: Consumer, token: AccessToken, nonce: str) -> Response:
        """Ask for the identity; a redirect is returned as it is. Raises ``TokenRefused`` where the provider says so in its own words."""
        signer = replace(self._signer, nonce=lambda: nonce)
        auth = signer.sign_as(consumer, token.oauth_token, token.oauth_token_secret)
        return self._send("GET", url, auth, accept="application/json", may_redirect=True, revoked=provider.revoked)

    def invalidate(self, provider: ProviderDefinition, consumer: Consumer, token: AccessToken) -> None:
        """Invalidate an access token at the provider; raises ``Refused`` or ``Unavailable``. An unknown token counts as invalidated."""
        auth = self._signer.sign_as(consumer, token.oauth_token, token.oauth_token_secret)
        method, path = cast("Method", provider.invalidate_method), urlsplit(provider.invalidate_url or "").path
        try:
            self._send(method, provider.invalidation(token), auth, path=path)
        except (NotSent, ResponseLost) as error:
            raise Unavailable(f"invalidate: {error}", maybe_exchanged=isinstance(error, ResponseLost)) from None
        except ChallengePage as error:  # no reason to keep a user connected
            raise Refused(error.refusal) from None
        except Refused as error:
            if error.refusal.cause not in (Cause.TOKEN_REVOKED, Cause.REQUEST_TOKEN_REJECTED):
                raise

    def _send(
        self,
        method: Method,
        url: str,
        auth: OAuth1,
        data: dict[str, str] | None = None,
        *,
        accept: str = "*/*",
        path: str = "",
        may_redirect: bool = False,
        revoked: Mapping[str, Any] | None = None,
    ) -> Response:
        """Send once and return a response of success (2xx); any other is raised as what it means, also one that says ``revoked``.

        ``path`` is what the log says of the URL, where that holds a token.
        """
        left = self._ends - monotonic()
        if left <= 0:
            raise NotSent("no time is left")
        response = send(method, url, auth, replace(self._timeouts, call=min(self._timeouts.call, left)), data=data, accept=accept)
        if revoked is not None and provider_errors.says_revoked(revoked, response.status, response.body):
            raise TokenRefused(Refusal(response.status, Cause.TOKEN_REVOKED))
        if 200 <= response.status < 300 and not provider_errors.is_error_text(response.body):
            return response
        if may_redirect and response.status in _REDIRECTS:
            return response
        client = auth.client
        secrets = (
            client.client_key,
            client.client_secret,
            client.resource_owner_key,
            client.resource_owner_secret,
            client.verifier,
        )
        raise error_of(response, path or urlsplit(url).path, secrets, now=self._clock())


def _within_origin(url: str, redirect: Response) -> str:
    """Return where a redirect leads within the origin of ``url`` (Launchpad's ``+me``); raises ``Refused`` for any other."""
    try:
        target = urljoin(url, redirect.headers.get("location", ""))
        is_within = urlsplit(target)[:2] == urlsplit(url)[:2]
    except ValueError:
        is_within = False
    if not is_within:
        raise Refused(Refusal(redirect.status, Cause.UNKNOWN))
    return target


def _with_query(url: str, added: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(added))))))
