"""Check: ask the provider whether it still takes a user's tokens, and record what it says.

A report, of another Lambda whose request was refused, is a hint: only the provider's own answer changes anything, and only one that
can't mean anything else.
"""

from collections.abc import Callable
from contextlib import suppress

from tripod import names
from tripod.credentials import AccessToken, Consumer
from tripod.errors import MalformedSecret, TokenNotFound
from tripod.provider_errors import Cause
from tripod.sealed_tokens import SealedTokens
from tripod.secret_reader import SecretReader
from tripod_flow.edges import telemetry
from tripod_flow.edges.consumers import Consumers
from tripod_flow.edges.provider_answer import Refused, TokenRefused, Unavailable
from tripod_flow.edges.provider_client import ProviderClient
from tripod_flow.edges.table import Table
from tripod_flow.edges.token_sealer import TokenSealer
from tripod_flow.flows.token_store import TRIES
from tripod_flow.rules import check, errors
from tripod_flow.rules.check import Finding, Health
from tripod_flow.rules.connection import ConnectionRecord
from tripod_flow.rules.provider import ProviderDefinition


class ConnectionCheck:
    """Checks connections; ``clock`` in epoch seconds."""

    def __init__(
        self,
        table: Table,
        reader: SecretReader,
        consumers: Consumers,
        provider_client: ProviderClient,
        *,
        token_sealer: TokenSealer,
        clock: Callable[[], float],
    ) -> None:
        self._table = table
        self._reader = reader
        self._consumers = consumers
        self._provider_client = provider_client
        self._token_sealer = token_sealer
        self._clock = clock

    def check(self, provider: str, user_id: str, *, reported: bool = False) -> Finding:
        """Ask the provider, record what it says, and return it; ``UNKNOWN`` where it says nothing clear.

        While another process asks, and for a while after it did, nobody is asked: what it has found is returned. A report needs no
        answer, so it asks more rarely. Raises ``ProviderUnavailable``, ``NotConnected`` where there is no connection,
        ``UnknownProvider`` where there is no such provider either, and ``NotConfigured``.
        """
        if not names.is_provider(provider):
            raise errors.UnknownProvider("not a provider's name")
        found = self._table.connection(names.connection_key(provider, user_id))
        if found is None or not found.is_connection or found.grant_id is None:
            with suppress(errors.NotConfigured):
                self._consumers.find(provider)
            raise errors.NotConnected("no connection")
        now = self._clock()
        if reported and not check.is_news(found, now=now):
            return check.recorded(found)
        if check.has_expired(found, now=now):
            return self._record(found, Finding(Health.REFUSED, Cause.TOKEN_EXPIRED), since=now)
        definition, _ = self._consumers.find(provider)
        if definition.identity_url is None or not check.has_its_tokens(found):
            return check.NOTHING
        if not self._table.update_connection(check.lease_check(found, now=now)).applied:
            return self._recorded(found)
        try:
            finding = self._ask(found)
        except Unavailable as error:
            raise errors.ProviderUnavailable(str(error), error.retry_after) from None
        if finding.health is Health.UNKNOWN:
            telemetry.log().info("not known", extra={"provider": provider, "user_id": user_id})
            return finding
        return self._record(found, finding, since=now)

    def _ask(self, found: ConnectionRecord) -> Finding:
        """Ask the provider whose token it is. Raises ``Unavailable``."""
        token = self._token(found)
        if token is None:
            return check.NOTHING
        client = self._provider_client.for_request()

        def request(definition: ProviderDefinition, consumer: Consumer) -> Finding:
            # Another app's token it may call revoked, whatever became of it.
            if definition.identity_url is None or token.consumer_key != consumer.consumer_key:
                return check.NOTHING
            is_theirs = client.identity(definition, consumer, token).user_id == found.user_id
            return Finding(Health.CONNECTED) if is_theirs else check.NOTHING

        try:
            return self._consumers.call(found.provider, request)
        except TokenRefused:
            return Finding(Health.REFUSED, Cause.TOKEN_REVOKED)
        except Refused as error:
            return check.meaning(error.refusal)

    def _token(self, found: ConnectionRecord) -> AccessToken | None:
        """Return the current grant's own token; whoever is slow to write the secret may have put an earlier one's into it for a moment."""
        try:
            if found.sealed_tokens is not None:
                return self._token_sealer.unseal(found.provider, found.user_id, SealedTokens(found.sealed_tokens))
            if found.secret_version is not None:
                return self._reader.version_of_user(found.provider, found.user_id, found.secret_version)
        except TokenNotFound:  # deleted a moment ago
            return None
        except (ValueError, MalformedSecret) as error:
            telemetry.log().warning("not checked", extra={"provider": found.provider, "reason": str(error)})
        return None

    def _record(self, asked: ConnectionRecord, finding: Finding, *, since: float) -> Finding:
        """Record a finding unless it is overtaken, and return what is then on record."""
        found: ConnectionRecord | None = asked
        for _ in range(TRIES):
            if found is None or check.is_overtaken(found, asked, since=since):
                return check.recorded(found) if found is not None and found.is_connection else check.NOTHING
            was = check.recorded(found)
            if self._table.update_connection(check.record(found, finding, since=since, now=self._clock())).applied:
                if was.health is not finding.health:
                    telemetry.count("refused" if finding.health is Health.REFUSED else "restored")
                    told = {"provider": asked.provider, "user_id": asked.user_id, "cause": str(finding.cause or "")}
                    telemetry.log().info("connection changed", extra={**told, "state": str(finding.health)})
                return Finding(finding.health, finding.cause, since)
            found = self._table.connection(asked.pk)
        raise errors.Contended

    def _recorded(self, asked: ConnectionRecord) -> Finding:
        found = self._table.connection(asked.pk)
        if found is None or not found.is_connection:
            raise errors.NotConnected("disconnected meanwhile")
        return check.recorded(found) if check.is_answered(found) else check.NOTHING
