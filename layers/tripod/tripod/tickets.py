"""Tickets: how an app learns for certain who has just signed in, to the session that asked and to no other.

The app keeps a new secret in the user's own session, sends the browser to start with the secret's challenge, and redeems the
ticket that comes back together with the secret. (The challenge is PKCE's: RFC 7636, section 4.2, S256.)
"""

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from tripod import functions
from tripod.errors import TicketRejected

MAX_LENGTH = 4096  # characters of a ticket or a secret; both are far shorter


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who signed in: the provider's user; ``subject`` is the app's own user id, where the authorization was begun for one."""

    provider: str
    user_id: str
    screen_name: str | None
    subject: str | None


def new_secret(token: Callable[[int], str] = secrets.token_urlsafe) -> str:
    """Return a random secret for one sign-in: 43 URL-safe characters, 256 bits."""
    return token(32)


def challenge(secret: str) -> str:
    """Return what start may know of ``secret``: its SHA-256, base64url without padding, 43 characters."""
    return base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()).decode().rstrip("=")


def redeem(ticket: str, secret: str) -> SignIn:
    """Return who signed in; raises ``TicketRejected``, or ``TripodUnavailable`` where Tripod can't tell now.

    A ticket is good for 5 minutes and for one redemption; the same call repeated within 60 seconds answers the same.
    """
    if not all(_is_plausible(text) for text in (ticket, secret)):
        raise TicketRejected
    known = {"ticket_rejected": TicketRejected, "bad_request": TicketRejected}  # the latter: characters that no ticket has
    answer = functions.invoke("redeem", {"ticket": ticket, "secret": secret}, known)
    return SignIn(
        provider=answer.text("provider"),
        user_id=answer.text("user_id"),
        screen_name=answer.text_or_none("screen_name"),
        subject=answer.text_or_none("subject"),
    )


def _is_plausible(text: object) -> bool:
    """Tell whether ``text``, which may come straight from a query string, can be a ticket or a secret at all."""
    return isinstance(text, str) and 0 < len(text) <= MAX_LENGTH
