"""Browser binding: only the browser that started an authorization can finish it (RFC 5849, section 4.11).

Each authorization has a cookie of its own, so that tabs do not disturb each other. The table keeps only a digest of its value.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping

COOKIE_PREFIX = "__Host-tripod-"  # __Host-: the browser refuses it without Secure, or from another host
LIFETIME = 3600  # seconds; as long as the item lives, so that a late reload still gets its answer
MOST = 8  # cookies at once: beyond, the oldest are expired, before a browser or API Gateway objects to their size

_NAME = re.compile(f"{COOKIE_PREFIX}[0-9a-f]{{16}}")  # as ``cookie_name`` makes them
_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Lax"  # Lax: the provider's redirect back must bring it


def new_cookie_value(request_token: str, now: float, token: Callable[[int], str] = secrets.token_urlsafe) -> str:
    """Return the value of one authorization's cookie, in three parts with dots between.

    The second it was made, 43 random URL-safe characters (256 bits), and the request token in base64url: a provider may send the
    browser back without it.
    """
    return f"{int(now)}.{token(32)}.{base64.urlsafe_b64encode(request_token.encode()).rstrip(b'=').decode()}"


def request_tokens(provider: str, cookies: Mapping[str, str]) -> list[str]:
    """Return the request tokens that a browser's cookies name for ``provider``, ``MOST`` at most."""
    found = (_request_token(value) for name, value in cookies.items() if _NAME.fullmatch(name))
    names = {cookie_name(provider, token): token for token in found if token}
    return [token for name, token in names.items() if name in cookies][:MOST]


def has_cookie(cookies: Mapping[str, str]) -> bool:
    """Return True if a browser has brought any cookie of ours."""
    return any(_NAME.fullmatch(name) for name in cookies)


def digest(cookie: str) -> str:
    """Return the SHA-256 of a cookie's value, in hex: what the table keeps of it."""
    return hashlib.sha256(cookie.encode()).hexdigest()


def matches(cookie: str | None, kept: str) -> bool:
    """Return True if ``cookie`` hashes to ``kept`` (SHA-256, hex). A missing cookie never matches."""
    return cookie is not None and hmac.compare_digest(digest(cookie), kept)


def cookie_name(provider: str, request_token: str) -> str:
    """Return the name of one authorization's cookie."""
    return COOKIE_PREFIX + hashlib.sha256(f"{provider} {request_token}".encode()).hexdigest()[:16]


def set_cookies(name: str, value: str, present: Mapping[str, str]) -> list[str]:
    """Return the Set-Cookie values that add ``name`` and expire all but the newest of those ``present``, a few in each answer."""
    now = _made_at(value)
    ours = [one for one in present if _NAME.fullmatch(one) and one != name]
    ours.sort(key=lambda one: made if (made := _made_at(present[one])) <= now else 0, reverse=True)
    return [
        f"{name}={value}; Max-Age={LIFETIME}; {_ATTRIBUTES}",
        *(f"{old}=; Max-Age=0; {_ATTRIBUTES}" for old in ours[MOST - 1 :][-MOST:]),
    ]


def _request_token(value: str) -> str:
    """Return the request token in a cookie's value; empty where there is none that can be read."""
    encoded = value.rpartition(".")[2]
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        return ""


def _made_at(value: str) -> int:
    """Return the second that a cookie's value says it was made; 0 where it says none, so that junk is the first to go."""
    second = value.partition(".")[0]
    return int(second) if second.isascii() and second.isdigit() and len(second) <= 12 else 0
