"""A round of checks: all connections, one after the other, as slowly as a provider's limits and bill want it."""

from collections.abc import Callable

from tripod_flow.edges import telemetry
from tripod_flow.edges.check_progress import CheckProgress, Listed, Progress
from tripod_flow.flows.check import ConnectionCheck
from tripod_flow.rules import errors

MOST = 300  # checks of one invocation; the schedule makes one every five minutes: one a second on average, 86,400 a day


class CheckRound:
    """Checks all connections every ``every`` seconds, or as often as ``MOST`` allows; ``clock`` in epoch seconds."""

    def __init__(self, progress: CheckProgress, check: ConnectionCheck, *, every: float, clock: Callable[[], float]) -> None:
        self._progress = progress
        self._check = check
        self._every = every
        self._clock = clock

    def go_on(self, has_time: Callable[[], bool]) -> None:
        """Go on with the round where it was left, while there is time; begin the next one when it is due."""
        progress = self._progress.lease(now=self._clock()) if self._every else None
        if progress is None:
            return
        if progress.cursor is None and progress.began_at + self._every <= self._clock():
            progress = Progress(self._clock(), {})
        try:
            progress = self._checked(progress, has_time)
        finally:
            self._progress.save(progress)

    def _checked(self, progress: Progress, has_time: Callable[[], bool]) -> Progress:
        left, unreachable, cursor = MOST, set[str](), progress.cursor
        while cursor is not None and left > 0 and has_time():
            found, cursor = self._progress.page(cursor)
            for one in found:
                if one.provider not in unreachable and not (one.checked_at is not None and one.checked_at >= progress.began_at):
                    left -= 1
                    self._check_one(one, unreachable)
        return Progress(progress.began_at, cursor)

    def _check_one(self, one: Listed, unreachable: set[str]) -> None:
        """Check one; what is wrong with it must not keep the others from being checked."""
        try:
            self._check.check(one.provider, one.user_id)
        except errors.NotConnected:  # disconnected a moment ago
            return
        except errors.FlowError as error:
            telemetry.failure("not checked", error, provider=one.provider)
            unreachable.add(one.provider)  # until the next invocation: it can't be asked, or its consumer secret is wrong
