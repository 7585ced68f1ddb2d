"""Tripod for other Lambdas: read users' OAuth 1.0a tokens, sign requests with them, and know who has signed in.

Importing it is cheap: AWS is reached at first use. Everything may be used by several threads at once.
"""

from tripod import library_logs, tickets
from tripod.bearer import app_session, invalidate_app_token
from tripod.connections import Connection, disconnect, users
from tripod.credentials import SigningTokens, UserTokens
from tripod.errors import (
    ConsumerNotFound,
    MalformedSecret,
    TicketRejected,
    TokenNotFound,
    TokenRevoked,
    TripodError,
    TripodUnavailable,
)
from tripod.session import user_session, user_tokens
from tripod.tickets import SignIn, redeem

library_logs.mute_debug()

__all__ = [
    "Connection",
    "ConsumerNotFound",
    "MalformedSecret",
    "SignIn",
    "SigningTokens",
    "TicketRejected",
    "TokenNotFound",
    "TokenRevoked",
    "TripodError",
    "TripodUnavailable",
    "UserTokens",
    "app_session",
    "disconnect",
    "invalidate_app_token",
    "redeem",
    "tickets",
    "user_session",
    "user_tokens",
    "users",
]
