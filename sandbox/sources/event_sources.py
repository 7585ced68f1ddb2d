"""The template's streams and schedules, started and ended together."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.runtime.functions import Functions, InvocationResult, UnknownFunctionError
from sandbox.runtime.logs import Logs
from sandbox.sources.schedule import KINDS, Schedule
from sandbox.sources.stream_source import Client, StreamSource
from sandbox.template.template import Function


class EventSources:
    """Every stream and schedule of the template. ``notified`` is True where ``notify`` is called after each write to a table."""

    def __init__(self, functions: Functions, client: Client, account: str, logs: Logs, *, notified: bool) -> None:
        self._functions = functions
        self._client = client
        self._account = account
        self._logs = logs
        self._notified = notified
        self._streams: list[StreamSource] = []  # those that are running
        self._schedules: list[Schedule] = []  # all: each can be run by hand

    def start(self, described: list[Function], *, streams: bool, schedules: bool) -> None:
        """Register the functions' event sources; start the streams, the schedules, or both."""
        for function in described:
            for kind, properties in function.events:
                if properties.get("Enabled") is False:
                    continue
                if kind == "DynamoDB" and streams:
                    stream = StreamSource(
                        function, properties, self._functions, self._client, self._logs, notified=self._notified
                    )
                    self._streams.append(stream)
                    stream.start()
                elif kind in KINDS:
                    schedule = Schedule(function, kind, properties, self._functions, self._account)
                    self._schedules.append(schedule)
                    if schedules and properties.get("State") != "DISABLED":
                        schedule.start()

    @property
    def _sources(self) -> list[StreamSource | Schedule]:
        return [*self._streams, *self._schedules]

    def notify(self) -> None:
        """Let the streams read what was written to a table."""
        for stream in self._streams:
            stream.notify()

    def release(self) -> None:
        """Tell every thread to end; stop the functions before ``join``."""
        for source in self._sources:
            source.release()

    def join(self) -> None:
        """Wait until every thread has ended."""
        for source in self._sources:
            source.join()

    def settle(self, seconds: float) -> None:
        """Return when every stream is drained, including what the functions wrote meanwhile; raise TimeoutError."""
        deadline = time.monotonic() + seconds
        while True:
            for stream in self._streams:
                stream.settle(max(0.0, deadline - time.monotonic()))
            if all(stream.settled for stream in self._streams):
                return

    @contextmanager
    def lost(self, seconds: float) -> Iterator[None]:
        """Drop the streams' records of the writes in this context; earlier ones are delivered first."""
        self.settle(seconds)
        for stream in self._streams:
            stream.lose(True)
        try:
            yield
            self.settle(seconds)
        finally:
            for stream in self._streams:
                stream.lose(False)

    def run_schedule(self, function: str | None) -> InvocationResult:
        """Run a function's schedule once, or the template's only one, and return the result; raise UnknownFunctionError."""
        known = [each for each in self._schedules if function in {None, each.function.name, each.function.logical_id}]
        if len(known) != 1:
            raise UnknownFunctionError(f"{len(known)} schedules of {function or 'a function'}")
        return known[0].run()
