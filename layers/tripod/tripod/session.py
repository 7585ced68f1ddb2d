"""Signed requests on a user's behalf, in two lines.

with user_session("x", user_id="2244994945") as x:
    x.get("https://api.x.com/1.1/account/verify_credentials.json", timeout=5)
"""

from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

import requests
from requests import PreparedRequest

from tripod import names, process
from tripod.credentials import Consumer, SigningTokens, UserTokens
from tripod.errors import TokenNotFound, TokenRevoked
from tripod.provider_errors import Cause
from tripod.renewing import RenewingAuth, RenewingSession
from tripod.secret_reader import SecretReader
from tripod.signing import Signer

_FORM = "application/x-www-form-urlencoded"


def user_tokens(provider: str, *, user_id: str) -> SigningTokens:
    """Return a user's tokens and the app's credentials, at most five minutes old, for a client of your own.

    Raises ``TokenNotFound``, ``TokenRevoked`` where the user has disconnected, ``ConsumerNotFound``, or ``MalformedSecret``.
    """
    reader = process.this().secret_reader
    return SigningTokens.of(reader.user(provider, user_id), reader.consumer(provider))


def user_session(provider: str, *, user_id: str) -> requests.Session:
    """Return a ``requests.Session`` that signs every request as this user; raises as ``user_tokens``.

    A request raises so too, and ``TokenRevoked`` where the provider no longer takes the tokens. Tokens that were granted anew
    and a consumer key that was rotated are noticed by themselves.
    """
    auth = _UserAuth(process.this().secret_reader, provider, user_id)
    auth.current()  # what is missing is told here
    return RenewingSession(auth)


class _Keys(NamedTuple):
    """What one request is signed with."""

    consumer: Consumer
    tokens: UserTokens


class _UserAuth(RenewingAuth[_Keys]):
    """Signs as one user, with what ``reader`` returns at that moment."""

    def __init__(self, reader: SecretReader, provider: str, user_id: str) -> None:
        self._reader = reader
        self._provider = provider
        self._user_id = user_id

    def current(self) -> _Keys:
        """Return what the reader returns."""
        tokens = self._reader.user(self._provider, self._user_id)
        return _Keys(self._reader.consumer(self._provider), tokens)

    def put(self, request: PreparedRequest, credentials: _Keys) -> None:
        """Sign ``request``; a body other than a form is not covered by the signature (RFC 5849, section 3.4.1.3.1)."""
        content: Any = request.body  # what types-requests leaves out: a stream
        if not isinstance(content, str | bytes | None):
            # requests-oauthlib looks for form fields in a body without a type, and would use a stream up.
            kind = request.headers.setdefault("Content-Type", "application/octet-stream")
            if _FORM in str(kind):
                raise ValueError("a form must be given whole to be signed, not as a stream")
        consumer, tokens = credentials
        Signer().sign_as(consumer, tokens.oauth_token, tokens.oauth_token_secret)(request)

    def renewed(self, credentials: _Keys, cause: Cause, tried: AbstractSet[Cause]) -> _Keys | None:
        """Read afresh what the provider refuses: the user's tokens, or the app's credentials."""
        if cause is Cause.TOKEN_REVOKED:
            return self._regranted(credentials, read=cause not in tried)
        if cause is Cause.BAD_CREDENTIALS and cause not in tried:
            consumer = self._reader.consumer(self._provider, fresh=True)
            return None if consumer == credentials.consumer else _Keys(consumer, credentials.tokens)
        return None

    def _regranted(self, refused: _Keys, *, read: bool) -> _Keys:
        """Return the tokens of a newer grant; raises ``TokenRevoked`` where there is none, and forgets the refused ones."""
        revoked = TokenRevoked(names.user_secret(self._reader.prefix, self._provider, self._user_id))
        try:
            tokens = self._reader.user(self._provider, self._user_id, fresh=True) if read else refused.tokens
        except TokenNotFound:
            raise revoked from None
        if (tokens.oauth_token, tokens.oauth_token_secret) == (refused.tokens.oauth_token, refused.tokens.oauth_token_secret):
            self._reader.forget_user(self._provider, self._user_id)
            raise revoked
        other_app = tokens.consumer_key != refused.consumer.consumer_key
        return _Keys(self._reader.consumer(self._provider, fresh=True) if other_app else refused.consumer, tokens)
