"""Who failed to sign in: the query of the functions' lines, and one failure of the lines of each request."""

from collections.abc import Iterable, Iterator
from typing import Any

from tripod_flow.rules.errors import FlowError

Row = dict[str, Any]

FUNCTIONS = ("start", "callback", "redeem")

# Every line about an answer that is none, and those of an outcome, which say no reason themselves: docs/errors.md has the fields.
QUERY = """
fields @timestamp, service, message, provider, user_id, code, cause, reason, error, aws_operation, aws_error, authorization, correlation_id
| filter ispresent(reason) or message in ["unexpected", "denied", "expired", "interrupted", "provider_rejected", "verifier_rejected"]
| sort @timestamp desc
| limit 10000
""".strip()


def codes() -> list[str]:
    """Return every code that a sign-in may fail with."""
    return sorted(_codes_below(FlowError))


def failures(lines: Iterable[dict[str, str]]) -> Iterator[Row]:
    """Yield one failure for each request of the lines, which are the newest first."""
    requests: dict[str, list[dict[str, str]]] = {}
    for number, line in enumerate(lines):
        requests.setdefault(line.get("correlation_id") or str(number), []).append(line)
    known = set(codes())
    for told in requests.values():
        code = _first(told, "code") or next((line["message"] for line in told if line.get("message") in known), None)
        if code:
            yield {
                "at": told[0]["@timestamp"].partition(".")[0].replace(" ", "T") + "Z",
                "provider": _first(told, "provider") or None,
                "code": code,
                "reason": _reason(told, code),
                "user_id": _first(told, "user_id"),
                "authorization": _first(told, "authorization"),
                "reference": told[0].get("correlation_id"),
                "function": told[0].get("service"),
            }


def _reason(told: list[dict[str, str]], code: str) -> str | None:
    """Return what was wrong, as the functions say it; of a defect or of AWS the error. A reason that only repeats the code is none."""
    for line in told:
        if line.get("reason", code) != code:
            return line["reason"]
    defect = [value for name in ("error", "aws_operation", "aws_error") if (value := _first(told, name))]
    return " ".join(defect) or _first(told, "cause")


def _first(told: list[dict[str, str]], name: str) -> str | None:
    return next((line[name] for line in told if line.get(name)), None)


def _codes_below(kind: type[FlowError]) -> set[str]:
    below = {code for each in kind.__subclasses__() for code in _codes_below(each)}
    return below | ({kind.code} if hasattr(kind, "code") else set())
