"""Tickets: a sign-in hands one to the app, which redeems it for the proof of who signed in.

A ticket names its authorization and ends in a keyed hash, so that nobody can forge one. The key is the record's salt together with what
only the browser that finishes the authorization has (its cookie, or the verifier where there is no cookie): every reload shows the same
ticket, a short verifier such as a PIN can't be guessed, and the
table keeps only a digest. A ticket is useless without the secret whose ``challenge`` start was given, for this provider and this
``return_to``: the challenge is computed anew from the secret and the record.
"""

import base64
import hashlib
import hmac
import re

from tripod import names
from tripod.challenges import challenge
from tripod_flow.rules import authorization
from tripod_flow.rules.authorization import Authorization, State
from tripod_flow.rules.errors import InvalidTicket

LIFETIME = 300  # seconds from the outcome; the app redeems it within a second
REPEAT = 60  # seconds in which the same call is answered the same: a retry after a lost answer

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_TICKET = re.compile(r"([a-z0-9-]{1,32})\.([A-Za-z0-9_-]{1,2048})\.[A-Za-z0-9_-]{43}")


def is_challenge(text: str) -> bool:
    """Return True if ``text`` can be a SHA-256 in base64url without padding."""
    return _CHALLENGE.fullmatch(text) is not None


def issue(provider: str, request_token: str, hmac_key: str) -> str:
    """Return the ticket of an authorization; the same for the same ``hmac_key``."""
    pk = authorization.key(provider, request_token)
    proof = hmac.digest(hmac_key.encode(), b"ticket " + pk.encode(), "sha256")
    return f"{provider}.{_encode(request_token.encode())}.{_encode(proof)}"


def digest(ticket: str) -> str:
    """Return the SHA-256 of a ticket, in hex: what the table keeps of it."""
    return hashlib.sha256(ticket.encode()).hexdigest()


def authorization_key(ticket: str) -> str:
    """Return the key of the authorization that a ticket names; raises ``InvalidTicket`` for anything else."""
    found = _TICKET.fullmatch(ticket)
    if not found or not names.is_provider(found[1]):
        raise InvalidTicket("not a ticket")
    try:
        request_token = base64.urlsafe_b64decode(found[2] + "=" * (-len(found[2]) % 4)).decode()
    except ValueError:
        raise InvalidTicket("not a ticket") from None
    return authorization.key(found[1], request_token)


def check(found: Authorization | None, ticket: str, secret: str, *, now: float) -> Authorization:
    """Return the authorization if ``ticket`` and ``secret`` prove it; raises ``InvalidTicket``, whose reason only the log sees."""
    if (
        found is None
        or found.ticket_digest is None
        or found.challenge is None
        or found.state not in (State.GRANTED, State.CONSENTED)
    ):
        raise InvalidTicket("no such sign-in")
    given_challenge = challenge(secret, provider=found.provider, return_to=found.return_to or "")
    right_ticket = hmac.compare_digest(digest(ticket), found.ticket_digest)
    right_secret = hmac.compare_digest(given_challenge, found.challenge)
    if not (right_ticket and right_secret):
        raise InvalidTicket(
            "ticket and secret do not belong together, or the challenge was not made of secret, provider and return_to"
        )
    if found.redeemed_at is not None and found.redeemed_at + REPEAT <= now:
        raise InvalidTicket("redeemed before")
    if found.redeemed_at is None and (found.decided_at or 0) + LIFETIME <= now:
        raise InvalidTicket("too late")
    return found


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
