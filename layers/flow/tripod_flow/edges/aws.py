"""AWS's clients. Every call ends in time: no attempt outlasts its few seconds, and none begins after the invocation's deadline.

A read timeout only bounds the pause between two bytes, so that an answer that drips would hold the invocation until Lambda kills it.
The alarm ends that too; it rings in the thread that waits, and only while it waits. A body that is no JSON object is refused: botocore
takes a 200 with any body for a success without content.
"""

import json
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ReadTimeoutError

from tripod.version import VERSION
from tripod_flow.edges.deadline import Deadline

# Seconds; DynamoDB and Secrets Manager answer in milliseconds, so that a second try beats a longer wait.
CONNECT, READ, ATTEMPT = 1.0, 2.0, 3.0
ATTEMPTS = 3
ONCE = ("kms",)  # what fails there is left to the relay: time is for the commit that follows
# DynamoDB's codes for a write that conflicts with another transaction. botocore does not retry them.
CONFLICTS = frozenset({"TransactionConflict", "TransactionConflictException"})
PAUSE = 0.05  # seconds before a write is tried again after a conflict: a transaction takes a few milliseconds
USER_AGENT = f"Tripod/{VERSION}"
# botocore's own CA bundle, which the built layer cuts to the few roots that AWS uses (layers/flow/trim.py). Left alone, botocore would
# take certifi's, of 120 certificates, and load it for each client.
CA_BUNDLE = str(Path(botocore.__file__).parent / "cacert.pem")


class OutOfTime(BotoCoreError):
    """The invocation has no time left for another attempt."""

    fmt = "no time left for {operation}"


class UnreadableResponse(BotoCoreError):
    """The response is not AWS's: whether the call was done is unknown."""

    fmt = "no JSON came back for {operation}"


def client(service: str, deadline: Deadline) -> Any:
    """Return boto3's client of ``service``, bounded by ``deadline``. For the process's main thread, where Lambda runs handlers."""
    config = Config(
        connect_timeout=CONNECT,
        read_timeout=READ,
        retries={"mode": "standard", "total_max_attempts": 1 if service in ONCE else ATTEMPTS},
        user_agent=USER_AGENT,  # botocore would put together one of its own for every call: a tenth of the call's CPU
        parameter_validation=False,  # of types, which are checked here beforehand: another tenth
    )
    made = boto3.client(service, config=config, verify=CA_BUNDLE)  # type: ignore[call-overload]  # whichever service
    attempts = _Attempts(deadline)
    made.meta.events.register_first("before-send", attempts.begin)
    made.meta.events.register_first("response-received", attempts.end)
    made.meta.events.register_first("before-parse", attempts.judge)
    made.meta.events.register("needs-retry", _pause)
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
        """Stop the alarm: an attempt is over, whether an answer came or not."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    def judge(self, event_name: str, response_dict: Mapping[str, Any], **_: Any) -> None:
        """Raise ``UnreadableResponse`` where a success has no JSON object as its body."""
        self.end()
        if response_dict["status_code"] < 300 and not _is_object(response_dict["body"]):
            raise UnreadableResponse(operation=event_name)


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False


def _pause(response: tuple[Any, Mapping[str, Any]] | None, attempts: int, **_: Any) -> float | None:
    """Return after how many seconds a refused call is to be tried again, beyond what botocore repeats of its own."""
    refused = response[1] if response else {}
    codes = {refused.get("Error", {}).get("Code"), *(reason.get("Code") for reason in refused.get("CancellationReasons", ()))}
    return PAUSE * attempts if codes & CONFLICTS and attempts < ATTEMPTS else None


def _ring(*_: Any) -> None:
    raise ReadTimeoutError(endpoint_url="AWS")  # as if no byte had come: botocore tries again, as long as there is time
