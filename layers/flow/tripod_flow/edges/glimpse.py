"""What the log may have of a provider's error response: its beginning, and of that plain words alone."""

import re
from collections.abc import Iterable

LONGEST = 160  # characters

# Compiled at the first error, and not at each cold start.
_PART = r"[^\s<>\"'{}\[\](),:;=&|]+"
_VALUE = r"=[^\s&<>]+"  # of a form, a query or a tag
_PLAIN = r"(?:[A-Z]?[a-z]{1,14}|[A-Z]{1,8}|[0-9]{1,3})[.!?]?"  # no token, secret, verifier or PIN is as short and plain
_GONE = "…"


def glimpse(body: bytes, secrets: Iterable[str | None]) -> str:
    """Return the beginning of an error body without ``secrets``, and without anything that could be another one."""
    text = body[: LONGEST * 8].decode("utf-8", "replace")
    for secret in filter(None, secrets):
        text = text.replace(secret, _GONE)
    text = re.sub(_VALUE, f"={_GONE}", text)
    text = re.sub(_PART, lambda part: part[0] if re.fullmatch(_PLAIN, part[0]) else _GONE, text)
    text = re.sub(rf"{_GONE}(?:\W*{_GONE})+", _GONE, " ".join(text.split()))
    return text[:LONGEST]
