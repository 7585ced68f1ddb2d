"""The legs: all that Tripod says to a provider (RFC 5849, sections 2.1 and 2.3), and what its answers mean."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from time import monotonic, time
from typing import Any, Self
from urllib.parse import parse_qsl

from requests_oauthlib import OAuth1

from tripod import names, refusals
from tripod.credentials import Consumer, UserTokens
from tripod.refusals import Cause, Refusal
from tripod.signing import Signer
from tripod_flow.deadline import COMMIT, Deadline
from tripod_flow.provider import Provider
from tripod_flow.transport import Answer, AnswerLost, Method, NotSent, Timeouts, send

MAX_TOKEN = 512  # bytes of a token, its secret, or a user id; X's have 25 to 50
MAX_USER_SECRET = names.MAX_SECRET_NAME - 64  # characters; a prefix and a provider's name have 32 each at most
MAX_SCREEN_NAME = 256  # characters
DEFAULT_RETRY = 5  # seconds, where a provider says nothing
MAX_RETRY = 900  # seconds; X's rate limits have windows of 15 minutes


class Refused(Exception):
    """The provider refused, for good; ``refusal`` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.status}: {refusal.cause}")
        self.refusal = refusal


class Unavailable(Exception):
    """The provider can't be reached, or can't serve now; ``retry_after`` in seconds."""

    def __init__(self, reason: str, retry_after: int = DEFAULT_RETRY, *, doubtful: bool = False) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.doubtful = doubtful  # it may have done what was asked all the same


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """A token and its secret; ``fields`` are the answer's other parameters."""

    token: str = field(repr=False)
    secret: str = field(repr=False)
    fields: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose access tokens these are; a provider may have no name beside the id."""

    user_id: str
    screen_name: str | None


class Legs:
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

    def for_request(self) -> Self:
        """Return legs whose calls, retries included, end within one request's time, and in time for what must follow them."""
        left = min(self._timeouts.request, self._deadline.left() - COMMIT)
        return type(self)(self._timeouts, self._signer, self._clock, deadline=self._deadline, ends=monotonic() + left)

    def request_token(self, provider: Provider, consumer: Consumer, callback: str, *, access_type: str | None) -> TokenAnswer:
        """Leg 1: get a request token, ``callback`` confirmed; raises ``Refused`` or ``Unavailable``. Tried twice."""

        def attempt() -> Answer:
            auth = self._signer.sign_as(consumer, callback=callback)
            return self._send(
                "POST", provider.request_token_url, auth, {"x_auth_access_type": access_type} if access_type else None
            )

        try:
            answer = attempt()
        except (NotSent, AnswerLost, _ServerError):
            try:
                answer = attempt()
            except (NotSent, AnswerLost) as error:
                raise Unavailable(f"leg 1: {error}") from None
        tokens = _tokens(answer)
        if provider.require_callback_confirmed and tokens.fields.get("oauth_callback_confirmed", "").lower() != "true":
            raise Refused(Refusal(answer.status, Cause.CALLBACK_NOT_CONFIRMED))
        return tokens

    def access_token(self, provider: Provider, consumer: Consumer, token: str, secret: str, verifier: str) -> TokenAnswer:
        """Leg 3: exchange the verifier; raises ``Refused``, ``Unavailable`` (nothing was exchanged) or ``AnswerLost``.

        Tried again only when the first request can't have been sent, or was answered 5xx.
        """

        def attempt() -> Answer:
            return self._send("POST", provider.access_token_url, self._signer.sign_as(consumer, token, secret, verifier=verifier))

        try:
            answer = attempt()
        except (NotSent, _ServerError) as first:
            answer = self._again(attempt, first)
        try:
            return _tokens(answer)
        except Refused as error:
            if error.refusal.cause is Cause.UNREADABLE:  # 200: the verifier is spent, and what it bought can't be read
                raise AnswerLost("an answer that holds no token") from None
            raise

    @staticmethod
    def _again(attempt: Callable[[], Answer], first: Exception) -> Answer:
        """Try leg 3 once more; a refusal after a server error proves nothing: the first may have been the exchange."""
        doubtful = isinstance(first, _ServerError)
        try:
            return attempt()
        except NotSent as error:
            raise Unavailable(f"leg 3: {error}", doubtful=doubtful) from None
        except Refused as error:
            if doubtful:
                raise AnswerLost(f"refused after a server error: {error}") from None
            raise

    def identity(self, provider: Provider, consumer: Consumer, tokens: TokenAnswer) -> Identity:
        """Ask whose tokens these are; raises ``Refused`` or ``Unavailable``."""
        if provider.identity_url is None:
            raise Refused(Refusal(200, Cause.UNREADABLE))
        auth = self._signer.sign_as(consumer, tokens.token, tokens.secret)
        try:
            answer = self._send("GET", provider.identity_url, auth)
        except (NotSent, AnswerLost) as error:
            raise Unavailable(f"identity: {error}") from None
        return _identity(answer, provider)

    def invalidate(self, provider: Provider, consumer: Consumer, tokens: UserTokens) -> None:
        """Revoke the user's token at the provider; raises ``Refused`` or ``Unavailable``. One that it has already forgotten is revoked."""
        if provider.invalidate_url is None:
            return
        auth = self._signer.sign_as(consumer, tokens.oauth_token, tokens.oauth_token_secret)
        try:
            self._send("POST", provider.invalidate_url, auth)
        except (NotSent, AnswerLost) as error:
            raise Unavailable(f"invalidate: {error}") from None
        except Refused as error:
            if error.refusal.cause not in (Cause.TOKEN_REVOKED, Cause.REQUEST_TOKEN_REJECTED):
                raise

    def _send(self, method: Method, url: str, auth: OAuth1, data: dict[str, str] | None = None) -> Answer:
        """Send once; an answer of 200 comes back, any other is raised as what it means."""
        left = self._ends - monotonic()
        if left <= 0:
            raise NotSent("no time is left")
        answer = send(method, url, auth, replace(self._timeouts, call=min(self._timeouts.call, left)), data=data)
        if answer.status == 200 and not refusals.is_error_text(answer.body):
            return answer
        refusal = refusals.read(answer.status, answer.body)
        if answer.status >= 500:
            raise _ServerError(f"answered {answer.status}", self._retry_after(answer), doubtful=True)
        if answer.status == 429:
            raise Unavailable("answered 429", self._retry_after(answer))
        raise Refused(refusal)

    def _retry_after(self, answer: Answer) -> int:
        """Read when to come back: ``Retry-After`` in seconds, or X's ``x-rate-limit-reset`` in epoch seconds."""
        after, reset = answer.headers.get("retry-after", ""), answer.headers.get("x-rate-limit-reset", "")
        seconds = int(after) if _is_number(after) else int(reset) - int(self._clock()) if _is_number(reset) else DEFAULT_RETRY
        return min(max(seconds, 1), MAX_RETRY)


