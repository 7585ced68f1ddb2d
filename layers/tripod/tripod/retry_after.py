"""When a provider asks to be asked again: ``Retry-After`` (RFC 9110, section 10.2.3), or X's ``x-rate-limit-reset``."""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime


def seconds(headers: Mapping[str, str], now: float) -> int | None:
    """Return after how many seconds, rounded up, at least 1; None where a provider doesn't say.

    ``Retry-After`` in seconds or as a date, ``x-rate-limit-reset`` in epoch seconds or milliseconds, or in seconds from now. Looked up in
    lower case, as urllib3 and requests do it for any.
    """
    after, reset = headers.get("retry-after", ""), headers.get("x-rate-limit-reset", "")
    found = _number(after)
    if found is None and (date := _date(after)) is not None:
        found = date - now
    if found is None and (at := _number(reset)) is not None:
        found = at / 1000 - now if at > 1e11 else at - now if at > 1e8 else at
    return None if found is None else max(math.ceil(found), 1)


def _number(value: str) -> float | None:
    """Return the number that a header begins with."""
    found = re.match(r"\s*([0-9]{1,15}(?:\.[0-9]{1,9})?)(?![0-9.:/-])", value, re.ASCII)
    return float(found[1]) if found else None


def _date(value: str) -> float | None:
    """Return a date in epoch seconds: as HTTP has it, or ISO 8601 with a time zone."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            date = read(value.strip())
        except (ValueError, TypeError, OverflowError):
            continue
        if date.tzinfo is not None:
            return date.timestamp()
    return None
