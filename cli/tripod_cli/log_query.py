"""A query of CloudWatch Logs Insights over the log groups of some functions: begun, waited for, read."""

import time
from collections.abc import Iterator
from typing import Any

from tripod_cli.failure import OUT_OF_REACH, Failure
from tripod_cli.stack import Stack

MOST = 10_000  # rows that a query returns at most; Insights' own limit
PATIENCE = 120.0  # seconds

_WAITING = ("Scheduled", "Running", "Unknown")


def run(stack: Stack, functions: tuple[str, ...], query: str, *, begin: float, end: float) -> list[dict[str, str]]:
    """Return the rows of ``query``, from ``begin`` to ``end`` in epoch seconds; a field that a line lacks is missing in its row."""
    client = stack.client("logs")
    groups = [_log_group(stack, name) for name in functions]
    try:
        asked = client.start_query(logGroupNames=groups, startTime=int(begin), endTime=int(end), queryString=query, limit=MOST)
    except client.exceptions.ResourceNotFoundException:
        text = f"one of these log groups is not there: {', '.join(groups)}. Deploy the stack again, which makes them"
        raise Failure(text, OUT_OF_REACH) from None
    for pause in _pauses():
        found = client.get_query_results(queryId=asked["queryId"])
        if found["status"] == "Complete":
            return [{each["field"]: each["value"] for each in row} for row in found["results"]]
        if found["status"] not in _WAITING:
            raise Failure(f"Logs Insights ended the query: {found['status']}. Try a shorter time", OUT_OF_REACH)
        time.sleep(pause)
    raise Failure("Logs Insights takes too long: try a shorter time", OUT_OF_REACH)


def _log_group(stack: Stack, function: str) -> str:
    described: dict[str, Any] = stack.function(function)
    return str(described.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{stack.prefix}-{function}")


def _pauses() -> Iterator[float]:
    """Yield how long to wait before each further look, in seconds, until patience is over."""
    begun, pause = time.monotonic(), 0.1
    while time.monotonic() < begun + PATIENCE:
        yield pause
        pause = min(2 * pause, 2.0)
