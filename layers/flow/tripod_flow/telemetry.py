"""What the operator sees: a log line and a metric for what came of each request, and never a token, secret, verifier or cookie.

Exceptions are told by type, place and AWS error code, never by text: a library's message may quote what it was given.
"""

import json
import traceback
from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import ClientError

from tripod_flow.authorization import Authorization


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

    (``started``, ``repeated``, ``redeemed``, ``revoked``, ``unstored``, ``relay_failed``.)
    """
    _metrics().add_metric(name=name, unit=MetricUnit.Count, value=1)


def flush() -> None:
    """Write this request's metrics out, in CloudWatch's embedded format."""
    if _metrics().metric_set:
        _metrics().flush_metrics()


def decided(record: Authorization) -> None:
    """Log and count an outcome, when it is decided."""
    told = {"provider": record.provider, "authorization": record.label, "user_id": record.user_id, "cause": record.cause}
    count(record.error or record.state)
    log().info(record.error or record.state, extra={name: value for name, value in told.items() if value})


def repeated(record: Authorization) -> None:
    """Log and count that an outcome was asked for again."""
    count("repeated")
    log().info("repeated", extra={"provider": record.provider, "authorization": record.label, "outcome": record.state})


def unstored(grant: Authorization, error: Exception) -> None:
    """Tell that a committed grant could not be stored yet."""
    count("unstored")
    failure("granted, and not stored yet: it stays owed", error, authorization=grant.label)


def failure(message: str, error: BaseException, **extra: str) -> None:
    """Log an exception without its text."""
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    told = {"error": type(error).__qualname__, "frames": frames[-12:], **extra}
    if isinstance(error, ClientError):
        told |= {"aws_operation": error.operation_name, "aws_error": error.response["Error"].get("Code", "")}
    log().error(message, extra=told)
