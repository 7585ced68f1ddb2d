"""How a provider's credentials look: their length and characters."""

import secrets
import string
from dataclasses import dataclass

LETTERS = string.ascii_letters + string.digits


def random_text(length: int, alphabet: str = LETTERS) -> str:
    """Return a random string."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


@dataclass(frozen=True)
class TokenForms:
    """Patterns of credentials, X's by default: ``{letters:27}`` becomes 27 random letters and digits.

    ``{hex:n}`` and ``{digits:n}`` likewise; an access token's may name the user: ``{user_id}``. An empty pattern is an empty secret.
    """

    consumer_key: str = "{letters:25}"
    consumer_secret: str = "{letters:50}"  # noqa: S105 a pattern, as all below
    request_token: str = "{letters:27}"  # noqa: S105
    request_secret: str = "{letters:32}"  # noqa: S105
    verifier: str = "{letters:32}"
    access_token: str = "{user_id}-{letters:40}"  # noqa: S105
    access_secret: str = "{letters:45}"  # noqa: S105


def fill(pattern: str, **known: str) -> str:
    """Return a new credential of this pattern."""
    return pattern.format(letters=_Random(LETTERS), hex=_Random("0123456789abcdef"), digits=_Random(string.digits), **known)


class _Random:
    """Formats as random characters, as many as the format asks for."""

    def __init__(self, alphabet: str) -> None:
        self._alphabet = alphabet

    def __format__(self, length: str) -> str:
        return random_text(int(length), self._alphabet)
