"""The relay: work off the outbox after the browser has gone. Tokens are stored, events published, lapsed consents erased.

The table's stream invokes it for each change, and a schedule every minute for what the stream missed. Each item is handled on its own:
one that fails waits, longer each time (``rules.backoff``), and delays no other. Until it is due, nothing touches it: the stream's
record of the relay's own write starts nothing. What still fails after ``outbox.PATIENCE`` is given up, with its tokens erased.
"""

import secrets
from collections.abc import Callable, Iterable
from random import shuffle
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from tripod import names
from tripod_flow.edges import event_bus, telemetry
from tripod_flow.edges.event_bus import EventBus
from tripod_flow.edges.table import Table
from tripod_flow.flows.exchange import Exchange
from tripod_flow.flows.revocation import Revocation
from tripod_flow.flows.token_deletion import TokenDeletion
from tripod_flow.flows.token_store import TRIES, Revoked, TokenStore
from tripod_flow.rules import backoff, check, connection, errors, outbox, revocation, transitions
from tripod_flow.rules.authorization import Authorization, State
from tripod_flow.rules.connection import ConnectionRecord

Result = TypeVar("Result")

RELAY_LEASE = 90  # seconds; longer than this function's timeout


class Relay:
    """Works off the outbox; ``clock`` in epoch seconds, ``token`` makes n random bytes URL-safe."""

    def __init__(
        self,
        table: Table,
        exchange: Exchange,
        token_store: TokenStore,
        token_deletion: TokenDeletion,
        revocation: Revocation,
        *,
        bus: EventBus,
        clock: Callable[[], float],
        token: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        self._table = table
        self._exchange = exchange
        self._token_store = token_store
        self._token_deletion = token_deletion
        self._revocation = revocation
        self._bus = bus
        self._clock = clock
        self._token = token
        self._unreachable: set[str] = set()  # providers, in this invocation

    def sweep(self, has_time: Callable[[], bool]) -> None:
        """Work off what is due in the outbox, in random order, so that no item is always behind another; end when time does."""
        now = self._clock()
        owed = list(self._table.outbox(now=now))
        telemetry.outbox(len(owed), max((now - entry.since for entry in owed), default=0.0))
        pending = [entry.pk for entry in owed if entry.due <= now]
        shuffle(pending)
        self.relay(pending, has_time)

    def relay(self, keys: Iterable[str], has_time: Callable[[], bool]) -> None:
        """Work off the pending fields of these items, each on its own."""
        self._unreachable.clear()
        for pk in keys:
            if not has_time():
                telemetry.log().warning("out of time: the rest is left to the next sweep")
                return
            try:
                self._relay_connection(pk) if pk.startswith(names.CONNECTION) else self._relay_authorization(pk)
            except Exception as error:  # noqa: BLE001  # one item's defect must not hold back another's tokens
                telemetry.count("relay_failed")
                telemetry.failure("not relayed", error, **telemetry.named(pk))
                self._postpone(pk, error)

    def _relay_authorization(self, pk: str) -> None:
        """Ask for a missing identity, store or erase the tokens, publish the event."""
        record = self._table.authorization(pk)
        if record is None or not outbox.is_due(record, now=self._clock()):
            return
        if record.state is State.EXCHANGED:
            exchanged = record
            if transitions.identity_until(record) <= self._clock():  # nobody is asked any more
                identified = self._identify(exchanged)
            else:
                identified = self._asking(record.provider, lambda: self._identify(exchanged))
            if identified is not None and identified.state is State.GRANTED and identified.pending_tokens is not None:
                self._store(identified)
            record = self._table.authorization(pk)
        elif transitions.has_lapsed(record, now=self._clock()):
            self._revocation.add_overtaken(record)  # if the user has disconnected since
            self._table.update(transitions.lapse(record, now=self._clock()))
            return
        elif transition := transitions.lease_storing(record, now=self._clock(), lease=RELAY_LEASE):
            update = self._table.update(transition)
            if update.applied and update.record is not None:
                self._store(update.record)
            record = self._table.authorization(pk)
        self._publish_outcome(record)

    def _publish_outcome(self, record: Authorization | None) -> None:
        """Publish the event; that of a grant once its tokens are stored, because whoever hears of it may read them."""
        for _ in range(TRIES):
            if record is None or record.pending_event is None or record.pending_tokens is not None:
                return
            granted = self._connection_of(record)
            self._bus.publish(event_bus.pending_events(record, granted))
            if granted is not None and check.is_restored_by_grant(granted):
                self._table.update_connection(check.mark_restored(granted))
            update = self._table.update(transitions.mark_published(record, now=self._clock()))
            if update.applied:
                return
            record = update.record

    def _connection_of(self, record: Authorization) -> ConnectionRecord | None:
        """Return the connection that a grant has made."""
        if record.pending_event != "authorization.granted" or record.user_id is None:
            return None
        try:
            return self._table.connection(names.connection_key(record.provider, record.user_id))
        except (ValueError, TypeError):  # what can't be read tells nothing
            return None

    def _store(self, held: Authorization) -> None:
        """Store a grant whose lease is ours; if the user has disconnected since, its tokens are invalidated at the provider instead."""
        try:
            try:
                self._token_store.store(held)
            except Revoked:
                self._token_deletion.align(names.connection_key(held.provider, held.user_id or ""))
                self._revocation.add_overtaken(held)
                self._token_store.discard(held)
        except Exception as error:  # whatever it is, the lease is given back, or the tokens' time is over; ``relay`` logs it
            if outbox.is_overdue(held, now=self._clock()) and held.outbox_tries:  # a relay that did not run has not tried
                self._abandon_tokens(held)
            else:
                self._table.update(transitions.release_storing(held, due=self._due(held.outbox_tries, error)))
            raise

    def _asking(self, provider: str, act: Callable[[], Result]) -> Result:
        """Do what asks a provider. One that could not be reached is not asked again in this invocation: others are waiting."""
        if provider in self._unreachable:
            raise errors.ProviderUnavailable("it could not be reached a moment ago")
        try:
            return act()
        except errors.ProviderUnavailable:
            self._unreachable.add(provider)
            raise

    def _identify(self, record: Authorization) -> Authorization | None:
        """Ask which user saved tokens belong to, where the browser never came back; None where another process does, or did."""
        claim_id = self._token(16)
        transition = transitions.take_over(record, claim_id=claim_id, now=self._clock(), lease=RELAY_LEASE)
        update = self._table.update(transition) if transition else None
        if not update or not update.applied or update.record is None:
            return None
        held = update.record
        if transitions.identity_until(held) <= self._clock():
            return self._table.update(transitions.fail(held, errors.Expired(), now=self._clock())).record
        decided = self._exchange.identify(held)
        return decided if decided.claim_id == held.claim_id else None

    def _relay_connection(self, pk: str) -> None:
        """Have a pending token invalidated, complete a pending deletion, publish the events: each whatever becomes of the others."""
        found = self._table.connection(pk)
        if found is None or not outbox.is_due(found, now=self._clock()):
            return
        try:
            if found.pending_invalidation is not None:
                self._asking(found.provider, lambda: self._revocation.invalidate_pending(pk))
        finally:
            try:
                if found.deletion_pending:
                    self._token_deletion.complete(pk)
            finally:
                self._publish_connection_events(pk)

    def _publish_connection_events(self, pk: str) -> None:
        for _ in range(TRIES):
            found = self._table.connection(pk)
            if found is None or found.outbox is None:
                return
            if found.pending_events:
                self._bus.publish(event_bus.pending_events(found))
                ended = connection.mark_published(found)
            elif found.is_settled:  # by a new grant
                ended = connection.leave_outbox(found)
            else:
                return
            if self._table.update_connection(ended).applied:
                return

    def _postpone(self, pk: str, error: Exception) -> None:
        """Set when an item that failed is due again, unless the failed step has done so; give up what has failed for too long."""
        try:
            if pk.startswith(names.CONNECTION):
                self._postpone_connection(pk, error)
            else:
                self._postpone_authorization(pk, error)
        except (ValueError, TypeError):  # the item can't be read
            self._postpone_unread(pk)
        except (ClientError, BotoCoreError) as failure:  # the table is out of reach: nothing could be tried sooner either
            telemetry.failure("not postponed", failure, **telemetry.named(pk))

    def _postpone_connection(self, pk: str, error: Exception) -> None:
        found = self._table.connection(pk)
        if found is None or not outbox.is_due(found, now=self._clock()):
            return
        if revocation.is_invalidation_overdue(found, now=self._clock()):
            self._table.update_connection(
                revocation.end_invalidation(found, found, since=0.0, now=self._clock(), invalidated=False)
            )
            telemetry.abandoned(pk, "the token's invalidation")
            return
        if outbox.is_overdue(found, now=self._clock()):
            self._table.update_connection(connection.abandon(found))
            pending = {"the secret's deletion": found.deletion_pending, "the event": bool(found.pending_events)}
            telemetry.abandoned(pk, " and ".join(what for what, is_pending in pending.items() if is_pending))
            return
        self._table.update_connection(connection.postpone(found, due=self._due(found.outbox_tries, error)))

    def _postpone_authorization(self, pk: str, error: Exception) -> None:
        record = self._table.authorization(pk)
        if record is None or not outbox.is_due(record, now=self._clock()):
            return
        if record.pending_event is not None and record.pending_tokens is None and outbox.is_overdue(record, now=self._clock()):
            self._table.update(transitions.mark_published(record, now=self._clock()))
            telemetry.abandoned(pk, "an event that could not be published")
            return
        self._table.update(transitions.postpone(record, due=self._due(record.outbox_tries, error)))

    def _postpone_unread(self, pk: str) -> None:
        now = self._clock()
        try:
            if not self._table.postpone_unread(pk, due=now + backoff.LONGEST, since=now - outbox.PATIENCE):
                self._table.abandon_unread(pk)
                telemetry.abandoned(pk, "an item that can't be read")
        except (ClientError, BotoCoreError) as failure:  # it is not in the outbox, or the table is out of reach
            telemetry.failure("not postponed", failure, **telemetry.named(pk))

    def _due(self, tries: int, error: Exception) -> float:
        retry_after = error.retry_after if isinstance(error, errors.ProviderUnavailable) else None
        return self._clock() + backoff.delay(tries, retry_after=float(retry_after or 0))

    def _abandon_tokens(self, held: Authorization) -> None:
        """Give up a grant whose lease is ours: end its connection, and erase its tokens."""
        if not self._end_connection(held):  # it has changed meanwhile: look again
            self._table.update(transitions.release_storing(held, due=self._clock() + backoff.FIRST))
            return
        left = self._token_store.discard(held)
        if left is not None and left.pending_event is not None:  # of a grant that nobody could use, nobody needs to hear
            self._table.update(transitions.mark_published(left, now=self._clock()))
        telemetry.abandoned(held.pk, "tokens that could not be stored")

    def _end_connection(self, held: Authorization) -> bool:
        """End the connection that a grant has made, as of when the user agreed; return False where it is not as it was read."""
        user_id = held.user_id or ""
        try:
            found = self._table.connection(names.connection_key(held.provider, user_id))
        except (ValueError, TypeError):  # what can't be read connects nobody
            return True
        if found is not None and (found.grant_id != held.claim_id or found.revoked_at is not None):
            return True
        revoked = revocation.revoke(held.provider, user_id, found, now=self._clock(), since=held.agreed_at)
        return self._table.update_connection(revoked).applied
