"""The exchange: from a claimed authorization and its verifier to the outcome (RFC 5849, section 2.3)."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from botocore.exceptions import BotoCoreError, ClientError

from tripod.credentials import AccessToken, Consumer, Store, UserTokens
from tripod.provider_errors import Cause, Refusal
from tripod.sealed_tokens import SealedTokens
from tripod_flow.edges import telemetry
from tripod_flow.edges.consumers import Consumers
from tripod_flow.edges.provider_answer import Refused, Unavailable
from tripod_flow.edges.provider_client import ExchangeResponse, ProviderClient
from tripod_flow.edges.table import Table
from tripod_flow.edges.token_sealer import TokenSealer, TokensTooLong
from tripod_flow.edges.transport import ResponseLost
from tripod_flow.rules import backoff, connection, errors, transitions
from tripod_flow.rules.authorization import PIN_ATTEMPTS, Authorization, Identity, State
from tripod_flow.rules.provider import ProviderDefinition
from tripod_flow.rules.transitions import Transition

# A refusal of one of these is about the user's request token and verifier; any other is about the app.
_USER_CAUSES = frozenset({Cause.VERIFIER_REJECTED, Cause.REQUEST_TOKEN_REJECTED, Cause.TOKEN_REVOKED})


class _IdentityUnknown(Exception):
    """The exchange was made, and whose tokens it yielded can't be found out: without a user they are of no use."""


