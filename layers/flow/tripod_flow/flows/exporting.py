"""Export users' tokens, wherever they are kept: those of the grant that is current, and no other. No function imports this module."""

import time
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field

from tripod import names
from tripod.credentials import UserTokens
from tripod_flow.edges.moved_secrets import MovedSecrets, Unreadable
from tripod_flow.edges.roster import Roster
from tripod_flow.edges.table import Table
from tripod_flow.edges.token_sealer import TokenSealer
from tripod_flow.flows.pacing import Pace, retrying
from tripod_flow.flows.token_store import TRIES
from tripod_flow.rules import moving
from tripod_flow.rules.connection import ConnectionRecord
from tripod_flow.rules.moving import Place

RATE = 50.0  # users a second; both stores let an account read thousands


@dataclass(frozen=True, slots=True)
class Exported:
    """One user's connection and tokens; without tokens ``reason`` says why there are none, without any secret."""

    connection: ConnectionRecord
    tokens: UserTokens | None = field(default=None, repr=False)
    reason: str = ""


class Export:
    """Exports tokens; ``clock`` in epoch seconds. AWS's errors are waited out by ``sleep``, longer each time."""

    def __init__(
        self,
        table: Table,
        roster: Roster,
        secrets: MovedSecrets,
        sealer: TokenSealer,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._table = table
        self._roster = roster
        self._secrets = secrets
        self._sealer = sealer
        self._clock = clock
        self._sleep = sleep

    def run(
        self, provider: str, *, state: str | None = None, without: Container[str] = (), rate: float = RATE
    ) -> Iterator[Exported]:
        """Yield who is connected, in order of user id: those in ``state`` (``connected``, ``refused``), and not in ``without``.

        Who has disconnected meanwhile is left out. Raises botocore's errors.
        """
        pace = Pace(rate, self._clock, self._sleep)
        for user_id in self._roster.connected(provider):
            if user_id in without:
                continue
            exported = self._exported(provider, user_id, state)
            if exported is not None:
                yield exported
            pace.wait()

    def _exported(self, provider: str, user_id: str, state: str | None) -> Exported | None:
        """Return a user's tokens as of one moment: where the connection has changed meanwhile, look again.

        None, and no tokens are read, where the user has disconnected or is in another state.
        """
        for _ in range(TRIES):
            found = self._found(provider, user_id)
            if found is None or moving.place(found) is Place.NOWHERE:
                return None
            if state not in (None, "refused" if found.refused_by else "connected"):
                return None
            if moving.place(found) is Place.ON_THEIR_WAY:
                return Exported(found, reason="the tokens are being stored; export again in a minute")
            try:
                return Exported(found, retrying(lambda found=found: self._read(found), self._sleep))  # type: ignore[misc]
            except (Unreadable, ValueError) as error:
                if moving.is_same(self._found(provider, user_id), found):
                    return Exported(found, reason=str(error))
        return Exported(found, reason="the connection keeps changing") if found else None

    def _found(self, provider: str, user_id: str) -> ConnectionRecord | None:
        return retrying(lambda: self._table.connection(names.connection_key(provider, user_id)), self._sleep)

    def _read(self, found: ConnectionRecord) -> UserTokens:
        if found.sealed_tokens is not None:
            return self._sealer.open(found.provider, found.user_id, found.sealed_tokens)
        return self._secrets.read(found.provider, found.user_id, found.secret_version or "")
