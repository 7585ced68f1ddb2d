"""Custody: a committed grant's way into Secrets Manager, and a revoked one's way out.

Secrets Manager knows no condition on a write, so a slow writer may come last. Three things make up for it:
- the connection says what the secret must be, and is written before the secret is;
- whoever has written the secret looks at the connection again, and if it says something else by now, brings the secret into line;
- until then something owed stands in the table: the grant's ``unstored`` tokens, or the connection's ``unerased``. Whoever dies on the
  way is followed by the relay. One grant is stored by one at a time: by who decided it, for as long as its lease lasts.
"""

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from tripod_flow import connection, progress, telemetry, vault
from tripod_flow.authorization import Authorization
from tripod_flow.connection import Connection
from tripod_flow.deadline import Deadline
from tripod_flow.table import Table
from tripod_flow.vault import Contended, TokenVault

TRIES = 5  # of a step that another's step may pass
NEEDED = 3.0  # seconds; with less left, the relay stores rather than the user waits


class Revoked(Exception):  # it names what happened
    """The user has disconnected since the grant: its tokens are void, and are to be invalidated and erased."""


class Custody:
    """Stores grants and erases revoked ones; ``clock`` in epoch seconds. Not every function may delete: see ``erases``."""

    def __init__(
        self,
        table: Table,
        writer: TokenVault,
        clock: Callable[[], float],
        deadline: Deadline | None = None,
        *,
        erases: bool = False,
    ) -> None:
        self._table = table
        self._writer = writer
        self._clock = clock
        self._deadline = deadline or Deadline()
        self._erases = erases

    def try_to_keep(self, grant: Authorization) -> bool:
        """Store the grant, and tell whether that is done; where it fails the grant stays owed, and nothing is lost.

        The caller holds the grant's lease; after a failure it is given back, so that others may try at once.
        """
        failure: Exception = TimeoutError()
        if self._deadline.left() >= NEEDED:
            try:
                self.keep(grant)
            except (ClientError, BotoCoreError, Contended, Revoked) as error:
                failure = error
            else:
                return True
        telemetry.unstored(grant, failure)
        try:
            self._table.move(progress.unkept(grant))
        except (ClientError, BotoCoreError) as error:  # the lease ends by itself
            telemetry.failure("the lease was not given back", error, authorization=grant.label)
        return False

    def keep(self, grant: Authorization) -> None:
        """Store the grant's tokens; where the user has granted anew since, they are void, and dropped.

        Raises ``Revoked`` where the user has disconnected since, the tokens still in the record.
        """
        tokens = grant.tokens()
        newest, before = self._table.connect(connection.connect(grant, vault.version_of(tokens)))
        if newest:
            self._writer.store(tokens, expected=before is not None)
            if self._settle(grant):
                return
        standing = self._reconcile(connection.key(grant.provider, grant.user_id or ""))
        if standing is not None and standing.revoked_at is not None:
            raise Revoked
        self.drop(grant)

    def drop(self, grant: Authorization) -> None:
        """Take void tokens out of the record."""
        self._settle(grant, unconditionally=True)

    def erase(self, pk: str) -> None:
        """Finish a deletion that was begun: the secret becomes what the connection says, which may be a newer grant's tokens."""
        for _ in range(TRIES):
            standing = self._reconcile(pk)
            if standing is None or not standing.unerased or self._table.connect(connection.reconciled(standing))[0]:
                return
        raise Contended

    def _reconcile(self, pk: str) -> Connection | None:
        """Bring the secret into line with the connection, and return it as it then still stands."""
        standing = self._table.connection(pk)
        for _ in range(TRIES):
            if standing is None:
                return None
            self._apply(standing)
            seen = self._table.connection(pk)
            if seen is not None and (seen.grant, seen.revoked_at) == (standing.grant, standing.revoked_at):
                return seen
            standing = seen
        raise Contended

    def _apply(self, standing: Connection) -> None:
        if standing.revoked_at is not None:
            if self._erases:
                self._writer.delete(standing.provider, standing.user_id)
        elif standing.version is not None:
            self._writer.restore(standing.provider, standing.user_id, standing.version)

    def _settle(self, grant: Authorization, *, unconditionally: bool = False) -> bool:
        """Take the tokens out of the record if the connection still speaks of this grant; returns whether it does.

        The relay may publish the grant's event meanwhile, which changes what is left to be owed: then it is looked at again.
        """
        record: Authorization | None = grant
        for _ in range(TRIES):
            if record is None or record.unstored is None:
                return True
            transition = progress.settled(record, now=self._clock())
            if unconditionally:
                made = self._table.move(transition)[0]
            else:
                made, overtaken_by = self._table.settle(transition, grant)
                if overtaken_by is not None:
                    return False
            if made:
                return True
            record = self._table.authorization(grant.pk)
        raise Contended
