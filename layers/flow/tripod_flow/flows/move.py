"""Move all users' tokens of a provider between Secrets Manager and the table, while readers read and users sign in.

docs/operating.md says what else belongs to it, and when. There is no state but the table's: whatever a move that was killed has done is
done, what it has begun the relay completes (the deletion that is pending then), and the next move goes on with the rest. No function
imports this module.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError

from tripod import names
from tripod.sealed_tokens import SealedTokens
from tripod.secret_reader import LIFETIME
from tripod_flow.edges.moved_secrets import MovedSecrets, Unreadable
from tripod_flow.edges.roster import Roster
from tripod_flow.edges.secret_writer import version_of
from tripod_flow.edges.table import Table
from tripod_flow.edges.token_sealer import TokenSealer, TokensTooLong
from tripod_flow.flows.pacing import RATE, Pace, is_everybodys, retrying
from tripod_flow.flows.token_deletion import TokenDeletion
from tripod_flow.flows.token_store import TRIES
from tripod_flow.rules import authorization, moving
from tripod_flow.rules.authorization import Authorization
from tripod_flow.rules.connection import ConnectionRecord
from tripod_flow.rules.errors import Contended
from tripod_flow.rules.moving import Place
from tripod_flow.rules.transitions import Transition


class MoveResult(StrEnum):
    """What a move has done for a user."""

    MOVED = "moved"
    THERE = "already there"
    GONE = "gone"  # not connected any more
    CLEARED = "cleared"  # a secret was left beside the sealed tokens, and is deleted
    WAITING = "waiting"  # somebody else is at it: a later move may do it
    FAILED = "failed"


class NotReady(Exception):
    """Some reader may not look into the table yet. ``seconds`` until all do; None: the consumer secret says nothing of a table."""

    def __init__(self, seconds: float | None) -> None:
        wait = "" if seconds is None else f"; wait for {seconds:.0f} seconds more"
        super().__init__(f'readers must look into the table first: "store": "moving" in the consumer secret{wait}')
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Moved:
    """One user's result; ``reason`` says why they are waiting or have failed, without any secret."""

    user_id: str
    result: MoveResult
    reason: str = ""


Act = Callable[[str, str], Moved | None]  # of a provider's user; None: the connection has changed meanwhile


