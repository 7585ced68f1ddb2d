"""Logs and metrics: one line and one metric for the result of each request, never a token, secret, verifier or cookie.

Exceptions are logged by type, place and AWS error code, never by text: a library's message may quote its input.
"""

import json
import traceback
from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import ClientError

from tripod import names
from tripod_flow.rules.authorization import Authorization, log_id


@cache
def log() -> Logger:
    """Return the process's logger: JSON lines in ASCII; its level and service name come from the environment, as Powertools has them."""
    return Logger(json_serializer=_line)


def _line(record: Mapping[str, Any]) -> str:
    """Write a record with every character outside ASCII escaped: Powertools would not, and stdout takes no half of a surrogate pair."""
    return json.dumps(record, separators=(",", ":"), default=str)


@cache
def _metrics() -> Metrics:
    return Metrics()


def count(name: str) -> None:
    """Add one to the metric ``name``: a code of ``errors``, a state, or what else happened.

    (``started``, ``repeated``, ``redeemed``, ``revoked``, ``signed``, ``refused``, ``restored``, ``store_failed``, ``relay_failed``,
    ``abandoned``.)
    """
    _metrics().add_metric(name=name, unit=MetricUnit.Count, value=1)


def outbox(depth: int, age: float) -> None:
    """Report what a sweep finds in the outbox: how many items, and for how many seconds the oldest.

    An alarm rings where no sweep reports.
    """
    _metrics().add_metric(name="outbox_depth", unit=MetricUnit.Count, value=depth)
    _metrics().add_metric(name="outbox_age", unit=MetricUnit.Seconds, value=round(max(age, 0.0), 3))


def flush() -> None:
    """Write this request's metrics out, in CloudWatch's embedded format."""
    if _metrics().metric_set:
        _metrics().flush_metrics()


def outcome(record: Authorization) -> None:
    """Log and count an outcome, when it is decided."""
    extra = {"provider": record.provider, "authorization": record.log_id, "user_id": record.user_id, "cause": record.cause}
    count(record.error or record.state)
    log().info(record.error or record.state, extra={name: value for name, value in extra.items() if value})


def repeated_outcome(record: Authorization) -> None:
    """Log and count that an outcome was asked for again."""
    count("repeated")
    log().info("repeated", extra={"provider": record.provider, "authorization": record.log_id, "outcome": record.state})


def store_failed(grant: Authorization, error: Exception) -> None:
    """Log and count that a committed grant could not be stored yet."""
    count("store_failed")
    failure("granted, not stored yet: its tokens stay in the outbox", error, authorization=grant.log_id)


def abandoned(pk: str, what: str) -> None:
    """Log and count that the relay has given something up; an alarm rings."""
    count("abandoned")
    log().error(f"given up: {what}", extra=named(pk))


def named(pk: str) -> dict[str, str]:
    """Return what a log line names an item by: the user of a connection; of an authorization the id that its other lines have."""
    if pk.startswith(names.CONNECTION):
        _, provider, user_id = pk.split("#", 2)
        return {"provider": provider, "user_id": user_id}
    return {"authorization": log_id(pk)}


def failure(message: str, error: BaseException, **extra: str) -> None:
    """Log an exception without its text."""
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    details = {"error": type(error).__qualname__, "frames": frames[-12:], **extra}
    if isinstance(error, ClientError):
        details |= {"aws_operation": error.operation_name, "aws_error": error.response["Error"].get("Code", "")}
    log().error(message, extra=details)
