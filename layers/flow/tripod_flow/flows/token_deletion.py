"""The deletion of a revoked user's tokens from Secrets Manager; only functions whose role may delete secrets have it."""

from tripod_flow.edges.secret_writer import SecretWriter
from tripod_flow.edges.table import Table
from tripod_flow.flows.token_store import TRIES, align, restore_current
from tripod_flow.rules import connection
from tripod_flow.rules.connection import ConnectionRecord
from tripod_flow.rules.errors import Contended


class TokenDeletion:
    """Completes deletions that a revocation has begun."""

    def __init__(self, table: Table, writer: SecretWriter) -> None:
        self._table = table
        self._writer = writer

    def complete(self, pk: str) -> None:
        """Align the secret with its connection: it is deleted, or holds the tokens of a newer grant. Raises ``Contended``.

        The mark is the second look: it is set only where the connection is still as it was.
        """
        for _ in range(TRIES):
            found = self._table.connection(pk)
            if found is None or not found.deletion_pending:
                return
            self._apply(found)
            if self._table.update_connection(connection.mark_deletion_done(found)).applied:
                return
            self.align(pk)  # overtaken: somebody else may have taken the mark away, and what was just written be the last word
        raise Contended

    def align(self, pk: str) -> None:
        """Align the secret with its connection, a pending deletion or not. Raises ``Contended``."""
        align(self._table, pk, self._apply)

    def _apply(self, found: ConnectionRecord) -> None:
        if found.revoked_at is not None:
            self._writer.delete(found.provider, found.user_id)
        else:
            restore_current(self._writer, found)
