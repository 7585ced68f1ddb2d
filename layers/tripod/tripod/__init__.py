"""Tripod for other Lambdas: read users' OAuth 1.0a tokens and sign requests with them."""

from tripod import quiet
from tripod.credentials import UserTokens
from tripod.errors import ConsumerNotFound, MalformedSecret, TokenNotFound, TripodError
from tripod.session import user_session, user_tokens

quiet.quieten()

__all__ = [
    "ConsumerNotFound",
    "MalformedSecret",
    "TokenNotFound",
    "TripodError",
    "UserTokens",
    "user_session",
    "user_tokens",
]
