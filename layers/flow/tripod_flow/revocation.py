"""Revocation: the user's tokens are invalidated at the provider, and deleted here."""

from collections.abc import Callable

from tripod.credentials import Consumer, UserTokens
from tripod.errors import MalformedSecret
from tripod.errors import TokenNotFound as NotKept
from tripod.vault import Vault
from tripod_flow import connection, telemetry
from tripod_flow.consumers import Consumers
from tripod_flow.custody import TRIES, Custody
from tripod_flow.errors import ProviderRejected, ProviderUnavailable, TokenNotFound
from tripod_flow.legs import Legs, Refused, Unavailable
from tripod_flow.provider import Provider
from tripod_flow.table import Table
from tripod_flow.vault import Contended


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

    def revoke(self, provider: str, user_id: str) -> bool:
        """Invalidate the user's token, mark the connection, delete the secret; what fails on the way can be asked for again.

        Returns whether the provider has invalidated the token; it can't where it has no way to, where the app has changed since, or
        where the secret can't be read. The provider first: once the secret is gone, nobody could invalidate the token any more. A
        provider that is down leaves all as it is and raises ``ProviderUnavailable``; one that has forgotten the token is content.
        Raises ``TokenNotFound`` where neither tokens nor a connection are kept. A grant whose tokens are still on their way is revoked
        too: whoever stores them finds that out, and the relay invalidates them.
        """
        self._consumers.find(provider)
        pk = connection.key(provider, user_id)
        for _ in range(TRIES):
            standing = self._table.connection(pk)
            kept, tokens = self._tokens(provider, user_id)
            if not kept and (standing is None or (standing.revoked_at is not None and not standing.unerased)):
                raise TokenNotFound("neither secret nor connection")
            invalidated = tokens is not None and self.invalidate(tokens)
            if self._table.connect(connection.revoke(provider, user_id, standing, now=self._clock()))[0]:
                telemetry.count("revoked")
                telemetry.log().info("revoked", extra={"provider": provider, "user_id": user_id, "invalidated": invalidated})
                self._custody.erase(pk)
                return invalidated
        raise Contended

    def invalidate(self, tokens: UserTokens) -> bool:
        """Have the provider invalidate ``tokens``; returns whether it has. Raises ``ProviderUnavailable`` or ``ProviderRejected``."""
        provider_legs = self._legs.for_request()

        def leg(definition: Provider, consumer: Consumer) -> bool:
            if definition.invalidate_url is None or tokens.consumer_key != consumer.consumer_key:
                return False  # another app's token: the provider would call it unknown, which proves nothing
            provider_legs.invalidate(definition, consumer, tokens)
            return True

        try:
            return self._consumers.call(tokens.provider, leg)
        except Unavailable as error:
            raise ProviderUnavailable(str(error), error.retry_after) from None
        except Refused as error:
            raise ProviderRejected(error.refusal.cause, f"the token could not be invalidated: {error}") from None

    def _tokens(self, provider: str, user_id: str) -> tuple[bool, UserTokens | None]:
        """Return whether there is a secret, and the tokens in it, if they can be read."""
        try:
            return True, self._reader.user(provider, user_id, fresh=True)
        except NotKept:
            return False, None
        except MalformedSecret as error:
            telemetry.log().warning("deleted unread", extra={"provider": provider, "reason": str(error)})
            return True, None
