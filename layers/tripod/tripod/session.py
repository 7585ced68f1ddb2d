"""A user's tokens, and a session that signs requests with them."""

import time
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

import requests
from requests import PreparedRequest, Response

from tripod import allowed_hosts, names, process, provider_errors, reports, response_body
from tripod.credentials import Consumer, SigningTokens, UserTokens
from tripod.errors import TokenExpired, TokenNotFound, TokenRevoked
from tripod.provider_errors import Cause
from tripod.renewing import RenewingAuth, RenewingSession
from tripod.secret_reader import SecretReader
from tripod.signing import Signer

_FORM = "application/x-www-form-urlencoded"
_UNEXPLAINED = frozenset(
    {Cause.UNKNOWN, Cause.BAD_CREDENTIALS}
)  # either credential may be the refused one; X's API v2 never says


def user_tokens(provider: str, *, user_id: str | int) -> SigningTokens:
    """Return a user's tokens and the app's credentials, for an OAuth 1.0a client of your own.

    Args:
        provider: the name in the consumer secret ``{prefix}/consumer/{provider}``, such as ``"x"``.
        user_id: the provider's id of the user, as ``users`` lists it, or as an integer; X's are decimal digits.

    Returns:
        Tokens at most five minutes old. Their ``repr`` hides every secret.

    Raises:
        TokenNotFound: the user has not signed in.
        TokenRevoked: the user has disconnected.
        TokenExpired: the tokens have ended, as the provider said they would.
        ConsumerNotFound: there is no consumer secret of this name under this prefix.
        MalformedSecret: the content of one of the two secrets is not what belongs there.

    Needs the managed policy ``ReadTokens`` or ``ReadTokensOfOneProvider``.

    >>> user_tokens("x", user_id="2244994945").screen_name
    'ada'
    """
    text = names.user_id_text(user_id)
    consumer, tokens = _read(process.this().secret_reader, provider, text)
    return SigningTokens.of(tokens, consumer)


def user_session(provider: str, *, user_id: str | int) -> requests.Session:
    """Return a ``requests.Session`` that signs every request as this user.

    Each request is signed with the tokens of that moment: the session may be kept for as long as the process lives. When a 401
    says that the token is revoked, or doesn't say what is wrong (as X's API v2), the secrets are read again, and the request is
    sent once more if one has changed. If neither has, Tripod asks the provider whether the connection still works (``check``).

    Args:
        provider: the name in the consumer secret ``{prefix}/consumer/{provider}``, such as ``"x"``.
        user_id: the provider's id of the user, as ``users`` lists it, or as an integer; X's are decimal digits.

    Returns:
        A session that threads may share. Pass ``timeout`` (seconds) to each request; ``requests`` has no default.

    Raises:
        TokenNotFound: the user has not signed in.
        TokenRevoked: the user has disconnected. Raised by a request as well, when the provider says that the token is revoked
            (X's API v2 never says so: its 401 is a response to read), or when the user has disconnected meanwhile.
        TokenExpired: the tokens have ended, as the provider said they would. Raised by a request as well.
        ConsumerNotFound: there is no consumer secret of this name under this prefix.
        MalformedSecret: the content of one of the two secrets is not what belongs there.
        HostNotAllowed: raised by a request: the user's tokens may not be sent to its URL.

    Needs the managed policy ``ReadTokens`` or ``ReadTokensOfOneProvider``.

    >>> with user_session("x", user_id="2244994945") as x:
    ...     x.get("https://api.x.com/2/users/me", timeout=5).json()["data"]["username"]
    'ada'
    """
    text = names.user_id_text(user_id)
    auth = _UserAuth(process.this().secret_reader, provider, text)
    auth.current()  # raises here, not at the first request, what is missing
    return RenewingSession(auth)


class _Credentials(NamedTuple):
    """The app's and the user's credentials that one request is signed with."""

    consumer: Consumer
    tokens: UserTokens


def _read(reader: SecretReader, provider: str, user_id: str) -> _Credentials:
    """Return both credentials. The app's come first: where they are missing, nobody can sign in, or the prefix is wrong.

    Raises TokenExpired where the tokens have ended.
    """
    consumer = reader.consumer(provider)
    tokens = reader.user(provider, user_id, may_be_sealed=consumer.may_be_sealed)
    if _has_ended(tokens):  # there may be a newer grant by now
        tokens = reader.user(provider, user_id, fresh=True, may_be_sealed=consumer.may_be_sealed)
        if _has_ended(tokens):
            reports.report(provider, user_id, tokens.oauth_token)
            raise TokenExpired(names.user_secret(reader.prefix, provider, user_id), tokens.expires_at or 0)
    return _Credentials(consumer, tokens)


