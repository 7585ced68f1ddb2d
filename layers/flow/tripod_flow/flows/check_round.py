"""A round of checks: all connections, one after the other, as slowly as a provider's limits and bill want it."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

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
        failures, left = _Failures(), MOST
        while progress.cursor is not None:
            found, cursor = self._progress.page(progress.cursor)
            for one in found:
                if self._is_due(one, progress):
                    if not left or not has_time():
                        return
                    if not failures.gives_up(one.provider):
                        left -= 1
                        self._check_one(one, failures)
                    if failures.leave_out(one.provider, again=bool(progress.again)):
                        progress = replace(progress, left_out=progress.left_out | {one.provider})
                progress = replace(progress, cursor=one.key)
                yield progress
            progress = replace(progress, cursor=cursor)
            if cursor is None and progress.left_out:
                yield Progress(progress.began_at, {}, again=progress.left_out)  # once they may be back: the next time
                return
            yield progress

    @staticmethod
    def _is_due(one: Listed, progress: Progress) -> bool:
        """Return True if the round has not checked a connection yet whose turn it is."""
        is_theirs = not progress.again or one.provider in progress.again
        return is_theirs and (one.checked_at is None or one.checked_at < progress.began_at)

    def _check_one(self, one: Listed, failures: "_Failures") -> None:
        """Check one; what is wrong with it must not keep the others from being checked."""
        about = {"provider": one.provider, "user_id": one.user_id}
        try:
            self._check.check(one.provider, one.user_id)
        except errors.NotConnected:  # disconnected a moment ago
            return
        except errors.FlowError as error:
            telemetry.failure("not checked", error, **about)
            failures.add(one.provider, error)
        except Exception as error:  # noqa: BLE001  # one user's defect, such as tokens under a key that is gone
            telemetry.failure("not checked", error, **about)
        else:
            failures.forget(one.provider)


class _Failures:
    """Who could not be asked in this invocation: a provider that is out of reach, or whose consumer secret is wrong."""

    def __init__(self) -> None:
        self._in_a_row = Counter[str]()
        self._out_of_reach = set[str]()

    def gives_up(self, provider: str) -> bool:
        """Return True if ``provider`` is asked no more."""
        return self._in_a_row[provider] >= FAILURES

    def leave_out(self, provider: str, *, again: bool) -> bool:
        """Return True if users of ``provider`` are to have another turn; one who can never be asked about has one, not more."""
        return provider in self._out_of_reach and (self.gives_up(provider) or not again)

    def add(self, provider: str, error: errors.FlowError) -> None:
        """Note that ``provider`` could not be asked."""
        self._in_a_row[provider] += 1
        if isinstance(error, errors.ProviderUnavailable):
            self._out_of_reach.add(provider)

    def forget(self, provider: str) -> None:
        """Note that ``provider`` could be asked."""
        self._in_a_row[provider] = 0
        self._out_of_reach.discard(provider)
