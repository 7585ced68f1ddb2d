"""The deletion of tokens from Secrets Manager, of who has disconnected or whose tokens the table keeps; only for roles that may delete.

A slow write may be the last: of somebody who was overtaken meanwhile, and dies with it. So a deletion is called done by whoever finds the
secret as it should be, without writing, once nobody can be writing any more.
"""

from collections.abc import Callable

from tripod_flow.edges.secret_writer import SecretWriter
from tripod_flow.edges.table import Table
from tripod_flow.flows.token_store import TRIES, align, restore_current
from tripod_flow.rules import connection
from tripod_flow.rules.connection import ConnectionRecord
from tripod_flow.rules.errors import Contended


class TokenDeletion:
    """Makes deletions that a revocation has begun, and completes them; ``clock`` in epoch seconds."""

    def __init__(self, table: Table, writer: SecretWriter, clock: Callable[[], float]) -> None:
        self._table = table
        self._writer = writer
        self._clock = clock

    def align(self, pk: str) -> None:
        """Align the secret with its connection: it is deleted, or holds the tokens of a newer grant. Raises ``Contended``."""
        align(self._table, pk, self._apply)

    def complete(self, pk: str) -> None:
        """Call a pending deletion done where it is. Else align the secret, and have the relay look again. Raises ``Contended``."""
        for _ in range(TRIES):
            found, now = self._table.connection(pk), self._clock()
            if found is None or not found.deletion_pending:
                return
            is_being_written = (found.deletion_until or 0.0) > now
            if is_being_written or self._is_done(found):
                look = connection.await_deletion if is_being_written else connection.mark_deletion_done
                if self._table.update_connection(look(found)).applied:
                    return
            elif self._table.update_connection(connection.lease_deletion(found, now=now)).applied:
                self.align_leased(pk)
        raise Contended

    def align_leased(self, pk: str) -> None:
        """Align the secret as the deletion's holder, who deletes it where the table has the tokens, too. Raises ``Contended``."""
        align(self._table, pk, self._apply_leased)

    def _is_done(self, found: ConnectionRecord) -> bool:
        version = found.secret_version if found.revoked_at is None else None
        return self._writer.holds(found.provider, found.user_id, version)

    def _apply_leased(self, found: ConnectionRecord) -> None:
        if found.sealed_tokens is not None and found.secret_version is None:
            self._writer.delete(found.provider, found.user_id)
        else:
            self._apply(found)

    def _apply(self, found: ConnectionRecord) -> None:
        if found.revoked_at is not None:
            self._writer.delete(found.provider, found.user_id)
        else:
            restore_current(self._writer, found)
