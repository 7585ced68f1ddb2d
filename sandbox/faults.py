"""What may go wrong with AWS, on demand: faults that are armed for an operation and strike a number of times."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Kind = Literal[
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
# conflict: another transaction is under way on the item (DynamoDB's writes);
# hang: no answer, until the caller gives up; lost: done, but the connection breaks before the answer; reset: broken and not done;
# garbage: not done, and the answer is no JSON; silent: done, and then as hang; drip: done, and the answer comes a byte at a time;
# entry_failed: PutEvents answers 200, but of its entries those that contain the fault's match were not accepted


class Error(NamedTuple):
    """An answer that refuses: AWS's code, its text, the HTTP status."""

    code: str
    message: str
    status: int = 400
    reasons: tuple[str, ...] = ()  # of a cancelled transaction, one for each part


INTERNAL = Error("InternalServerError", "The request processing has failed because of an internal error", 500)
_ANSWERS: dict[Kind, Error] = {
    "throttled": Error("ThrottlingException", "Rate exceeded"),
    "denied": Error("AccessDeniedException", "User is not authorized to perform this action"),
    "internal": INTERNAL,
    "unavailable": Error("ServiceUnavailable", "The service is temporarily unavailable", 503),
    "conflict": Error("TransactionConflictException", "Transaction is ongoing for the item"),
}
_CANCELLED = Error(
    "TransactionCanceledException", "Transaction cancelled, see the reasons", reasons=("TransactionConflict", "None")
)
NEVER_DONE: set[Kind] = {"hang", "reset", "garbage"}
UNANSWERED: set[Kind] = {"hang", "reset", "lost", "silent"}


@dataclass
class Fault:
    """One armed fault. ``times`` counts down as it strikes; ``strikes`` counts up, so that a test sees that it did."""

    service: str
    operation: str  # "*" for each
    kind: Kind
    times: int
    match: str  # only requests whose body contains it
    after: int = 0  # so many that fit are let through first
    strikes: int = 0

    def refusal(self, operation: str) -> Error | None:
        """Return the error that this fault answers to ``operation``; None where it does something else."""
        return _CANCELLED if self.kind == "conflict" and operation == "TransactWriteItems" else _ANSWERS.get(self.kind)


@dataclass
class Limit:
    """A quota of AWS's: so many calls of an operation a second, as a bucket that holds one second's; ``clock`` in seconds."""

    service: str
    operation: str
    per_second: float
    clock: Callable[[], float]
    refused: int = 0

    def __post_init__(self) -> None:
        self._left, self._seen = self.per_second, self.clock()

    def takes(self) -> bool:
        """Take one call out of the bucket; False where it is empty."""
        now = self.clock()
        self._left = min(self.per_second, self._left + (now - self._seen) * self.per_second)
        self._seen = now
        if self._left < 1:
            self.refused += 1
            return False
        self._left -= 1
        return True


@dataclass
class Faults:
    """The faults that are armed, in the order of their arming, and the quotas that hold."""

    _armed: list[Fault] = field(default_factory=list)
    _limits: list[Limit] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, fault: Fault) -> Fault:
        """Arm ``fault`` and return it."""
        with self._lock:
            self._armed.append(fault)
        return fault

    def limit(self, limit: Limit) -> Limit:
        """Let a quota hold, and return it."""
        with self._lock:
            self._limits.append(limit)
        return limit

    def disarm(self) -> None:
        """Take every fault and quota away."""
        with self._lock:
            self._armed.clear()
            self._limits.clear()

    def strike(self, service: str, operation: str, body: str) -> Fault | None:
        """Return the first fault that fits this request, used up by one, if there is any."""
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
                    return Fault(service, operation, "throttled", 0, "")
        return None
