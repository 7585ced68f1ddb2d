"""The token responses of legs 1 and 3 (RFC 5849, sections 2.1 and 2.3): strict about token and secret, generous about the rest."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

MAX_REQUEST_TOKEN = 512  # bytes of a request token or its secret: the callback's query has it again. X's have 27 to 50
MAX_ACCESS_TOKEN = 2048  # bytes of an access token or its secret
MAX_FIELDS = 200
MAX_KEPT = 1024  # bytes of a field that is kept
_AROUND = " \t\r\n\ufeff\"'?&"  # what stands around a response, and is no part of it


class NoToken(Exception):
    """A response does not hold exactly one token and one secret; the text says what is wrong, and quotes nothing."""


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """A token, its secret, and what else the response says: each other field's values, in their order."""

    token: str = field(repr=False)
    secret: str = field(repr=False)
    fields: Mapping[str, Sequence[str]] = field(repr=False)

    def first(self, name: str) -> str:
        """Return the first value of a field; empty where it is missing."""
        return next(iter(self.fields.get(name, ())), "")

    def kept(self, names: Sequence[str], others: Mapping[str, str]) -> dict[str, str]:
        """Return the fields of ``names``, those that are missing from ``others``; what is too long or not printable is left out."""
        found = {name: self.first(name) or others.get(name, "") for name in names}
        return {name: value for name, value in found.items() if value.isprintable() and 0 < len(value.encode()) <= MAX_KEPT}

    @property
    def callback_confirmed(self) -> bool:
        """Return True if leg 1's response confirms the callback URL, as OAuth 1.0a asks."""
        return self.first("oauth_callback_confirmed").lower() == "true"


def read_request_token(body: bytes) -> TokenResponse:
    """Read leg 1's response; raises ``NoToken``."""
    found = _read(body, MAX_REQUEST_TOKEN)
    if not found.secret:
        raise NoToken("oauth_token_secret is empty")
    return found


def read_access_token(body: bytes) -> TokenResponse:
    """Read leg 3's response; raises ``NoToken``. An empty secret is one: some providers issue it."""
    return _read(body, MAX_ACCESS_TOKEN)


def _read(body: bytes, longest: int) -> TokenResponse:
    """Read a form, or a JSON object, whatever its Content-Type says (X says text/html).

    Empty pairs, a byte order mark, blanks and quotes around it, separators as HTML has them, fields without a value or said twice, and
    bytes that are no UTF-8 lose no token, unless they are the token's or the secret's.
    """
    text = body.decode(errors="surrogateescape").strip(_AROUND).replace("&amp;", "&")
    try:
        pairs = (
            _json_pairs(text)
            if text.startswith("{")
            else parse_qsl(text, True, errors="surrogateescape", max_num_fields=MAX_FIELDS)
        )
    except ValueError:
        raise NoToken("it has too many fields, or is no JSON") from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name.strip(), []).append(value)
    tokens, secrets = ([one.strip() for one in fields.pop(name, [])] for name in ("oauth_token", "oauth_token_secret"))
    if len(tokens) != 1 or len(secrets) != 1:
        raise NoToken(f"it has oauth_token {len(tokens)} times, and oauth_token_secret {len(secrets)} times")
    (token,), (secret,) = tokens, secrets
    if not token or not (can_be_kept(token, longest) and can_be_kept(secret, longest)):
        raise NoToken(f"its token or secret is empty, longer than {longest} bytes, or not printable")
    return TokenResponse(token, secret, fields)


def _json_pairs(text: str) -> list[tuple[str, str]]:
    """Return the strings and whole numbers of a JSON object, also where a name comes twice."""
    try:
        content: list[tuple[str, Any]] = json.loads(text, object_pairs_hook=list)
    except RecursionError:
        raise ValueError from None
    return [(name, str(value)) for name, value in content if isinstance(value, str | int) and not isinstance(value, bool)]


def can_be_kept(value: str, longest: int) -> bool:
    """Return True for printable text; a byte that was no UTF-8 is a surrogate here, and not printable."""
    return (not value or value.isprintable()) and len(value.encode(errors="surrogateescape")) <= longest
