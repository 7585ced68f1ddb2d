"""The token store: write a committed grant's tokens to Secrets Manager, or sealed into the table.

The table's are written with the connection, in one transaction, on its condition: nothing can come in between.

Secrets Manager has no condition on a write, so a slow writer may come last. Three rules make up for it:
- the connection says what the secret must contain, and is written before the secret is;
- after every write to the secret the connection is read again; if it has changed, the secret is aligned with it;
- until then the outbox has an entry (the grant's ``pending_tokens``, the connection's ``deletion_pending``). If a process crashes
  midway, the relay completes the write. One process at a time stores a grant: the holder of its lease.
"""

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from tripod import names
from tripod.sealed_tokens import SealedTokens
from tripod_flow.edges import secret_writer, telemetry
from tripod_flow.edges.deadline import Deadline
from tripod_flow.edges.secret_writer import SecretWriter
from tripod_flow.edges.table import Table
from tripod_flow.edges.token_sealer import TokenSealer
from tripod_flow.rules import backoff, connection, transitions
from tripod_flow.rules.authorization import Authorization
from tripod_flow.rules.connection import ConnectionRecord
from tripod_flow.rules.errors import Contended
from tripod_flow.rules.transitions import Transition

TRIES = 5  # of a step that another process's step may pass
MIN_TIME = 3.0  # seconds; with less left, the relay stores, and the user doesn't wait


class Revoked(Exception):  # it names what happened
    """The user has disconnected since the grant: its tokens must be invalidated and discarded."""


class TokenStore:
    """Stores grants; ``clock`` in epoch seconds."""

    def __init__(
        self,
        table: Table,
        writer: SecretWriter,
        sealer: TokenSealer,
        clock: Callable[[], float],
        *,
        deadline: Deadline,
    ) -> None:
        self._table = table
        self._writer = writer
        self._sealer = sealer
        self._clock = clock
        self._deadline = deadline

    def try_to_store(self, grant: Authorization) -> None:
        """Store the grant's tokens; where that fails they stay in the outbox, and nothing is lost: the relay follows.

        The caller holds the grant's lease; where the tokens are not stored it is given back.
        """
        if grant.to_seal:  # it was tried a moment ago, or this function may not
            self._release(grant, due=self._clock())
            return
        if self._deadline.left() < MIN_TIME:
            self._leave_to_the_relay(grant, TimeoutError())
            return
        try:
            self.store(grant)
        except Revoked:  # the relay may delete and invalidate: at once
            self._release(grant, due=self._clock())
        except (ClientError, BotoCoreError, Contended) as error:
            self._leave_to_the_relay(grant, error)

    def _leave_to_the_relay(self, grant: Authorization, error: Exception) -> None:
        telemetry.store_failed(grant, error)
        self._release(grant, due=self._clock() + backoff.delay(grant.outbox_tries))

    def _release(self, grant: Authorization, *, due: float) -> None:
        try:
            self._table.update(transitions.release_storing(grant, due=due))
        except (ClientError, BotoCoreError) as error:  # the lease ends by itself
            telemetry.failure("the lease was not given back", error, authorization=grant.log_id)

    def store(self, grant: Authorization) -> None:
        """Store the grant's tokens; if a newer grant is current, discard them.

        Raises ``Revoked`` if the user has disconnected since, the tokens still in the record.
        """
        if isinstance(grant.pending_tokens, SealedTokens):
            return self._connect_sealed(grant, grant.pending_tokens)
        tokens = grant.user_tokens()
        if grant.to_seal:
            try:
                sealed = self._sealer.seal(tokens)
            except (ClientError, BotoCoreError):  # what is discarded needs no sealing
                found = self._table.connection(names.connection_key(grant.provider, grant.user_id or ""))
                if found is not None and connection.is_newer(found, grant):
                    return self._overtaken(grant)
                raise
            return self._connect_sealed(grant, sealed)
        version = secret_writer.version_of(tokens)
        update = self._table.update_connection(connection.connect(grant, version))
        if update.applied:
            self._writer.store(tokens, expected=update.previous is not None)
            if self._mark_stored(grant, version):
                return None
        return self._overtaken(grant)

    def _overtaken(self, grant: Authorization) -> None:
        """Discard the tokens of a grant that is not current; raises ``Revoked`` if the user has disconnected since."""
        current = self._restore_current(names.connection_key(grant.provider, grant.user_id or ""))
        if current is not None and current.revoked_at is not None:
            raise Revoked
        self.discard(grant)

    def _connect_sealed(self, grant: Authorization, sealed: SealedTokens) -> None:
        """Make ``grant`` current with its sealed tokens, in one transaction with the record, which lets go of them."""
        if not self._apply_with(grant, connection.connect(grant, None, sealed)):
            self._overtaken(grant)

    def discard(self, grant: Authorization) -> Authorization | None:
        """Remove tokens that are replaced or revoked from the record, and return it."""
        record: Authorization | None = grant
        for _ in range(TRIES):
            if record is None or record.pending_tokens is None:
                return record
            record = self._table.update(transitions.mark_stored(record, now=self._clock())).record
        raise Contended

    def _mark_stored(self, grant: Authorization, version: str) -> bool:
        """Remove the tokens from the record if the grant is still current; return False if it isn't."""
        return self._apply_with(grant, connection.mark_stored(grant, version))

    def _apply_with(self, grant: Authorization, connected: Transition) -> bool:
        """Remove the tokens from the record and apply ``connected``, in one transaction; return False if the grant is not current.

        The relay may publish the grant's event meanwhile, which changes the record: then it is read and tried again.
        """
        record: Authorization | None = grant
        for _ in range(TRIES):
            if record is None or record.pending_tokens is None:
                return True
            update = self._table.update_with_connection(transitions.mark_stored(record, now=self._clock()), connected)
            if update.superseded:
                return False
            if update.applied:
                return True
            record = self._table.authorization(grant.pk)
        raise Contended

    def _restore_current(self, pk: str) -> ConnectionRecord | None:
        """Make the current grant's tokens the secret's content, and return the connection; a revoked one is returned as it is."""

        def restore(found: ConnectionRecord) -> None:
            if found.revoked_at is None:
                restore_current(self._writer, found)

        return align(self._table, pk, restore)


def restore_current(writer: SecretWriter, found: ConnectionRecord) -> None:
    """Make the version of the connection's current grant the secret's content."""
    if found.secret_version is not None:
        writer.restore(found.provider, found.user_id, found.secret_version)


def align(table: Table, pk: str, apply: Callable[[ConnectionRecord], None]) -> ConnectionRecord | None:
    """Apply the connection to the secret, until it is the same before and after; return it. Raises ``Contended``."""
    found = table.connection(pk)
    for _ in range(TRIES):
        if found is None:
            return None
        apply(found)
        seen = table.connection(pk)
        if seen is not None and connection.says_the_same(seen, found):
            return seen
        found = seen
    raise Contended
