"""The relay: after the browser has gone, what is still owed is done: tokens stored, events published, lapsed consents erased.

It is woken by the table's stream for each change, and every minute for what the stream missed. Each item stands for itself: one that
fails is left to the next sweep and holds back no other.
"""

import secrets
from collections.abc import Callable, Iterable
from random import shuffle

from tripod_flow import authorization, connection, errors, progress, telemetry
from tripod_flow.authorization import Authorization, State
from tripod_flow.connection import Connection
from tripod_flow.custody import Custody, Revoked
from tripod_flow.events import Bus
from tripod_flow.exchange import Exchange
from tripod_flow.table import Table

IDENTITY_PATIENCE = 86_400  # seconds for which a provider is asked whose tokens these are; then they are erased


class Relay:
    """Does what is owed; ``clock`` in epoch seconds."""

    def __init__(self, table: Table, exchange: Exchange, custody: Custody, bus: Bus, clock: Callable[[], float]) -> None:
        self._table = table
        self._exchange = exchange
        self._custody = custody
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
                self._pay(pk)
            except Exception as error:  # noqa: BLE001  # one item's defect must not hold back another's tokens
                telemetry.count("relay_failed")
                telemetry.failure("not relayed: the next sweep tries again", error, item=authorization.label(pk))

    def _pay(self, pk: str) -> None:
        """Do what one item owes."""
        if pk.startswith(connection.PREFIX):
            self._pay_connection(pk)
        else:
            self._pay_authorization(pk)

    def _pay_authorization(self, pk: str) -> None:
        record = self._table.authorization(pk)
        if record is not None and record.state is State.EXCHANGED:
            record = self._identified(record)
        if record is not None and progress.is_lapsed(record, now=self._clock()):
            self._table.move(progress.lapsed(record, now=self._clock()))
            return
        if record is not None and record.state is State.GRANTED and record.unstored:
            self._store(record)
            record = self._table.authorization(pk)
        if record is not None and record.unsent is not None:
            self._bus.publish(record)
            for _ in range(2):  # the callback may settle the record meanwhile
                if record is None or self._table.move(progress.sent(record, now=self._clock()))[0]:
                    return
                record = self._table.authorization(pk)

    def _store(self, grant: Authorization) -> None:
        try:
            self._custody.keep(grant)
        except Revoked as revoked:
            self._custody.erase(revoked.standing)
            self._custody.drop(grant)

    def _identified(self, record: Authorization) -> Authorization | None:
        """Ask whose tokens these are, where the browser never came back to have it asked."""
        transition = progress.resume(record, claim_id=secrets.token_urlsafe(16), now=self._clock())
        won, held = self._table.move(transition) if transition else (False, None)
        if not won or held is None:
            return None
        if held.created_at + IDENTITY_PATIENCE <= self._clock():
            return self._table.move(progress.failed(held, errors.Expired(), now=self._clock()))[1]
        return self._exchange.decide(held, "")

    def _pay_connection(self, pk: str) -> None:
        record: Connection | None = self._table.connection(pk)
        if record is not None and record.unerased:
            self._custody.erase(record)
            record = self._table.connection(pk)
        if record is not None and record.unsent is not None:
            self._bus.publish(record)
            for _ in range(2):
                if record is None or self._table.connect(connection.sent(record))[0]:
                    return
                record = self._table.connection(pk)
