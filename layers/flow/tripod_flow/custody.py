"""Custody: a committed grant's way into Secrets Manager. Every step can be repeated, by whoever comes by, until it is done."""

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from tripod_flow import authorization, connection, telemetry, vault
from tripod_flow.authorization import Authorization
from tripod_flow.connection import Connection
from tripod_flow.table import Table
from tripod_flow.vault import Contended, TokenVault


class Custody:
    """Stores grants: the connection first, then the secret, then the record is settled; ``clock`` in epoch seconds."""

    def __init__(self, table: Table, writer: TokenVault, clock: Callable[[], float]) -> None:
        self._table = table
        self._writer = writer
        self._clock = clock

    def try_to_keep(self, grant: Authorization) -> bool:
        """Store the grant, and tell whether that is done; where AWS fails it stays owed, and nothing is lost."""
        try:
            self.keep(grant)
        except (ClientError, BotoCoreError, Contended) as error:
            telemetry.unstored(grant, error)
            return False
        return True

    def keep(self, grant: Authorization) -> None:
        """Store the grant's tokens, unless the user has granted anew or disconnected since: then they are void, and dropped."""
        tokens = grant.tokens()
        version = vault.version_of(tokens)
        newest, before = self._table.connect(connection.connect(grant, version))
        if not newest:
            self._drop(grant)
            return
        self._writer.store(tokens, expected=before is not None)
        settled, standing = self._table.settle(authorization.settled(grant, now=self._clock()), grant)
        if not settled:
            self._yield_to(standing)
            self._drop(grant)

    def _yield_to(self, standing: Connection | None) -> None:
        """Put right what we wrote while a newer grant overtook us: its tokens are the current ones, not ours."""
        if standing is not None:
            self._writer.make_current(standing.provider, standing.user_id, standing.version)

    def _drop(self, grant: Authorization) -> None:
        self._table.move(authorization.settled(grant, now=self._clock()))