class _ServerError(Unavailable):
    """The provider answered 5xx."""


def identity_in(tokens: TokenAnswer, provider: Provider) -> Identity | None:
    """Return whose tokens these are where the token answer itself says so, or None."""
    user_id = tokens.fields.get(provider.user_id_field, "")
    if not _is_user_id(user_id):
        return None
    return Identity(user_id, _shown(tokens.fields.get(provider.screen_name_field)))


def _tokens(answer: Answer) -> TokenAnswer:
    """Read a token answer: a form body, whatever its Content-Type (X says text/html); each name once, nothing empty."""
    try:
        pairs = parse_qsl(
            answer.body.decode().strip(), strict_parsing=True, keep_blank_values=True, errors="strict", max_num_fields=50
        )
    except ValueError:  # of UnicodeDecodeError's kind too
        raise Refused(Refusal(answer.status, Cause.UNREADABLE)) from None
    fields = dict(pairs)
    token, secret = fields.pop("oauth_token", ""), fields.pop("oauth_token_secret", "")
    if len(fields) + 2 != len(pairs) or not (_is_token(token) and _is_token(secret)):
        raise Refused(Refusal(answer.status, Cause.UNREADABLE))
    return TokenAnswer(token, secret, fields)


def _identity(answer: Answer, provider: Provider) -> Identity:
    try:
        content = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise Refused(Refusal(answer.status, Cause.UNREADABLE)) from None
    user_id = _at(content, provider.identity_user_id_field or provider.user_id_field)
    if user_id is None or not _is_user_id(user_id):
        raise Refused(Refusal(answer.status, Cause.UNREADABLE))
    return Identity(user_id, _shown(_at(content, provider.screen_name_field)))


def _at(content: Any, path: str) -> str | None:
    """Return the string or number at a dotted path in JSON, as a string, or None."""
    for name in path.split("."):
        content = content.get(name) if isinstance(content, dict) else None
    return str(content) if isinstance(content, str | int) and not isinstance(content, bool) else None


def _is_token(value: str) -> bool:
    return value.isprintable() and 0 < len(value.encode()) <= MAX_TOKEN


def _is_user_id(value: str) -> bool:
    """Tell whether a user id can name a secret: encoded, and below any prefix and provider's name."""
    return _is_token(value) and len(names.user_secret("", "", value)) <= MAX_USER_SECRET


def _shown(screen_name: str | None) -> str | None:
    """Return a screen name that can be shown; any other is as good as none."""
    return screen_name if screen_name and screen_name.isprintable() and len(screen_name) <= MAX_SCREEN_NAME else None


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= 12
