"""AWS's clients, each call of which ends in time: no attempt outlasts its few seconds, and none begins when the invocation's are over.

A read timeout only bounds the pause between two bytes, so that an answer that drips would hold the invocation until Lambda kills it.
The alarm ends that too; it rings in the thread that waits, and only while it waits.
"""

import signal
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ReadTimeoutError

from tripod_flow.deadline import Deadline

# Seconds; DynamoDB and Secrets Manager answer in milliseconds, so that a second try beats a longer wait.
CONNECT, READ, ATTEMPT = 1.0, 2.0, 3.0
ATTEMPTS = 3


class OutOfTime(BotoCoreError):
    """The invocation has no time left for another attempt; whatever is owed is for the next one."""

    fmt = "no time left for {operation}"


def client(service: str, deadline: Deadline) -> Any:
    """Return boto3's client of ``service``, bounded by ``deadline``. For the process's main thread, where Lambda runs handlers."""
    config = Config(connect_timeout=CONNECT, read_timeout=READ, retries={"mode": "standard", "total_max_attempts": ATTEMPTS})
    made = boto3.client(service, config=config)  # type: ignore[call-overload]  # whichever service
    attempts = _Attempts(deadline)
    made.meta.events.register_first("before-send", attempts.begin)
    made.meta.events.register_first("response-received", attempts.end)
    return made


class _Attempts:
    """One client's attempts, one after the other."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def begin(self, event_name: str, **_: Any) -> None:
        """Let an attempt begin, and set the alarm; raises ``OutOfTime``, which botocore doesn't try again."""
        left = self._deadline.left()
        if left <= 0:
            raise OutOfTime(operation=event_name)
        signal.signal(signal.SIGALRM, _ring)
        signal.setitimer(signal.ITIMER_REAL, min(ATTEMPT, left))

    def end(self, **_: Any) -> None:
        """Stop the alarm; botocore says so of every attempt, whether an answer came or not."""
        signal.setitimer(signal.ITIMER_REAL, 0)


def _ring(*_: Any) -> None:
    raise ReadTimeoutError(endpoint_url="AWS")  # as if no byte had come: botocore tries again, as long as there is time
