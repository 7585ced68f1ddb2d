"""Delivery of a stream's records to a function as Lambda's event source mapping does it: in order, in batches, retried on failure.

Source: Lambda's developer guide, "Using AWS Lambda with Amazon DynamoDB", its pages on batches, on reported failures and on
discarded records. They leave open: here a batch that was cut, at the lowest reported failure or in half, keeps its count of
tries.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.events.models import EventPattern

from sandbox.runtime.functions import InvocationResult
from sandbox.sources.event_filter import patterns
from sandbox.sources.stream import Record

FIRST_PAUSE = 0.02  # seconds before the first retry; each further one waits twice as long
LONGEST_PAUSE = 1.0  # seconds


@dataclass(frozen=True)
class EventSourceMapping:
    """An event source's settings, with Lambda's defaults."""

    stream_arn: str
    from_start: bool = False  # StartingPosition TRIM_HORIZON
    batch_size: int = 100
    window: float = 0.0  # seconds to wait for a full batch
    bisect: bool = False
    retries: float = math.inf
    max_age: float = math.inf  # seconds
    reports_failures: bool = False
    filters: list[EventPattern] = field(default_factory=list)
    queue: str | None = None  # the name of the SQS queue that learns of what was discarded

    @classmethod
    def of(cls, properties: dict[str, Any]) -> "EventSourceMapping":
        """Return the settings in a SAM event of type DynamoDB."""
        destination = properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        return cls(
            stream_arn=properties["Stream"],
            from_start=properties.get("StartingPosition") == "TRIM_HORIZON",
            batch_size=int(properties.get("BatchSize", cls.batch_size)),
            window=float(properties.get("MaximumBatchingWindowInSeconds", cls.window)),
            bisect=properties.get("BisectBatchOnFunctionError") is True,
            retries=_limit(properties.get("MaximumRetryAttempts", -1)),
            max_age=_limit(properties.get("MaximumRecordAgeInSeconds", -1)),
            reports_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
            filters=patterns(properties.get("FilterCriteria", {})),
            queue=str(destination).rpartition(":")[2] if destination else None,
        )


def _limit(value: Any) -> float:
    return math.inf if int(value) < 0 else float(value)


@dataclass(frozen=True)
class Batch:
    """Records of one shard that a function gets together; ``failures`` counts the failed tries so far."""

    shard: str
    records: list[Record]
    failures: int = 0


class BatchDelivery:
    """Delivers batches to one function, until ``ending`` is set.

    ``invoke`` runs the function on an event; ``discard`` gets, for each batch given up, the record that AWS sends to the
    mapping's destination.
    """

    def __init__(
        self,
        mapping: EventSourceMapping,
        function_arn: str,
        invoke: Callable[[dict[str, Any]], InvocationResult],
        discard: Callable[[dict[str, Any]], None],
        ending: threading.Event,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._mapping = mapping
        self._arn = function_arn
        self._invoke = invoke
        self._discard = discard
        self._ending = ending
        self._clock = clock

    def deliver(self, shard: str, records: list[Record]) -> None:
        """Deliver records of one shard batch by batch; return when each is processed or discarded, or when ``ending`` is set."""
        size = self._mapping.batch_size
        waiting = [Batch(shard, records[start : start + size]) for start in range(0, len(records), size)]
        while waiting and not self._ending.is_set():
            waiting[:1] = self._try_once(waiting[0])

    def _try_once(self, batch: Batch) -> list[Batch]:
        """Try a batch once and return the batches still to be tried of it, in order."""
        if old := [record for record in batch.records if self._age(record) > self._mapping.max_age]:
            self._give_up(Batch(batch.shard, old, batch.failures), "RecordAgeExceeded", None)
            fresh = [record for record in batch.records if record not in old]
            return [Batch(batch.shard, fresh, batch.failures)] if fresh else []
        result = self._invoke({"Records": batch.records})
        left = self._left(batch.records, result)
        if not left or self._ending.is_set():
            return []
        middle = len(left) // 2
        if self._mapping.bisect and len(left) < len(batch.records):
            return [Batch(batch.shard, left, batch.failures)]
        if self._mapping.bisect and middle:
            return [Batch(batch.shard, half, batch.failures) for half in (left[:middle], left[middle:])]
        if batch.failures >= self._mapping.retries:
            self._give_up(Batch(batch.shard, left, batch.failures + 1), "RetryAttemptsExhausted", result)
            return []
        self._ending.wait(min(FIRST_PAUSE * 2 ** min(batch.failures, 10), LONGEST_PAUSE))
        return [Batch(batch.shard, left, batch.failures + 1)]

    def _left(self, records: list[Record], result: InvocationResult) -> list[Record]:
        """Return the records that failed, and all after the first of them."""
        if result.error:
            return records
        if not self._mapping.reports_failures or not result.payload:
            return []
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        try:
            failed = [numbers.index(failure["itemIdentifier"]) for failure in result.payload.get("batchItemFailures") or []]
        except (AttributeError, KeyError, TypeError, ValueError):  # a malformed answer fails the whole batch
            return records
        return records[min(failed) :] if failed else []

    def _age(self, record: Record) -> float:
        return self._clock() - float(record["dynamodb"]["ApproximateCreationDateTime"])

    def _give_up(self, batch: Batch, condition: str, result: InvocationResult | None) -> None:
        first, last = batch.records[0]["dynamodb"], batch.records[-1]["dynamodb"]
        context = {
            "requestId": result.request_id if result else "",
            "functionArn": self._arn,
            "condition": condition,
            "approximateInvokeCount": batch.failures,
        }
        response = {"statusCode": 200, "executedVersion": "$LATEST", "functionError": result.error} if result else None
        self._discard(
            {
                "requestContext": context,
                **({"responseContext": response} if response else {}),
                "version": "1.0",
                "timestamp": _moment(self._clock()),
                "DDBStreamBatchInfo": {
                    "shardId": batch.shard,
                    "startSequenceNumber": first["SequenceNumber"],
                    "endSequenceNumber": last["SequenceNumber"],
                    "approximateArrivalOfFirstRecord": _moment(first["ApproximateCreationDateTime"]),
                    "approximateArrivalOfLastRecord": _moment(last["ApproximateCreationDateTime"]),
                    "batchSize": len(batch.records),
                    "streamArn": self._mapping.stream_arn,
                },
            }
        )


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
