"""Revocation: end a connection, delete its tokens here, and have the provider invalidate them."""

from collections.abc import Callable
from contextlib import suppress

from botocore.exceptions import BotoCoreError, ClientError

from tripod import names
from tripod.credentials import AccessToken, Consumer
from tripod.sealed_tokens import SealedTokens
from tripod.secret_reader import SecretReader
from tripod_flow.edges import telemetry
from tripod_flow.edges.consumers import Consumers
from tripod_flow.edges.provider_answer import Refused, Unavailable
from tripod_flow.edges.provider_client import ProviderClient
from tripod_flow.edges.table import Table
from tripod_flow.edges.token_sealer import TokenSealer
from tripod_flow.flows.kept_token import kept_token
from tripod_flow.flows.token_deletion import TokenDeletion
from tripod_flow.flows.token_store import TRIES
from tripod_flow.rules import revocation
from tripod_flow.rules.authorization import Authorization
from tripod_flow.rules.connection import ConnectionRecord
from tripod_flow.rules.errors import Contended, NotConfigured, NotConnected, ProviderUnavailable, UnknownProvider
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
        token_sealer: TokenSealer,
        clock: Callable[[], float],
    ) -> None:
        self._table = table
        self._reader = reader
        self._token_sealer = token_sealer
        self._consumers = consumers
        self._provider_client = provider_client
        self._token_deletion = token_deletion
        self._clock = clock

    def revoke(self, provider: str, user_id: str) -> bool | None:
        """Mark the connection as revoked, delete the secret, and have the provider invalidate the user's token.

        Returns whether the provider has invalidated it; None: the provider can't be asked now, and the relay asks it for a day. It has not
        where there is no way to, where the app has changed since, where the secret can't be read, or where the provider refuses; an
        unknown token counts as invalidated. Whatever the provider does, and whatever the consumer secret holds, the user is disconnected,
        and a failure midway is made up for.
        A grant whose tokens are still pending is revoked too, and a consent that waits for its ticket: the process that stores or
        redeems them finds the revocation, and the relay invalidates them. Raises ``NotConnected`` where neither tokens nor a connection
        are kept; the revocation is recorded nevertheless. Raises ``UnknownProvider`` where there is no such provider either.
        """
        if not names.is_provider(provider):
            raise UnknownProvider("not a provider's name")
        pk = names.connection_key(provider, user_id)
        for _ in range(TRIES):
            found = self._table.connection(pk)
            has_secret, token = kept_token(self._reader, provider, user_id, found)
            was_connected = has_secret or (found is not None and found.is_connection)
            if not was_connected:
                self._refuse_unknown(provider)
            if token is not None and not self._may_invalidate(provider, token):
                token = None
            wait = revocation.INVALIDATING if token or (found and found.pending_invalidation) else 0.0
            transition = revocation.revoke(provider, user_id, found, now=self._clock(), token=token, wait=wait)
            if self._table.update_connection(transition).applied:
                if not was_connected:  # recorded all the same: it ends what is on its way
                    raise NotConnected("neither secret nor connection")
                self._token_deletion.align(pk)  # the relay looks whether it stays so
                invalidated = self._invalidate_now(pk) if token else False
                telemetry.count("revoked")
                told = {
                    "provider": provider,
                    "user_id": user_id,
                    "invalidated": "pending" if invalidated is None else invalidated,
                }
                telemetry.log().info("revoked", extra=told)
                return invalidated
        raise Contended

    def _refuse_unknown(self, provider: str) -> None:
        """Raise ``UnknownProvider`` where there is no consumer secret of this name; one that can't be read is one."""
        with suppress(NotConfigured):
            self._consumers.find(provider)

    def _may_invalidate(self, provider: str, token: AccessToken | SealedTokens) -> bool:
        """Return True if the provider can be asked to invalidate a token, or could be if the consumer secret were right again."""
        try:
            definition, consumer = self._consumers.find(provider)
        except (NotConfigured, UnknownProvider):
            return True
        if isinstance(token, SealedTokens):
            return definition.invalidate_url is not None
        return _can_invalidate(definition, consumer, token)

    def _invalidate_now(self, pk: str) -> bool | None:
        """Have the pending token invalidated; None where that is left to the relay."""
        try:
            return self.invalidate_pending(pk)
        except (ProviderUnavailable, NotConfigured, UnknownProvider, ClientError, BotoCoreError, Contended) as error:
            telemetry.failure("not invalidated yet: the relay tries again", error, **telemetry.named(pk))
            return None

    def invalidate_pending(self, pk: str) -> bool | None:
        """Have the provider invalidate a connection's pending token, and return whether it has.

        None where somebody else asks. Raises as ``_invalidate`` does, the token still pending. What the user agrees to while the provider
        is asked, and for a while where it may have got the request and hasn't answered, does not count: it may be the same token.
        """
        asked, since = self._table.connection(pk), self._clock()
        if asked is None or asked.pending_invalidation is None:
            return False
        if not self._table.update_connection(revocation.lease_invalidation(asked, now=since)).applied:
            return None
        try:
            time = revocation.INVALIDATING - (self._clock() - since)
            invalidated = self._invalidate(asked.provider, asked.user_id, asked.pending_invalidation, time=time)
        except (ProviderUnavailable, NotConfigured, UnknownProvider, ClientError, BotoCoreError) as error:
            if not (isinstance(error, ProviderUnavailable) and error.maybe_done):
                self._table.update_connection(revocation.release_invalidation(asked, since=since, now=self._clock()))
            raise
        self._end(pk, asked, since, invalidated)
        return invalidated

    def _end(self, pk: str, asked: ConnectionRecord, since: float, invalidated: bool) -> None:
        """Record what the provider has said, and since when what a user agrees to counts again."""
        for _ in range(TRIES):
            found = self._table.connection(pk)
            if found is None or found.pending_invalidation != asked.pending_invalidation:
                return
            ended = revocation.end_invalidation(found, asked, since=since, now=self._clock(), invalidated=invalidated)
            if self._table.update_connection(ended).applied:
                return
        raise Contended

    def add_overtaken(self, overtaken: Authorization) -> None:
        """Have the relay invalidate the tokens of a grant whose user has disconnected since, unless they are connected again.

        Raises ``Contended`` while another token of theirs is pending.
        """
        token = overtaken.pending_tokens
        if token is None:
            return
        ask = self._may_invalidate(overtaken.provider, token)
        for _ in range(TRIES):
            found = self._table.connection(names.connection_key(overtaken.provider, overtaken.user_id or ""))
            if found is None or found.revoked_at is None or (found.ended_at or 0.0) < overtaken.agreed_at:
                return
            added = revocation.add_invalidation(found, overtaken, now=self._clock(), ask=ask)
            if self._table.update_connection(added).applied:
                return
        raise Contended

    def _invalidate(self, provider: str, user_id: str, pending: AccessToken | SealedTokens, *, time: float) -> bool:
        """Have the provider invalidate a token within ``time`` seconds; return whether it has: it may refuse.

        Raises ``ProviderUnavailable``, ``NotConfigured``, ``UnknownProvider`` or botocore's errors.
        """
        try:
            token = self._token_sealer.unseal(provider, user_id, pending) if isinstance(pending, SealedTokens) else pending
        except ValueError as error:  # nobody can read it, then
            telemetry.log().warning("not invalidated", extra={"provider": provider, "user_id": user_id, "reason": str(error)})
            return False
        client = self._provider_client.for_request(time)

        def request(definition: ProviderDefinition, consumer: Consumer) -> bool:
            if definition.invalidate_url is None or not _can_invalidate(definition, consumer, token):
                return False
            client.invalidate(definition, consumer, token)
            return True

        try:
            return self._consumers.call(provider, request)
        except Unavailable as error:
            raise ProviderUnavailable(str(error), error.retry_after, maybe_done=error.maybe_exchanged) from None
        except Refused as error:  # whatever the provider says to it, a user who asked not to be connected isn't
            telemetry.log().warning("not invalidated", extra={"provider": provider, "user_id": user_id, "reason": str(error)})
            return False


def _can_invalidate(definition: ProviderDefinition, consumer: Consumer, token: AccessToken) -> bool:
    """Return True if the provider can be asked to invalidate a token; another app's it would call unknown, which proves nothing."""
    if definition.invalidate_url is None or token.consumer_key != consumer.consumer_key:
        return False
    return bool(token.oauth_token_secret) or "{token_secret}" not in definition.invalidate_url
