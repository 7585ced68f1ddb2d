"""Revocation: invalidate a user's tokens at the provider and delete them here."""

from collections.abc import Callable

from tripod.credentials import Consumer, UserTokens
from tripod.errors import MalformedSecret, TokenNotFound
from tripod.secret_reader import SecretReader
from tripod_flow.edges import telemetry
from tripod_flow.edges.consumers import Consumers
from tripod_flow.edges.provider_client import ProviderClient, Refused, Unavailable
from tripod_flow.edges.table import Table
from tripod_flow.flows.token_deletion import TokenDeletion
from tripod_flow.flows.token_store import TRIES
from tripod_flow.rules import connection
from tripod_flow.rules.errors import Contended, NotConnected, ProviderUnavailable
from tripod_flow.rules.provider import ProviderDefinition


class Revocation:
    """Disconnects users; ``clock`` in epoch seconds."""

    def __init__(
        self,
        table: Table,
        reader: SecretReader,
        consumers: Consumers,
        provider_client: ProviderClient,
        token_deletion: TokenDeletion,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._table = table
        self._reader = reader
        self._consumers = consumers
        self._provider_client = provider_client
        self._token_deletion = token_deletion
        self._clock = clock

    def revoke(self, provider: str, user_id: str) -> bool:
        """Invalidate the user's token, mark the connection, delete the secret; a failure midway can be repeated.

        Returns whether the provider has invalidated the token. It has not where there is no way to, where the app has changed since,
        where the secret can't be read, or where the provider refuses; an unknown token counts as invalidated. The provider comes first:
        without the secret nobody could invalidate the token any more. One that is down leaves everything as it is and raises
        ``ProviderUnavailable``.
        A grant whose tokens are still pending is revoked too, and a consent that waits for its ticket: the process that stores or
        redeems them finds the revocation, and the relay invalidates them. Raises ``NotConnected`` where neither tokens nor a connection
        are kept; the revocation is recorded nevertheless.
        """
        self._consumers.find(provider)
        pk = connection.key(provider, user_id)
        for _ in range(TRIES):
            found = self._table.connection(pk)
            has_secret, tokens = self._read_tokens(provider, user_id)
            was_connected = has_secret or (found is not None and found.is_connection)
            invalidated = tokens is not None and self.invalidate(tokens)
            transition = connection.revoke(provider, user_id, found, now=self._clock())
            if self._table.update_connection(transition).applied:
                if not was_connected:  # recorded all the same: it ends what is on its way
                    raise NotConnected("neither secret nor connection")
                telemetry.count("revoked")
                telemetry.log().info("revoked", extra={"provider": provider, "user_id": user_id, "invalidated": invalidated})
                self._token_deletion.align(pk)  # the relay looks whether it stays so
                return invalidated
        raise Contended

    def invalidate(self, tokens: UserTokens) -> bool:
        """Have the provider invalidate ``tokens``; return whether it has: it may refuse. Raises ``ProviderUnavailable``."""
        client = self._provider_client.for_request()

        def request(definition: ProviderDefinition, consumer: Consumer) -> bool:
            if definition.invalidate_url is None or tokens.consumer_key != consumer.consumer_key:
                return False  # another app's token: the provider would call it unknown, which proves nothing
            client.invalidate(definition.invalidate_url, consumer, tokens)
            return True

        try:
            return self._consumers.call(tokens.provider, request)
        except Unavailable as error:
            raise ProviderUnavailable(str(error), error.retry_after) from None
        except Refused as error:  # whatever the provider says to it, a user who asked not to be connected isn't
            telemetry.log().warning(
                "not invalidated", extra={"provider": tokens.provider, "user_id": tokens.user_id, "reason": str(error)}
            )
            return False

    def _read_tokens(self, provider: str, user_id: str) -> tuple[bool, UserTokens | None]:
        """Return whether there is a secret, and the tokens in it if they can be read."""
        try:
            return True, self._reader.user(provider, user_id, fresh=True)
        except TokenNotFound:
            return False, None
        except MalformedSecret as error:
            telemetry.log().warning("deleted unread", extra={"provider": provider, "reason": str(error)})
            return True, None