class Move:
    """Moves users' tokens; ``clock`` in epoch seconds. AWS's errors are waited out by ``sleep``, longer each time."""

    def __init__(
        self,
        table: Table,
        roster: Roster,
        secrets: MovedSecrets,
        sealer: TokenSealer,
        token_deletion: TokenDeletion,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._table = table
        self._roster = roster
        self._secrets = secrets
        self._sealer = sealer
        self._token_deletion = token_deletion
        self._clock = clock
        self._sleep = sleep

    def to_table(self, provider: str, *, rate: float = RATE, cached: float = LIFETIME) -> Iterator[Moved]:
        """Move everybody's tokens into the table, at most ``rate`` a second, and yield each result; then clear secrets that are left.

        Raises ``NotReady`` where a reader that keeps a consumer secret for ``cached`` seconds may not look into the table yet, and
        botocore's errors where the users can't be listed, or there are no credentials any more.
        """
        since = self._secrets.looked_into_since(provider)
        if since is None or since + cached > self._clock():
            raise NotReady(None if since is None else since + cached - self._clock())
        yield from self._each(self._roster.connected(provider), provider, self._seal, rate)
        for moved in self._each(self._roster.with_secret(provider), provider, self._clear, rate):
            if moved.result in (MoveResult.CLEARED, MoveResult.FAILED):
                yield moved

    def to_secrets_manager(self, provider: str, *, rate: float = RATE) -> Iterator[Moved]:
        """Move everybody's tokens out of the table, as ``to_table`` does into it."""
        yield from self._each(self._roster.connected(provider), provider, self._unseal, rate)

    def unsettled(self, provider: str) -> int:
        """Return how many grants are still to be sealed: while there are any, readers must look into the table."""
        mine = authorization.key(provider, "")
        keys = [entry.pk for entry in self._table.outbox(now=math.inf) if entry.pk.startswith(mine)]
        return sum(_is_to_be_sealed(self._table.authorization(pk)) for pk in keys)

    def _each(self, users: Iterator[str], provider: str, act: Act, rate: float) -> Iterator[Moved]:
        pace = Pace(rate, self._clock, self._sleep)
        for user_id in users:
            moved = self._persistently(provider, user_id, act)
            yield moved
            if moved.result in (MoveResult.MOVED, MoveResult.CLEARED, MoveResult.FAILED):
                pace.wait()

    def _persistently(self, provider: str, user_id: str, act: Act) -> Moved:
        """Act until there is a result: again where the connection has changed meanwhile. Raises what no user is the reason of."""
        try:
            for _ in range(TRIES):
                if moved := retrying(lambda: act(provider, user_id), self._sleep):
                    return moved
        except (ClientError, BotoCoreError) as error:
            if is_everybodys(error):
                raise
            return Moved(user_id, MoveResult.FAILED, _named(error))
        return Moved(user_id, MoveResult.WAITING, "the connection keeps changing")

    def _seal(self, provider: str, user_id: str) -> Moved | None:
        """Move a user's tokens into the table; None where the connection has changed meanwhile."""
        found = self._found_in(Place.SECRET, provider, user_id)
        if isinstance(found, Moved):
            return found
        try:
            tokens = self._secrets.read(provider, user_id, found.secret_version or "")
            sealed = self._sealer.seal(tokens)
        except (Unreadable, TokensTooLong) as error:
            same = moving.is_same(self._table.connection(found.pk), found)
            return Moved(user_id, MoveResult.FAILED, str(error)) if same else None
        sealing = moving.seal(found, sealed.ciphertext, now=self._clock())
        if not self._table.update_connection(sealing).applied:
            return None
        self._align(sealing)
        return Moved(user_id, MoveResult.MOVED)

    def _clear(self, provider: str, user_id: str) -> Moved | None:
        """Delete a secret that was left beside sealed tokens; a secret whose connection names it is none of these."""
        found = self._found_in(Place.TABLE, provider, user_id)
        if isinstance(found, Moved):
            return found
        leasing = moving.lease(found, now=self._clock())
        if not self._table.update_connection(leasing).applied:
            return None
        self._align(leasing)
        return Moved(user_id, MoveResult.CLEARED)

    def _unseal(self, provider: str, user_id: str) -> Moved | None:
        """Move a user's tokens into their secret; None where the connection has changed meanwhile."""
        found = self._found_in(Place.TABLE, provider, user_id)
        if isinstance(found, Moved):
            return found
        try:
            tokens = self._sealer.open(provider, user_id, found.sealed_tokens or b"")
        except ValueError as error:
            return Moved(user_id, MoveResult.FAILED, f"what is sealed is malformed: {error}")
        leasing = moving.lease(found, now=self._clock())
        if not self._table.update_connection(leasing).applied:
            return None
        leased = replace(found, **leasing.changes)

        def may() -> bool:
            return _has_time(leasing, self._clock()) and moving.is_same(self._table.connection(found.pk), leased)

        def write() -> bool:
            return _has_time(leasing, self._clock()) and self._secrets.bring_back(tokens, may)

        if retrying(write, self._sleep) and self._table.update_connection(moving.unseal(leased, version_of(tokens))).applied:
            return Moved(user_id, MoveResult.MOVED)
        self._align(leasing)
        return None

    def _found_in(self, wanted: Place, provider: str, user_id: str) -> ConnectionRecord | Moved:
        """Return the connection whose tokens are where they can be taken from now, or else the user's result."""
        found = self._table.connection(names.connection_key(provider, user_id))
        place = moving.place(found)
        if found is None or place is Place.NOWHERE:
            return Moved(user_id, MoveResult.GONE)
        if place is Place.ON_THEIR_WAY:
            return Moved(user_id, MoveResult.WAITING, "a sign-in is being stored")
        if place is not wanted:
            return Moved(user_id, MoveResult.THERE)
        if moving.is_being_written(found, now=self._clock()):
            return Moved(user_id, MoveResult.WAITING, "the secret may be being written, and the relay is about to look")
        return found

    def _align(self, leasing: Transition) -> None:
        """Align the secret with its connection, as the holder of the lease; what fails, or comes too late, is left to the relay."""
        if _has_time(leasing, self._clock()):
            with suppress(ClientError, BotoCoreError, Contended):
                self._token_deletion.align_leased(leasing.pk)


def _has_time(leasing: Transition, now: float) -> bool:
    return moving.has_time(leasing.changes["deletion_until"], now=now)


def _is_to_be_sealed(found: Authorization | None) -> bool:
    return found is not None and bool(found.to_seal or isinstance(found.pending_tokens, SealedTokens))


def _named(error: Exception) -> str:
    """Return what AWS refused, without its text, which may quote what was sent."""
    if isinstance(error, ClientError):
        return f"{error.operation_name}: {error.response['Error']['Code']}"
    return type(error).__name__
