"""What runs the functions without being asked: the template's streams and schedules, started and ended together."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.functions import Functions, Outcome, UnknownFunctionError
from sandbox.logs import Logs
from sandbox.schedule import KINDS, Schedule
from sandbox.stream_source import Client, StreamSource
from sandbox.template import Function


class EventSources:
    """Every stream and schedule of the template. ``noted`` tells that ``note`` is called after each write to a table."""

    def __init__(self, functions: Functions, client: Client, account: str, logs: Logs, *, noted: bool) -> None:
        self._functions = functions
        self._client = client
        self._account = account
        self._logs = logs
        self._noted = noted
        self._streams: list[StreamSource] = []  # those that run
        self._schedules: list[Schedule] = []  # all, by hand at least

    def start(self, described: list[Function], *, streams: bool, schedules: bool) -> None:
        """Know what the template describes, and start the streams, the schedules, or both."""
        for function in described:
            for kind, properties in function.events:
                if properties.get("Enabled") is False:
                    continue
                if kind == "DynamoDB" and streams:
                    stream = StreamSource(function, properties, self._functions, self._client, self._logs, noted=self._noted)
                    self._streams.append(stream)
                    stream.start()
                elif kind in KINDS:
                    schedule = Schedule(function, kind, properties, self._functions, self._account)
                    self._schedules.append(schedule)
                    if schedules:
                        schedule.start()

    @property
    def _sources(self) -> list[StreamSource | Schedule]:
        return [*self._streams, *self._schedules]

    def note(self) -> None:
        """Take note that something was written to a table."""
        for stream in self._streams:
            stream.note()

    def release(self) -> None:
        """Tell every thread to end. What the functions are still doing for them must be ended before ``join``."""
        for source in self._sources:
            source.release()

    def join(self) -> None:
        """Wait until every thread has ended."""
        for source in self._sources:
            source.join()

    def settle(self, seconds: float) -> None:
        """Return when every stream is drained, with what the functions wrote meanwhile; raise TimeoutError."""
        deadline = time.monotonic() + seconds
        while True:
            for stream in self._streams:
                stream.settle(max(0.0, deadline - time.monotonic()))
            if all(stream.settled for stream in self._streams):
                return

    @contextmanager
    def lost(self, seconds: float) -> Iterator[None]:
        """Lose what the streams would bring of the writes within; those before are handed over first."""
        self.settle(seconds)
        for stream in self._streams:
            stream.lose(True)
        try:
            yield
            self.settle(seconds)
        finally:
            for stream in self._streams:
                stream.lose(False)

    def run_schedule(self, function: str | None) -> Outcome:
        """Run a function's schedule once, or the template's only one, and return how it ended; raise UnknownFunctionError."""
        known = [each for each in self._schedules if function in {None, each.function.name, each.function.logical_id}]
        if len(known) != 1:
            raise UnknownFunctionError(f"{len(known)} schedules of {function or 'a function'}")
        return known[0].run()
