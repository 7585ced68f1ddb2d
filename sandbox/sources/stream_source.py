"""A table's stream as a function's event source: a thread that reads new records after each write and delivers them."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.runtime.functions import Functions
from sandbox.runtime.logs import Logs
from sandbox.sources.batches import BatchDelivery, EventSourceMapping
from sandbox.sources.event_filter import passes
from sandbox.sources.stream import Record, Stream
from sandbox.template.template import Function

POLL = 0.5  # seconds between reads of a stream whose writes are not notified

Client = Callable[..., Any]  # a boto3 client for a service's name and, if another than Lambda itself, the caller's


class StreamSource:
    """One stream and one function: ``start``; ``notify`` of a write; ``release`` and ``join`` end it.

    ``notified`` is True where ``notify`` is called after each write, so that the stream need not be polled.
    """

    def __init__(
        self, function: Function, properties: dict[str, Any], functions: Functions, client: Client, logs: Logs, *, notified: bool
    ) -> None:
        self.name = function.name
        self._mapping = EventSourceMapping.of(properties)
        self._client = client
        self._logs = logs
        self._patience = None if notified else POLL
        self._ending = threading.Event()
        self._delivery = BatchDelivery(
            self._mapping, function.arn, lambda event: functions.invoke(function.name, event), self._discard, self._ending
        )
        self._changed = threading.Condition()
        self._writes = self._handled = 0  # writes counted, and how many of them are delivered
        self._hurried = 0  # callers that wait for the stream to be drained: batches are then sent at once, full or not
        self._lost = False
        self._thread = threading.Thread(target=self._run, name=f"stream to {function.name}", daemon=True)

    def start(self) -> None:
        """Find the starting position, and deliver from there on, in a thread."""
        client = self._client("dynamodbstreams")
        self._stream = Stream(client, self._mapping.stream_arn, from_start=self._mapping.from_start)
        self._thread.start()

    def release(self) -> None:
        """Tell the thread to end; an invocation in progress must be ended by stopping the functions."""
        with self._changed:
            self._ending.set()
            self._changed.notify_all()

    def join(self) -> None:
        """Wait until the thread has ended."""
        if self._thread.is_alive():
            self._thread.join()

    def notify(self) -> None:
        """Count a write; the thread then reads the stream."""
        with self._changed:
            self._writes += 1
            self._changed.notify_all()

    def settle(self, seconds: float) -> None:
        """Return when every record is delivered or discarded; raise TimeoutError after ``seconds``."""
        with self._changed:
            self._writes += self._patience is not None  # one more read, for writes without notification
            self._hurried += 1
            self._changed.notify_all()
            settled = self._changed.wait_for(lambda: self._handled == self._writes or self._ending.is_set(), seconds)
            self._hurried -= 1
        if not settled:
            raise TimeoutError(f"the stream to {self.name} is not drained after {seconds:.1f} s")

    @property
    def settled(self) -> bool:
        """True if the records of every counted write are delivered."""
        with self._changed:
            return self._handled == self._writes

    def lose(self, lost: bool) -> None:
        """Drop the stream's records from now on, or stop dropping them."""
        self._lost = lost

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ending.is_set() or self._handled != self._writes, self._patience)
            if self._ending.is_set():
                return
            try:
                found, writes = self._unread()
                for shard, records in found.items():
                    self._delivery.deliver(shard, records)
            except (BotoCoreError, ClientError) as error:  # an AWS endpoint outside the sandbox may go away and come back
                self._logs.report(f"the stream to {self.name}: {error}\n")
                self._ending.wait(POLL)
                continue
            with self._changed:
                self._handled = writes
                self._changed.notify_all()

    def _unread(self) -> tuple[dict[str, list[Record]], int]:
        """Return each shard's new records that pass the filter, after the batching window, and the writes they reflect."""
        found: dict[str, list[Record]] = {}
        deadline = time.monotonic() + self._mapping.window
        while True:
            with self._changed:
                writes = self._writes
            for shard, records in self._stream.unread():
                wanted = [record for record in records if passes(record, self._mapping.filters)]
                if wanted and not self._lost:
                    found.setdefault(shard, []).extend(wanted)
            full = not found or max(map(len, found.values())) >= self._mapping.batch_size
            with self._changed:
                left = deadline - time.monotonic()
                if full or left <= 0 or self._hurried or self._ending.is_set():
                    return found, writes
                self._changed.wait_for(lambda seen=writes: self._hurried or self._ending.is_set() or self._writes != seen, left)  # type: ignore[misc]  # mypy: a default

    def _discard(self, record: dict[str, Any]) -> None:
        """Send AWS's record of a discarded batch to the mapping's queue, and report it in the echo."""
        reason, batch = record["requestContext"]["condition"], record["DDBStreamBatchInfo"]
        self._logs.report(f"the stream to {self.name}: {batch['batchSize']} records discarded: {reason}\n")
        if self._mapping.queue:
            url = self._client("sqs").get_queue_url(QueueName=self._mapping.queue)["QueueUrl"]
            self._client("sqs", self.name).send_message(  # in the function's role
                QueueUrl=url, MessageBody=json.dumps(record)
            )
