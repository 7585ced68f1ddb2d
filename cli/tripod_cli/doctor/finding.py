"""A finding: what was looked at, what was found there, whether that is well, and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a finding is: all but ``OK`` is for the operator to act on."""

    OK = "ok"
    WARNING = "warning"  # it works, and something is amiss or will be
    WRONG = "wrong"  # it doesn't work
    UNKNOWN = "unknown"  # it could not be looked at


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of what ``doctor`` says; ``to_do`` is empty where nothing is."""

    looked_at: str
    found: str
    verdict: Verdict = Verdict.OK
    to_do: str = ""


def warning(looked_at: str, found: str, to_do: str) -> Finding:
    """Return a finding of something that is amiss."""
    return Finding(looked_at, found, Verdict.WARNING, to_do)


def wrong(looked_at: str, found: str, to_do: str) -> Finding:
    """Return a finding of something that doesn't work."""
    return Finding(looked_at, found, Verdict.WRONG, to_do)


def unknown(looked_at: str, found: str, to_do: str) -> Finding:
    """Return a finding of something that could not be looked at."""
    return Finding(looked_at, found, Verdict.UNKNOWN, to_do)
