"""Tripod for other Lambdas: read users' OAuth 1.0a tokens, sign requests with them, and learn who signed in.

Importing it makes no call to AWS and does not import boto3; both wait for the first use. Everything is thread-safe.

>>> with user_session("x", user_id="2244994945") as x:
...     x.get("https://api.x.com/2/users/me", timeout=5).json()["data"]["username"]
'ada'
"""

from tripod import library_logs, tickets
from tripod.bearer import app_session, invalidate_app_token
from tripod.connections import Checked, Connection, check, disconnect, users
from tripod.credentials import SigningTokens, UserTokens
from tripod.errors import (
    ConsumerNotFound,
    HostNotAllowed,
    MalformedSecret,
    TicketRejected,
    TokenExpired,
    TokenNotFound,
    TokenRevoked,
    TripodError,
    TripodUnavailable,
)
from tripod.session import user_session, user_tokens
from tripod.tickets import SignIn, redeem

library_logs.withhold_texts()

__all__ = [
    "Checked",
    "Connection",
    "ConsumerNotFound",
    "HostNotAllowed",
    "MalformedSecret",
    "SignIn",
    "SigningTokens",
    "TicketRejected",
    "TokenExpired",
    "TokenNotFound",
    "TokenRevoked",
    "TripodError",
    "TripodUnavailable",
    "UserTokens",
    "app_session",
    "check",
    "disconnect",
    "invalidate_app_token",
    "redeem",
    "tickets",
    "user_session",
    "user_tokens",
    "users",
]
