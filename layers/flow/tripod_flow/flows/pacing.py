"""What goes through many users does so at a rate, and waits where AWS or a provider fails for a while."""

from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from tripod_flow.flows.token_store import TRIES
from tripod_flow.rules import backoff

Done = TypeVar("Done")

RATE = 10.0  # users a second: a fifth of what Secrets Manager lets an account write, which sign-ins need as well

# How AWS's codes begin for credentials that have ended, or are wrong.
SIGNED_OUT = ("ExpiredToken", "RequestExpired", "InvalidClientTokenId", "UnrecognizedClient", "InvalidSignature", "AuthFailure")

_PASSING = ("Throttl", "Limit", "TooManyRequests", "Exceeded", "Timeout", "Internal", "Unavailable", "Conflict")  # in a code


class Pace:
    """At most ``rate`` steps a second; ``clock`` in epoch seconds, ``sleep`` takes seconds."""

    def __init__(self, rate: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        if rate <= 0:
            raise ValueError("the rate must be above 0")
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._due = clock()

    def wait(self) -> None:
        """Wait after a step until the next may begin."""
        now, self._due = self._clock(), max(self._due, self._clock() - 1.0) + 1.0 / self._rate  # what was slow is not made up for
        self._sleep(max(0.0, min(self._due - now, 1.0 / self._rate)))


def retrying(step: Callable[[], Done], sleep: Callable[[float], None]) -> Done:
    """Take a step, later again where AWS fails for a while, or can't be reached; raises botocore's errors."""
    for tries in range(TRIES - 1):
        try:
            return step()
        except (ClientError, BotoCoreError) as error:
            if not _is_passing(error):
                raise
            sleep(backoff.delay(tries))
    return step()


def is_everybodys(error: ClientError | BotoCoreError) -> bool:
    """Return True for an error that each further user would meet too: there are no credentials, or AWS takes them no longer."""
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"].startswith(SIGNED_OUT)
    return not _is_passing(error)


def _is_passing(error: ClientError | BotoCoreError) -> bool:
    if not isinstance(error, ClientError):  # of the SDK's own errors the network's; the others are of credentials and settings
        return isinstance(error, ConnectionError | HTTPClientError)
    code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    return status >= 500 or any(part in code for part in _PASSING)
