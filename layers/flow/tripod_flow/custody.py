"""Custody: a committed grant's way into Secrets Manager, and a revoked one's way out.

Every step can be repeated, by whoever comes by, until it is done.
"""

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from tripod_flow import connection, progress, telemetry, vault
from tripod_flow.authorization import Authorization
from tripod_flow.connection import Connection
from tripod_flow.deadline import Deadline
from tripod_flow.table import Table
from tripod_flow.vault import Contended, TokenVault

TRIES = 3  # of a step that another's step may pass
NEEDED = 3.0  # seconds; with less left, the relay stores rather than the user waits


class Revoked(Exception):  # it names what happened
    """The user has disconnected since the grant: its tokens are void, and what was written of them must be erased."""

    def __init__(self, standing: Connection) -> None:
        super().__init__("the connection was revoked after this grant")
        self.standing = standing


class Custody:
    """Stores grants: the connection first, then the secret, then the record is settled; ``clock`` in epoch seconds."""

    def __init__(self, table: Table, writer: TokenVault, clock: Callable[[], float], deadline: Deadline | None = None) -> None:
        self._table = table
        self._writer = writer
        self._clock = clock
        self._deadline = deadline or Deadline()

    def try_to_keep(self, grant: Authorization) -> bool:
        """Store the grant, and tell whether that is done; where it fails the grant stays owed, and nothing is lost."""
        if self._deadline.left() < NEEDED:
            telemetry.unstored(grant, TimeoutError())
            return False
        try:
            self.keep(grant)
        except (ClientError, BotoCoreError, Contended, Revoked) as error:
            telemetry.unstored(grant, error)
            return False
        return True

    def keep(self, grant: Authorization) -> None:
        """Store the grant's tokens; where the user has granted anew since, they are void, and dropped.

        Raises ``Revoked`` where the user has disconnected since.
        """
        tokens = grant.tokens()
        version = vault.version_of(tokens)
        newest, before = self._table.connect(connection.connect(grant, version))
        if newest:
            self._writer.store(tokens, expected=before is not None)
            overtaken_by = self._settle(grant)
            if overtaken_by is None:
                return
            before = overtaken_by
            if before.revoked_at is None and before.version is not None:  # what we wrote is not the current grant's
                self._writer.make_current(before.provider, before.user_id, before.version)
        if before is not None and before.revoked_at is not None:
            raise Revoked(before)
        self.drop(grant)

    def drop(self, grant: Authorization) -> None:
        """Take void tokens out of the record."""
        self._settle(grant, unconditionally=True)

    def erase(self, revoked: Connection) -> None:
        """Delete the secret of a revoked connection; where the user has granted anew meanwhile, bring the new tokens back."""
        self._writer.delete(revoked.provider, revoked.user_id)
        for _ in range(TRIES):
            standing = self._table.connection(revoked.pk)
            if standing is None:
                return
            if standing.revoked_at is None:
                if standing.version is not None:
                    self._writer.restore(standing.provider, standing.user_id, standing.version)
                return
            if not standing.unerased or self._table.connect(connection.erased(standing))[0]:
                return

    def _settle(self, grant: Authorization, *, unconditionally: bool = False) -> Connection | None:
        """Take the tokens out of the record; returns the connection where it speaks of another grant, and then does nothing.

        The relay may publish the grant's event meanwhile, which changes what is left to be owed: then it is looked at again.
        """
        record: Authorization | None = grant
        for _ in range(TRIES):
            if record is None or record.unstored is None:
                return None
            transition = progress.settled(record, now=self._clock())
            if unconditionally:
                made = self._table.move(transition)[0]
            else:
                made, overtaken_by = self._table.settle(transition, grant)
                if overtaken_by is not None:
                    return overtaken_by
            if made:
                return None
            record = self._table.authorization(grant.pk)
        raise Contended
