"""Tickets: proof for an app of who has just signed in, bound to one session of the app.

1. Keep ``new_secret()`` in the user's own session.
2. Send the browser to start with the secret's ``challenge`` and a ``return_to``.
3. The browser comes back to ``return_to`` with ``ticket`` in the query: ``redeem`` it with the session's secret.

A stolen ticket is worthless without the secret, and a challenge that is used with another return address or provider yields no
ticket that this app would redeem. (PKCE, RFC 7636, section 4.2, has the idea.)

>>> session["secret"] = tickets.new_secret()
>>> return_to = "https://app.example/signed-in"
>>> query = {"challenge": tickets.challenge(session["secret"], provider="x", return_to=return_to), "return_to": return_to}
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from tripod import challenges, functions
from tripod.errors import TicketRejected

MAX_LENGTH = 4096  # characters of a ticket or a secret; both are far shorter


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who signed in, as ``redeem`` returns it.

    Attributes:
        provider: the provider's name, such as ``"x"``.
        user_id: the provider's id of the user; X's are decimal digits.
        screen_name: the user's name at the provider; None where the provider gave none.
        subject: the app's own id of the user; None where the authorization was not begun for one.
        return_to: the ``return_to`` that start was given; None where it was given none.

    >>> redeem(ticket, session["secret"]).user_id
    '2244994945'
    """

    provider: str
    user_id: str
    screen_name: str | None
    subject: str | None
    return_to: str | None


def new_secret(token: Callable[[int], str] = secrets.token_urlsafe) -> str:
    """Return a random secret for one sign-in, to be kept in the user's own session.

    Args:
        token: makes URL-safe text of so many random bytes; a test may freeze it.

    Returns:
        43 URL-safe characters, 256 bits.

    >>> len(tickets.new_secret())
    43
    """
    return token(32)


def challenge(secret: str, *, provider: str, return_to: str = "") -> str:
    """Return a secret's challenge, for the parameter ``challenge`` of start.

    Args:
        secret: the secret in the user's session, from ``new_secret``.
        provider: the provider's name, as in start's address, such as ``"x"``.
        return_to: the ``return_to`` that start is given, exactly; empty where it is given none.

    Returns:
        base64url(SHA-256(secret LF provider LF return_to)) without padding: 43 characters.

    >>> secret = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    >>> tickets.challenge(secret, provider="x", return_to="https://app.example/done")
    '4rtqUtGrU6CQ4qE7kkODbknyq4QSRasmsyIpQRYqEyc'
    """
    return challenges.challenge(secret, provider=provider, return_to=return_to)


def redeem(ticket: str, secret: str) -> SignIn:
    """Redeem a ticket and return who signed in.

    A ticket is valid for 5 minutes and one redemption; the same call repeated within 60 seconds returns the same.

    Args:
        ticket: ``ticket`` in the query with which the browser came back to ``return_to``, as it came: any text may be passed.
        secret: the secret in the user's session, whose challenge was given to start.

    Returns:
        The provider's user, and the app's own id of that user where the authorization was begun for one.

    Raises:
        TicketRejected: the ticket is expired, used, or another session's.
        TripodUnavailable: the ticket could not be redeemed now; ``code`` and ``retry_after`` say more.

    Needs the managed policy ``RedeemTickets``.

    >>> redeem(ticket, session["secret"])
    SignIn(provider='x', user_id='2244994945', screen_name='ada', subject=None, return_to='https://app.example/signed-in')
    """
    if not all(_is_plausible(text) for text in (ticket, secret)):
        raise TicketRejected
    errors = {"ticket_rejected": TicketRejected, "bad_request": TicketRejected}  # bad_request: characters that no ticket has
    response = functions.invoke("redeem", {"ticket": ticket, "secret": secret}, errors)
    return SignIn(
        provider=response.text("provider"),
        user_id=response.text("user_id"),
        screen_name=response.text_or_none("screen_name"),
        subject=response.text_or_none("subject"),
        return_to=response.text_or_none("return_to"),
    )


def _is_plausible(text: object) -> bool:
    """Return False for what can't be a ticket or a secret: anything may come in a query."""
    return isinstance(text, str) and 0 < len(text) <= MAX_LENGTH
