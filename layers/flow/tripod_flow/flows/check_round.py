"""A round of checks: all connections, one after the other, as slowly as a provider's limits and bill want it."""

from collections import Counter
from collections.abc import Callable, Iterator

from tripod_flow.edges import telemetry
from tripod_flow.edges.check_progress import CheckProgress, Listed, Progress
from tripod_flow.flows.check import ConnectionCheck
from tripod_flow.rules import errors

MOST = 300  # connections of one invocation; the schedule makes one every five minutes: one a second on average, 86,400 a day
FAILURES = 3  # in a row: then a provider is asked no more in this invocation; a single one may be a user's own rate limit


class CheckRound:
    """Checks all connections every ``every`` seconds, or as often as ``MOST`` allows; ``clock`` in epoch seconds."""

    def __init__(self, progress: CheckProgress, check: ConnectionCheck, *, every: float, clock: Callable[[], float]) -> None:
        self._progress = progress
        self._check = check
        self._every = every
        self._clock = clock

    def go_on(self, has_time: Callable[[], bool]) -> None:
        """Go on with the round where it was left, while there is time; begin the next one when it is due."""
        now = self._clock()
        left_at = self._progress.lease(now=now) if self._every else None
        if left_at is None:
            return
        is_due = not left_at.cursor and left_at.began_at + self._every <= now
        reached = left_at  # a round that has checked nobody begins the next time
        try:
            for step in self._steps(Progress(now, {}) if is_due else left_at, has_time):
                reached = step
        finally:
            self._progress.save(reached, leased_at=now)

    def _steps(self, progress: Progress, has_time: Callable[[], bool]) -> Iterator[Progress]:
        """Check one connection after the other; yield how far the round is."""
        failures, cursor, left = _Failures(), progress.cursor, MOST
        while cursor is not None:
            found, cursor = self._progress.page(cursor)
            for one in found:
                if one.checked_at is None or one.checked_at < progress.began_at:
                    if not left or not has_time():
                        return
                    left -= 1
                    self._check_one(one, failures)
                yield Progress(progress.began_at, one.key)
            if cursor is None and failures.of_a_provider_out_of_reach:
                yield Progress(progress.began_at, {})  # who was left out has their turn in this round, once it is back
                return
            yield Progress(progress.began_at, cursor)

    def _check_one(self, one: Listed, failures: "_Failures") -> None:
        """Check one; what is wrong with it must not keep the others from being checked."""
        if failures.in_a_row[one.provider] >= FAILURES:
            return
        try:
            self._check.check(one.provider, one.user_id)
        except errors.NotConnected:  # disconnected a moment ago
            return
        except errors.FlowError as error:
            telemetry.failure("not checked", error, provider=one.provider)
            failures.add(one.provider, error)
        except Exception as error:  # noqa: BLE001  # one user's defect, such as tokens under a key that is gone
            telemetry.failure("not checked", error, provider=one.provider)
        else:
            failures.in_a_row[one.provider] = 0


class _Failures:
    """What a provider could not be asked in this invocation: it is out of reach, or its consumer secret is wrong."""

    def __init__(self) -> None:
        self.in_a_row = Counter[str]()
        self.of_a_provider_out_of_reach = False

    def add(self, provider: str, error: errors.FlowError) -> None:
        """Note that ``provider`` could not be asked."""
        self.in_a_row[provider] += 1
        self.of_a_provider_out_of_reach |= isinstance(error, errors.ProviderUnavailable)