def _is_same(one: UserTokens, other: UserTokens) -> bool:
    return (one.oauth_token, one.oauth_token_secret) == (other.oauth_token, other.oauth_token_secret)


def _is_told(response: Response) -> bool:
    """Return True for a response that may say something about the token: an error, or a success that is JSON or XML, and no stream."""
    kind = response.headers.get("Content-Type", "").lower()
    return response.status_code >= 400 or ("json" in kind or "xml" in kind or "javascript" in kind)


def _has_ended(tokens: UserTokens) -> bool:
    return tokens.expires_at is not None and tokens.expires_at <= time.time()


class _UserAuth(RenewingAuth[_Credentials]):
    """Signs requests as one user, with the credentials that ``reader`` returns for each."""

    def __init__(self, reader: SecretReader, provider: str, user_id: str) -> None:
        self._reader = reader
        self._provider = provider
        self._user_id = user_id

    def current(self) -> _Credentials:
        """Return the user's tokens and the app's credentials, at most five minutes old."""
        return _read(self._reader, self._provider, self._user_id)

    def authenticate(self, request: PreparedRequest, credentials: _Credentials) -> None:
        """Sign ``request``. The signature covers a form body and no other (RFC 5849, section 3.4.1.3.1).

        Raises ValueError for a form that is given as a stream.
        """
        content: Any = request.body  # also a stream, which types-requests leaves out
        if not isinstance(content, str | bytes | None):
            # requests-oauthlib looks for form fields in a body without a Content-Type, and would exhaust the stream.
            kind = request.headers.setdefault("Content-Type", "application/octet-stream")
            if _FORM in str(kind):
                raise ValueError("a form must be given whole to be signed, not as a stream")
        consumer, tokens = credentials
        reusable = consumer.signature_method == "PLAINTEXT"
        allowed_hosts.check(process.this(), self._provider, consumer, request.url, reusable=reusable)
        Signer().sign_as(consumer, tokens.oauth_token, tokens.oauth_token_secret)(request)

    def cause(self, response: Response, credentials: _Credentials) -> Cause | None:
        """Return why a response refuses the credentials, by this provider's own words for a revoked token first; None if it does not."""
        revoked = credentials.consumer.revoked
        if (
            revoked is not None
            and response.status_code == revoked["status"]
            and _is_told(response)
            and provider_errors.says_revoked(revoked, response.status_code, response_body.peek(response))
        ):
            return Cause.TOKEN_REVOKED
        return super().cause(response, credentials)

    def renew(self, credentials: _Credentials, cause: Cause, tried: AbstractSet[Cause]) -> _Credentials | None:
        """Read again what the provider may have refused; None if nothing has changed: then the 401 is the caller's to read."""
        if cause is Cause.TOKEN_REVOKED:
            return self._newer_grant(credentials, read=cause not in tried)
        if cause in _UNEXPLAINED and not _UNEXPLAINED & tried:
            fresh = self._read_again()
            if fresh != credentials:
                return fresh
            self._report(credentials)
        return None

    def _read_again(self) -> _Credentials:
        """Return both credentials as they are now. Raises TokenRevoked where the user has disconnected."""
        consumer = self._reader.consumer(self._provider, fresh=True)
        return _Credentials(consumer, self._fresh_tokens(consumer))

    def _fresh_tokens(self, consumer: Consumer) -> UserTokens:
        try:
            return self._reader.user(self._provider, self._user_id, fresh=True, may_be_sealed=consumer.may_be_sealed)
        except TokenNotFound:
            raise self._revoked() from None

    def _newer_grant(self, refused: _Credentials, *, read: bool) -> _Credentials:
        """Return the tokens of a newer grant. Where there is none, drop the refused tokens and raise TokenRevoked."""
        tokens = self._fresh_tokens(refused.consumer) if read else refused.tokens
        if _is_same(tokens, refused.tokens):
            consumer = self._reader.consumer(self._provider, fresh=True)
            if consumer.may_be_sealed != refused.consumer.may_be_sealed:  # they are kept elsewhere by now
                tokens = self._fresh_tokens(consumer)
        if _is_same(tokens, refused.tokens):
            self._reader.forget_user(self._provider, self._user_id)
            self._report(refused)
            raise self._revoked()
        other_app = tokens.consumer_key != refused.consumer.consumer_key
        return _Credentials(self._reader.consumer(self._provider, fresh=True) if other_app else refused.consumer, tokens)

    def _report(self, refused: _Credentials) -> None:
        """Have the connection checked: whoever lists users learns what this caller has just learnt."""
        reports.report(self._provider, self._user_id, refused.tokens.oauth_token)

    def _revoked(self) -> TokenRevoked:
        return TokenRevoked(names.user_secret(self._reader.prefix, self._provider, self._user_id))
