"""Revocation: the user's tokens are invalidated at the provider, and deleted here."""

from collections.abc import Callable

from tripod.credentials import Consumer, UserTokens
from tripod.errors import MalformedSecret
from tripod.errors import TokenNotFound as NotKept
from tripod.vault import Vault
from tripod_flow import connection, telemetry, vault
from tripod_flow.consumers import Consumers
from tripod_flow.custody import Custody
from tripod_flow.errors import NotConfigured, ProviderRejected, ProviderUnavailable, TokenNotFound
from tripod_flow.legs import Legs, Refused, Unavailable
from tripod_flow.provider import Provider
from tripod_flow.table import Table


class Revocation:
    """Disconnects users; ``clock`` in epoch seconds."""

    def __init__(
        self,
        table: Table,
        reader: Vault,
        consumers: Consumers,
        provider_legs: Legs,
        custody: Custody,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._table = table
        self._reader = reader
        self._consumers = consumers
        self._legs = provider_legs
        self._custody = custody
        self._clock = clock

    def revoke(self, provider: str, user_id: str) -> None:
        """Invalidate the user's token, mark the connection, delete the secret; what fails on the way can be asked for again.

        The provider first: once the secret is gone, nobody could invalidate the token any more. A provider that is down leaves all as
        it is and raises ``ProviderUnavailable``; one that has forgotten the token is content. Raises ``TokenNotFound`` where neither
        tokens nor a connection are kept.
        """
        self._consumers.find(provider)
        pk = connection.key(provider, user_id)
        tokens = self._tokens(provider, user_id)
        if tokens is None:
            standing = self._table.connection(pk)
            if standing is None or (standing.revoked_at is not None and not standing.unerased):
                raise TokenNotFound("neither secret nor connection")
            if standing.unerased:
                self._custody.erase(standing)
                return
            version = standing.version
        else:
            self._invalidate(provider, tokens)
            version = vault.version_of(tokens)
        now = self._clock()
        marked, standing = self._table.connect(connection.revoke(provider, user_id, version, now=now))
        if marked:
            telemetry.count("revoked")
            telemetry.log().info("revoked", extra={"provider": provider, "user_id": user_id})
            standing = self._table.connection(pk)
        if standing is not None and standing.unerased:  # else a newer grant stands, which is not ours to end
            self._custody.erase(standing)

    def _tokens(self, provider: str, user_id: str) -> UserTokens | None:
        try:
            return self._reader.user(provider, user_id, fresh=True)
        except NotKept:
            return None
        except MalformedSecret as error:
            raise NotConfigured(str(error)) from None

    def _invalidate(self, name: str, tokens: UserTokens) -> None:
        provider_legs = self._legs.for_request()

        def leg(definition: Provider, consumer: Consumer) -> None:
            provider_legs.invalidate(definition, consumer, tokens)

        try:
            self._consumers.call(name, leg)
        except Unavailable as error:
            raise ProviderUnavailable(str(error), error.retry_after) from None
        except Refused as error:
            raise ProviderRejected(error.refusal.cause, f"the token could not be invalidated: {error}") from None
