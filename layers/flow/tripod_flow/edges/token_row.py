"""A row of tokens from elsewhere, by Tripod's names: read as strictly as a token answer is, for there is nobody to ask again.

What is wrong with a row is said without its content. Nothing here knows files, or other programs' names of columns.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tripod.credentials import BLANKS
from tripod_flow.edges.identity_response import MAX_SCREEN_NAME, is_user_id
from tripod_flow.edges.token_response import MAX_ACCESS_TOKEN, MAX_KEPT, can_be_kept
from tripod_flow.rules.authorization import MAX_LABEL, MAX_SUBJECT, MOST_LABELS
from tripod_flow.rules.provider import MOST_KEPT, may_be_kept

FIELDS = (
    "user_id",
    "screen_name",
    "oauth_token",
    "oauth_token_secret",
    "consumer_key",
    "subject",
    "labels",
    "granted_at",
    "expires_at",
    "extra",
)
AHEAD = 60.0  # seconds that another machine's clock may be ahead
_MISSING = ("", "\\N", "NULL", "null", "None")
_MILLISECONDS = 1e11  # from here on a number is no moment in seconds


class UnfitRow(Exception):  # it names what it is
    """A row can't be taken; the text says why, and quotes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """A user's tokens as somebody else has kept them; times in epoch seconds. ``user_id`` None: the provider must say whose they are."""

    user_id: str | None
    oauth_token: str = field(repr=False)
    oauth_token_secret: str = field(repr=False)
    screen_name: str | None = None
    consumer_key: str | None = None
    subject: str | None = None
    labels: tuple[str, ...] | None = None
    granted_at: float | None = None
    expires_at: int | None = None
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)


def read(values: Mapping[str, Any], *, names_user: bool, now: float) -> TokenRow:
    """Read a row, which has some of ``FIELDS``, each as text or as JSON has it; raises ``UnfitRow``.

    ``names_user``: this provider's tokens begin with their user's id and a hyphen, as X's do. So the id may be missing, and another is
    refused: nobody gets tokens under another's name.
    """
    known = {name: _bare(value) for name, value in values.items()}
    token = _secret(known, "oauth_token")
    if not token:
        raise UnfitRow("it has no oauth_token")
    secret = _secret(known, "oauth_token_secret")
    if not secret and (names_user or not _is_blank(values.get("oauth_token_secret"))):  # an empty one is one, where it is said
        raise UnfitRow("it has no oauth_token_secret")
    granted_at, expires_at = _moment(known, "granted_at"), _moment(known, "expires_at")
    if granted_at is not None and granted_at > now + AHEAD:
        raise UnfitRow("its granted_at is in the future")
    if expires_at is not None and expires_at <= now:
        raise UnfitRow("its token has expired")
    return TokenRow(
        user_id=_user_id(known, token, names_user=names_user),
        oauth_token=token,
        oauth_token_secret=secret,
        screen_name=_screen_name(known),
        consumer_key=_text(known, "consumer_key", MAX_KEPT),
        subject=_text(known, "subject", MAX_SUBJECT),
        labels=_labels(known.get("labels")),
        granted_at=None if granted_at is None else round(granted_at, 3),
        expires_at=None if expires_at is None else int(expires_at),
        extra=_extra(known.get("extra")),
    )


def moment(value: object) -> float | None:
    """Return a time as epoch seconds: ISO 8601 (UTC unless it says otherwise), seconds or milliseconds; None for what is none."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,16}(\.[0-9]{1,9})?", value):
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not 0 < value < 1000 * _MILLISECONDS:  # before it is divided: JSON has integers that no float can hold
            return None
        return _in_reach(value / 1000 if value >= _MILLISECONDS else float(value))
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return None if read is None else _in_reach((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())


def is_missing(value: object) -> bool:
    """Return True for what databases and programs write where there is nothing."""
    return value is None or (isinstance(value, str) and value in _MISSING)


def _in_reach(seconds: float) -> float | None:
    return seconds if 0 < seconds < _MILLISECONDS else None


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip(BLANKS)


def _bare(value: object) -> object:
    """Return a value without the blanks around it; None for what says that there is nothing."""
    if isinstance(value, str):
        value = value.strip(BLANKS)
    return None if is_missing(value) else value


def _secret(known: Mapping[str, Any], name: str) -> str:
    value = known.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or not can_be_kept(value, MAX_ACCESS_TOKEN):
        raise UnfitRow(f"its {name} is no printable text of {MAX_ACCESS_TOKEN} bytes at most")
    return value


def _user_id(known: Mapping[str, Any], token: str, *, names_user: bool) -> str | None:
    given = known.get("user_id")
    if isinstance(given, bool | float):
        raise UnfitRow("its user_id is no whole number, and no text: a spreadsheet may have rounded it")
    if given is not None and not isinstance(given, str | int):
        raise UnfitRow("its user_id is no text")
    user_id = None if given is None else str(given)
    if user_id is not None and not is_user_id(user_id):
        raise UnfitRow("its user_id is too long, or not printable")
    if not names_user:
        return user_id
    owner, hyphen, _ = token.partition("-")
    if not hyphen or not re.fullmatch(r"[0-9]{1,20}", owner):
        raise UnfitRow("its oauth_token is none of X's for a user: those begin with the user's id and a hyphen")
    if user_id not in (None, owner):
        raise UnfitRow("its oauth_token is another user's than its user_id")
    return owner


def _screen_name(known: Mapping[str, Any]) -> str | None:
    """Return a name that can be shown; for any other nobody loses their tokens."""
    name = known.get("screen_name")
    return name if isinstance(name, str) and name.isprintable() and len(name) <= MAX_SCREEN_NAME else None


def _text(known: Mapping[str, Any], name: str, longest: int) -> str | None:
    value = known.get(name)
    if value is None:
        return None
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text.isprintable() or not 0 < len(text) <= longest:
        raise UnfitRow(f"its {name} is no printable text of {longest} characters at most")
    return text


def _labels(value: object) -> tuple[str, ...] | None:
    """Return labels: a list, also as JSON's text, or text with commas."""
    if value is None:
        return None
    if isinstance(value, str):
        value = _json(value, "labels") if value.startswith("[") else [one.strip(BLANKS) for one in value.split(",")]
    if not isinstance(value, list) or not all(isinstance(one, str) and one.isprintable() for one in value):
        raise UnfitRow("its labels are no list of printable text")
    if len(value) > MOST_LABELS or len(set(value)) != len(value) or not all(0 < len(one) <= MAX_LABEL for one in value):
        raise UnfitRow(f"its labels are more than {MOST_LABELS}, or longer than {MAX_LABEL} characters, or one is there twice")
    return tuple(value)


def _moment(known: Mapping[str, Any], name: str) -> float | None:
    value = known.get(name)
    if value is None:
        return None
    read = moment(value)
    if read is None:
        raise UnfitRow(f"its {name} is no time: ISO 8601, or seconds since 1970")
    return read


def _extra(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if isinstance(value, str):
        value = _json(value, "extra")
    if not isinstance(value, dict) or len(value) > MOST_KEPT or not all(map(_is_kept, value.values())):
        raise UnfitRow(f"its extra is no object of {MOST_KEPT} printable texts at most")
    if not all(map(may_be_kept, value)):
        raise UnfitRow(
            "its extra has names that no definition can keep: letters, digits, dots, hyphens and underscores, 64 at most"
        )
    return value


def _is_kept(value: object) -> bool:
    return isinstance(value, str) and can_be_kept(value, MAX_KEPT)


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise UnfitRow(f"its {name} is no JSON") from None
