"""botocore's repeats of an AWS call, as many as the functions make, and with no pause between."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tripod_flow.edges.aws import CONFLICTS

ATTEMPTS = 3


@contextmanager
def at_once(*clients: Any) -> Iterator[None]:
    """Let these clients of boto3's repeat a call without a pause, for as long as the ``with`` block lasts."""
    for each in clients:
        repeat_at_once(each)
    try:
        yield
    finally:
        for each in clients:
            each.meta.events.unregister(_event(each), _again_at_once)


def repeat_at_once(client: Any) -> None:
    """Let a client of boto3's repeat a call without a pause."""
    client.meta.events.register_first(_event(client), _again_at_once)


def _event(client: Any) -> str:
    """Return the event's whole name: botocore's own pause has that, and comes before what has a part of it."""
    return f"needs-retry.{client.meta.service_model.service_id.hyphenize()}"


def _again_at_once(response: Any, attempts: int, caught_exception: Exception | None, **_: Any) -> int | None:
    """Tell botocore to repeat what boto3 repeats, after 0 seconds."""
    passing = caught_exception is not None or response[0].status_code >= 500
    refused = response[1] if response is not None else {}
    codes = {refused.get("Error", {}).get("Code"), *(reason.get("Code") for reason in refused.get("CancellationReasons", ()))}
    return 0 if (passing or codes & {"ThrottlingException", *CONFLICTS}) and attempts < ATTEMPTS else None
