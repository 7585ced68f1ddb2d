"""Faults of AWS that a test arms: for an operation, a number of times; and quotas."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

AwsFaultKind = Literal[
    "throttled",
    "denied",
    "internal",
    "unavailable",
    "conflict",
    "hang",
    "lost",
    "reset",
    "entry_failed",
    "garbage",
    "silent",
    "drip",
]
# conflict: another transaction is in progress on the item (DynamoDB's writes);
# hang: not done, no response until the caller gives up; reset: not done, the connection breaks; garbage: not done, the response is no JSON;
# lost: done, the connection breaks before the response; silent: done, then as hang; drip: done, the response comes a byte at a time;
# entry_failed: PutEvents answers 200, but the entries that contain the fault's match were not accepted


class AwsError(NamedTuple):
    """An error response: AWS's code, its text, the HTTP status."""

    code: str
    message: str
    status: int = 400
    reasons: tuple[str, ...] = ()  # of a cancelled transaction, one for each part


INTERNAL = AwsError("InternalServerError", "The request processing has failed because of an internal error", 500)
_ANSWERS: dict[AwsFaultKind, AwsError] = {
    "throttled": AwsError("ThrottlingException", "Rate exceeded"),
    "denied": AwsError("AccessDeniedException", "User is not authorized to perform this action"),
    "internal": INTERNAL,
    "unavailable": AwsError("ServiceUnavailable", "The service is temporarily unavailable", 503),
    "conflict": AwsError("TransactionConflictException", "Transaction is ongoing for the item"),
}
_CANCELLED = AwsError(
    "TransactionCanceledException", "Transaction cancelled, see the reasons", reasons=("TransactionConflict", "None")
)
NEVER_DONE: set[AwsFaultKind] = {"hang", "reset", "garbage"}
UNANSWERED: set[AwsFaultKind] = {"hang", "reset", "lost", "silent"}


@dataclass
class AwsFault:
    """One armed fault. Each strike decrements ``times`` and increments ``strikes``."""

    service: str
    operation: str  # "*" for each
    kind: AwsFaultKind
    times: int
    match: str  # only requests whose body contains it
    after: int = 0  # matching requests that are let through first
    strikes: int = 0

    def refusal(self, operation: str) -> AwsError | None:
        """Return the error with which this fault answers ``operation``; None for a fault of another kind."""
        return _CANCELLED if self.kind == "conflict" and operation == "TransactWriteItems" else _ANSWERS.get(self.kind)


@dataclass
class Quota:
    """So many calls of an operation a second, counted by a token bucket that holds one second's; ``clock`` in seconds."""

    service: str
    operation: str
    per_second: float
    clock: Callable[[], float]
    refused: int = 0

    def __post_init__(self) -> None:
        self._left, self._seen = self.per_second, self.clock()

    def takes(self) -> bool:
        """Take one call out of the bucket; return False if it is empty."""
        now = self.clock()
        self._left = min(self.per_second, self._left + (now - self._seen) * self.per_second)
        self._seen = now
        if self._left < 1:
            self.refused += 1
            return False
        self._left -= 1
        return True


@dataclass
class AwsFaults:
    """The armed faults, in the order of arming, and the quotas in force."""

    _armed: list[AwsFault] = field(default_factory=list)
    _limits: list[Quota] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, fault: AwsFault) -> AwsFault:
        """Arm ``fault`` and return it."""
        with self._lock:
            self._armed.append(fault)
        return fault

    def limit(self, limit: Quota) -> Quota:
        """Put a quota in force and return it."""
        with self._lock:
            self._limits.append(limit)
        return limit

    def disarm(self) -> None:
        """Remove every fault and quota."""
        with self._lock:
            self._armed.clear()
            self._limits.clear()

    def strike(self, service: str, operation: str, body: str) -> AwsFault | None:
        """Return the first fault that matches this request, with one strike counted; None if there is none."""
        with self._lock:
            for fault in self._armed:
                fits = fault.service == service and fault.operation in {operation, "*"} and fault.match in body
                if fits and fault.after > 0:
                    fault.after -= 1
                elif fits and fault.times > 0:
                    fault.times -= 1
                    fault.strikes += 1
                    return fault
            for limit in self._limits:
                if (limit.service, limit.operation) == (service, operation) and not limit.takes():
                    return AwsFault(service, operation, "throttled", 0, "")
        return None