class Exchange:
    """Takes claimed authorizations to their outcome; ``clock`` in epoch seconds."""

    def __init__(
        self,
        table: Table,
        consumers: Consumers,
        provider_client: ProviderClient,
        token_sealer: TokenSealer,
        clock: Callable[[], float],
    ) -> None:
        self._table = table
        self._consumers = consumers
        self._provider_client = provider_client
        self._token_sealer = token_sealer
        self._clock = clock

    def exchange(self, claimed: Authorization, verifier: str, brought: Mapping[str, str] | None = None) -> Authorization:
        """Exchange the verifier of an authorization in state ``exchanging`` and return the decided record.

        ``verifier`` is empty where the provider issues none; ``brought`` is what else the browser came back with.

        It is granted (or consented to) with its tokens committed, or failed for good. Raises ``ProviderUnavailable``,
        ``NotConfigured``, ``UnknownProvider`` or botocore's errors, the claim given back, where a later try may succeed; ``WrongPin``
        while others may be tried; ``InProgress`` where the claim was lost to another request; and ``Interrupted`` where not even the
        failure could be written.
        """
        client = self._provider_client.for_request()
        record = self._attempt(claimed, lambda: self._exchange(claimed, verifier, brought or {}, client))
        if record.state is State.EXCHANGED:
            exchanged = record
            record = self._attempt(exchanged, lambda: self._identify(exchanged, client))
        telemetry.outcome(record)
        return record

    def identify(self, exchanged: Authorization) -> Authorization:
        """Ask which user the saved access token belongs to, and return the decided record; raises as ``exchange`` does."""
        client = self._provider_client.for_request()
        record = self._attempt(exchanged, lambda: self._identify(exchanged, client))
        telemetry.outcome(record)
        return record

    def _attempt(self, held: Authorization, step: Callable[[], Authorization]) -> Authorization:
        """Take one step; if it fails, give the claim back or decide that the authorization has failed."""
        try:
            return step()
        except Unavailable as error:
            due = self._clock() + backoff.delay(held.outbox_tries, retry_after=error.retry_after)
            self._table.update(transitions.release(held, maybe_exchanged=error.maybe_exchanged, due=due))
            raise errors.ProviderUnavailable(str(error), error.retry_after) from None
        except (errors.NotConfigured, errors.UnknownProvider, ClientError, BotoCoreError):
            with suppress(ClientError, BotoCoreError):  # the lease ends it otherwise
                due = self._clock() + backoff.delay(held.outbox_tries)
                self._table.update(transitions.release(held, due=due))
            raise
        except ResponseLost as error:
            return self._fail(held, errors.Interrupted(f"the exchange's response was lost: {error}"))
        except _IdentityUnknown as error:
            return self._fail(held, errors.Interrupted(str(error)))
        except Refused as error:
            return self._fail(held, _error_of(held, error.refusal))

    def _exchange(self, held: Authorization, verifier: str, brought: Mapping[str, str], client: ProviderClient) -> Authorization:
        """Exchange the verifier and commit; if the response does not name the user, save the access token until it is known."""
        request_secret = held.request_secret
        if request_secret is None:
            raise ValueError("the request token's secret is gone")

        def request(definition: ProviderDefinition, consumer: Consumer) -> tuple[ExchangeResponse, Consumer]:
            response = client.access_token(definition, consumer, held.request_token, request_secret, verifier, brought=brought)
            if definition.user_id == "subject" and held.subject is not None:
                response = replace(response, identity=Identity(held.subject, None))
            return response, consumer

        sent_at = self._clock()
        response, consumer = self._consumers.call(held.provider, request)
        identity = response.identity
        try:
            if identity is None and consumer.store == "none":
                identity = self._identity_at_once(held, response.token, client)
            if identity is None and consumer.store == "table":  # asked before the token is kept anywhere, if that can be
                with suppress(_IdentityUnknown, ClientError, BotoCoreError):
                    identity = self._identity_at_once(held, response.token, client)
            if identity is not None:
                return self._grant(held, response.token, identity, consumer.store, sent_at=sent_at)
            return self._write(held, transitions.save_exchange(held, response.token, sent_at=sent_at, now=self._clock()))
        except (ClientError, BotoCoreError) as error:  # the one moment when AWS can cost the user a new start
            telemetry.failure("AWS failed after the exchange: the tokens are lost", error, authorization=held.log_id)
            with suppress(ClientError, BotoCoreError):
                return self._fail(held, errors.Interrupted("the commit failed"))
            raise errors.Interrupted("the commit failed") from None

    def _identity_at_once(self, held: Authorization, token: AccessToken, client: ProviderClient) -> Identity:
        """Ask which user a token belongs to while it is in memory alone: for sign-in only it is kept nowhere, not even to ask later."""
        try:
            return self._consumers.call(held.provider, lambda definition, consumer: client.identity(definition, consumer, token))
        except (Unavailable, errors.NotConfigured, errors.UnknownProvider) as error:
            raise _IdentityUnknown(f"the identity could not be had: {error}") from None
        except Refused as error:
            if isinstance(_error_of(held, error.refusal), errors.VerifierRejected):
                # The token was refused: the verifier was right, and is spent.
                raise _IdentityUnknown(f"the identity was refused: {error}") from None
            raise

    def _identify(self, exchanged: Authorization, client: ProviderClient) -> Authorization:
        """Ask the provider which user the saved access token belongs to, and commit."""
        token = exchanged.pending_tokens
        if not isinstance(token, AccessToken):
            raise ValueError("no token is saved")

        def request(definition: ProviderDefinition, consumer: Consumer) -> tuple[Identity, Store]:
            return client.identity(definition, consumer, token), consumer.store

        identity, store = self._consumers.call(exchanged.provider, request)
        return self._grant(exchanged, token, identity, store)

    def _grant(
        self, held: Authorization, token: AccessToken, identity: Identity, store: Store, *, sent_at: float | None = None
    ) -> Authorization:
        """Commit. Tokens for the table are sealed first; where that fails they stay in the record, and the relay seals them."""
        kept: AccessToken | SealedTokens = token
        if store == "table":
            try:
                kept = self._token_sealer.seal(_user_tokens(held, token, identity))
            except TokensTooLong as error:
                telemetry.failure("the tokens can't be sealed: only Secrets Manager keeps such long ones", error)
                return self._fail(held, errors.ProviderRejected(Cause.UNREADABLE, "its tokens are too long to be sealed"))
            except (ClientError, BotoCoreError) as error:
                telemetry.failure("not sealed: the tokens stay in the outbox", error, authorization=held.log_id)
        now = self._clock()
        if isinstance(kept, SealedTokens) and not transitions.needs_confirmation(held):
            decided = transitions.grant(held, kept, identity, store=False, sent_at=sent_at, now=now)
            granted = replace(held, **decided.changes)
            try:
                if self._table.update_with_connection(decided, connection.connect(granted, None, kept)).applied:
                    return granted
            except (ClientError, BotoCoreError) as error:  # the one write that remains may still be made
                telemetry.failure("not committed with its connection", error, authorization=held.log_id)
        # What has overtaken it is the token store's to find out.
        to_seal = store == "table" and not isinstance(kept, SealedTokens)
        return self._write(
            held, transitions.grant(held, kept, identity, store=store != "none", to_seal=to_seal, sent_at=sent_at, now=now)
        )

    def _fail(self, held: Authorization, error: errors.FlowError) -> Authorization:
        attempts_left = PIN_ATTEMPTS - held.failed_pins - 1
        if held.pin and isinstance(error, errors.VerifierRejected) and attempts_left:
            telemetry.log().info("wrong pin", extra={"authorization": held.log_id})  # its answer has a line with the reason
            self._write(held, transitions.count_wrong_pin(held))
            raise errors.WrongPin(
                str(error),
                request_token=held.request_token,
                attempts_left=attempts_left,
                return_to=held.return_to,
                restart_query=held.restart_query,
            )
        telemetry.log().warning("not exchanged", extra={"authorization": held.log_id, "code": error.code, "reason": str(error)})
        return self._write(held, transitions.fail(held, error, now=self._clock()))

    def _write(self, held: Authorization, transition: Transition) -> Authorization:
        """Apply a transition that only the claim's holder may make; a successor's outcome, written meanwhile, is returned as it is."""
        update = self._table.update(transition, held)
        if update.record is not None and (update.applied or update.record.is_answerable):
            return update.record
        raise errors.InProgress("the claim was lost to another request")


def _user_tokens(held: Authorization, token: AccessToken, identity: Identity) -> UserTokens:
    """Return the tokens as they are kept."""
    known = replace(held, pending_tokens=token, user_id=identity.user_id, screen_name=identity.screen_name)
    return known.user_tokens()


def _error_of(held: Authorization, refusal: Refusal) -> errors.FlowError:
    """Return the error that a refused exchange is to the user."""
    if held.maybe_exchanged:
        return errors.Interrupted(f"refused after an exchange that may have been made: {refusal}")
    unrecognised = refusal.cause is Cause.UNKNOWN and refusal.status in (400, 401)
    if held.state is State.EXCHANGING and (unrecognised or refusal.cause in _USER_CAUSES):
        return errors.VerifierRejected(f"refused: {refusal}")
    return errors.ProviderRejected(refusal.cause, f"refused: {refusal}")
