"""The relay: after the browser has gone, what is still owed is done: tokens stored, events published, lapsed consents erased.

It is woken by the table's stream for each change, and every minute for what the stream missed. Each item stands for itself: one
that fails is left to the next sweep and holds back no other.
"""

import secrets
from collections.abc import Callable, Iterable
from random import shuffle

from tripod_flow import authorization, connection, errors, events, progress, telemetry
from tripod_flow.authorization import Authorization, State
from tripod_flow.custody import TRIES, Custody, Revoked
from tripod_flow.events import Bus
from tripod_flow.exchange import Exchange
from tripod_flow.revocation import Revocation
from tripod_flow.table import Table

LEASE = 90  # seconds; longer than this function's timeout
IDENTITY_PATIENCE = 86_400  # seconds for which a provider is asked whose tokens these are; then they are erased


class Relay:
    """Does what is owed; ``clock`` in epoch seconds."""

    def __init__(
        self,
        table: Table,
        exchange: Exchange,
        custody: Custody,
        revocation: Revocation,
        bus: Bus,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._table = table
        self._exchange = exchange
        self._custody = custody
        self._revocation = revocation
        self._bus = bus
        self._clock = clock

    def sweep(self, has_time: Callable[[], bool]) -> None:
        """Do all that is owed, in no particular order, so that no item is always behind another; ends when time does."""
        owed = [pk for number in range(progress.OWED_SHARDS) for pk in self._table.owed(str(number))]
        shuffle(owed)
        self.relay(owed, has_time)

    def relay(self, keys: Iterable[str], has_time: Callable[[], bool]) -> None:
        """Do what these items owe, each on its own."""
        for pk in keys:
            if not has_time():
                telemetry.log().warning("out of time: the rest is left to the next sweep")
                return
            try:
                self._pay_connection(pk) if pk.startswith(connection.PREFIX) else self._pay_authorization(pk)
            except Exception as error:  # noqa: BLE001  # one item's defect must not hold back another's tokens
                telemetry.count("relay_failed")
                telemetry.failure("not relayed: the next sweep tries again", error, item=authorization.label(pk))

    def _pay_authorization(self, pk: str) -> None:
        """Do what an authorization owes: an identity, its tokens' storing or erasure, its event."""
        record = self._table.authorization(pk)
        if record is not None and record.state is State.EXCHANGED:
            record = self._identified(record)
            if record is not None and record.state is State.GRANTED and record.unstored is not None:
                self._keep(record)
        elif record is not None and progress.is_lapsed(record, now=self._clock()):
            self._table.move(progress.lapsed(record, now=self._clock()))
            return
        elif record is not None:
            transition = progress.keeping(record, now=self._clock(), lease=LEASE)
            taken, held = self._table.move(transition) if transition else (False, None)
            if taken and held is not None:
                self._keep(held)
        for _ in range(TRIES):  # whoever stores the tokens may settle the record meanwhile
            record = self._table.authorization(pk)
            if record is None or record.unsent is None:
                return
            self._bus.publish(events.owed_by(record))
            if self._table.move(progress.sent(record, now=self._clock()))[0]:
                return

    def _keep(self, held: Authorization) -> None:
        """Store a grant whose lease is ours; one whose user has disconnected since ends at the provider too."""
        try:
            try:
                self._custody.keep(held)
            except Revoked:
                self._revocation.invalidate(held.tokens())
                self._custody.drop(held)
        except Exception:
            self._table.move(progress.unkept(held))  # the next sweep needn't wait for the lease's end
            raise

    def _identified(self, record: Authorization) -> Authorization | None:
        """Ask whose tokens these are, where the browser never came back to have it asked."""
        transition = progress.resume(record, claim_id=secrets.token_urlsafe(16), now=self._clock())
        won, held = self._table.move(transition) if transition else (False, None)
        if not won or held is None:
            return None
        patience = progress.CONFIRMATION_LIFETIME if held.browser is None and not held.pin else IDENTITY_PATIENCE
        if held.created_at + patience <= self._clock():
            return self._table.move(progress.failed(held, errors.Expired(), now=self._clock()))[1]
        decided = self._exchange.decide(held, "")
        return decided if decided.claim_id == held.claim_id else None  # a successor's, which they store themselves

    def _pay_connection(self, pk: str) -> None:
        """Do what a connection owes: a deletion that was begun, its events."""
        standing = self._table.connection(pk)
        if standing is not None and standing.unerased:
            self._custody.erase(pk)
        for _ in range(TRIES):
            standing = self._table.connection(pk)
            if standing is None or not standing.unsent_at:
                return
            self._bus.publish(events.owed_by(standing))
            if self._table.connect(connection.sent(standing))[0]:
                return
