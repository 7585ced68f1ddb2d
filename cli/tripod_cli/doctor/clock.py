"""Clocks, by the header ``Date`` of an HTTP answer: a provider refuses a request whose timestamp is far off (RFC 5849, section 3.2)."""

import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from tripod_cli.doctor import http
from tripod_cli.doctor.finding import Finding, warning, wrong
from tripod_flow.rules.provider import ProviderDefinition

NOTICED = 5.0  # seconds; a Date has whole seconds, and the answer takes its time
TOLERATED = 120.0  # seconds; X says nowhere how far a timestamp may be off, AWS refuses from 300 on


def look(provider: str, definition: ProviderDefinition, now: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Yield how the provider's clock compares with this machine's, by an answer to a plain request to its host."""
    parts = urlsplit(definition.request_token_url)
    at = f"clock of {provider}"
    answer = http.ask("HEAD", f"{parts.scheme}://{parts.netloc}/")
    if isinstance(answer, str):  # leg 1 says so
        return
    off = ahead(answer.headers, now())
    if off is None:
        yield Finding(at, f"{parts.netloc} does not say the time")
    elif abs(off) < NOTICED:
        yield Finding(at, "as this machine's")
    else:
        to_do = "If this machine's clock is right, the provider's is not: it refuses what the functions sign, until it is mended there"
        yield judged(at, f"{words(off)} this machine's", to_do, off)


def ahead(headers: Mapping[str, str], now: float) -> float | None:
    """Return by how many seconds the clock of an answer is ahead of ``now``; None where it has no Date."""
    said = headers.get("date") or headers.get("Date")
    try:
        return parsedate_to_datetime(said).timestamp() - now if said else None
    except ValueError:
        return None


def words(off: float) -> str:
    """Return ``off``, in seconds, as words that a clock's name can follow."""
    seconds = round(abs(off))
    amount = f"{seconds} s" if seconds < 120 else f"{round(seconds / 60)} minutes"
    return f"{amount} {'ahead of' if off > 0 else 'behind'}"


def judged(looked_at: str, found: str, to_do: str, off: float) -> Finding:
    """Return the finding of a clock that is off by so many seconds."""
    return (wrong if abs(off) >= TOLERATED else warning)(looked_at, found, to_do)
