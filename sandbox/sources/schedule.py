"""Schedules: a function run at a fixed rate, or once by hand, on the event that EventBridge sends.

Sources: EventBridge's user guide, "Rate expressions" and "Events from AWS services"; EventBridge Scheduler's on its event.
"""

import json
import re
import threading
import uuid
from datetime import UTC, datetime
from typing import Any

from sandbox.runtime.functions import Functions, InvocationResult
from sandbox.template.intrinsics import REGION, TemplateError
from sandbox.template.template import Function

KINDS = ("Schedule", "ScheduleV2")  # SAM's events: an EventBridge rule, and EventBridge Scheduler

_UNITS = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}  # seconds
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")


class Schedule:
    """One schedule of one function: ``run`` it once, or ``start`` it; ``release`` and ``join`` end it."""

    def __init__(self, function: Function, kind: str, properties: dict[str, Any], functions: Functions, account: str) -> None:
        self.function = function
        self._scheduler = kind == "ScheduleV2"
        self._properties = properties
        self._functions = functions
        self._account = account
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._repeat, name=f"schedule of {function.name}", daemon=True)

    @property
    def seconds(self) -> float:
        """Return the time between two runs; raise TemplateError for anything but a rate."""
        expression = str(self._properties["ScheduleExpression" if self._scheduler else "Schedule"])
        rate = _RATE.fullmatch(expression)
        if not rate:
            raise TemplateError(f"the schedule of {self.function.name} is not known here: {expression}")
        return int(rate[1]) * _UNITS[rate[2]]

    def run(self) -> InvocationResult:
        """Run the function once, now, and return the result."""
        return self._functions.invoke(self.function.name, self._event())

    def start(self) -> None:
        """Run the function at each interval, the first time after one."""
        self._interval = self.seconds
        self._thread.start()

    def release(self) -> None:
        """Stop running it; a run in progress must be ended by stopping the functions."""
        self._ending.set()

    def join(self) -> None:
        """Wait until a run in progress has ended."""
        if self._thread.is_alive():
            self._thread.join()

    def _repeat(self) -> None:
        while not self._ending.wait(self._interval):
            self.run()

    def _event(self) -> Any:
        if "Input" in self._properties:
            return json.loads(self._properties["Input"])
        name = self._properties.get("Name", self.function.name)
        service, place = ("scheduler", "schedule/default") if self._scheduler else ("events", "rule")
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": f"aws.{service}",
            "account": self._account,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": REGION,
            "resources": [f"arn:aws:{service}:{REGION}:{self._account}:{place}/{name}"],
            "detail": "{}" if self._scheduler else {},
        }
