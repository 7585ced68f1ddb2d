"""The exchange: what whoever holds the claim does with the verifier, up to the outcome."""

from collections.abc import Callable, Mapping
from contextlib import suppress

from botocore.exceptions import BotoCoreError, ClientError

from tripod.credentials import Consumer
from tripod.refusals import Cause, Refusal
from tripod_flow import errors, legs, progress, telemetry
from tripod_flow.authorization import Authorization, State
from tripod_flow.consumers import Consumers
from tripod_flow.legs import Legs, Refused, TokenAnswer, Unavailable
from tripod_flow.progress import Whose
from tripod_flow.provider import Provider
from tripod_flow.table import Table
from tripod_flow.transition import Transition
from tripod_flow.transport import AnswerLost

# A refusal of one of these is about the user's request token and verifier; any other is about the app.
_USER_CAUSES = frozenset({Cause.VERIFIER_REJECTED, Cause.REQUEST_TOKEN_REJECTED, Cause.TOKEN_REVOKED})


class Exchange:
    """Takes claimed authorizations to their outcome; ``clock`` in epoch seconds."""

    def __init__(self, table: Table, consumers: Consumers, provider_legs: Legs, clock: Callable[[], float]) -> None:
        self._table = table
        self._consumers = consumers
        self._legs = provider_legs
        self._clock = clock

    def decide(self, held: Authorization, verifier: str) -> Authorization:
        """Return the decided record: granted (or consented to) with its tokens committed, or failed for good.

        Raises ``ProviderUnavailable`` or ``NotConfigured``, the claim given back, where a later try may succeed; and
        ``VerifierRejected`` for a wrong PIN while others may be tried.
        """
        provider_legs = self._legs.for_request()
        if held.state is not State.EXCHANGED:
            claimed = held
            held = self._try(claimed, lambda: self._exchange(claimed, verifier, provider_legs))
        if held.state is State.EXCHANGED:
            exchanged = held
            held = self._try(exchanged, lambda: self._identify(exchanged, provider_legs))
        telemetry.decided(held)
        return held

    def _try(self, held: Authorization, step: Callable[[], Authorization]) -> Authorization:
        """Take one step; where it can't be taken, give the claim back or decide that the authorization has failed."""
        try:
            return step()
        except Unavailable as error:
            self._table.move(progress.release(held, doubtful=error.doubtful))
            raise errors.ProviderUnavailable(str(error), error.retry_after) from None
        except (errors.NotConfigured, errors.UnknownProvider, ClientError, BotoCoreError):
            with suppress(ClientError, BotoCoreError):  # the lease ends it otherwise
                self._table.move(progress.release(held))
            raise
        except AnswerLost as error:
            return self._fail(held, errors.Interrupted(f"the exchange's answer was lost: {error}"))
        except Refused as error:
            return self._fail(held, _meaning(held, error.refusal))

    def _exchange(self, held: Authorization, verifier: str, provider_legs: Legs) -> Authorization:
        """Exchange the verifier, and commit; where the answer does not say whose the tokens are, keep them until it is known."""

        def leg(definition: Provider, consumer: Consumer) -> tuple[TokenAnswer, legs.Identity | None, Consumer]:
            answer = provider_legs.access_token(definition, consumer, held.request_token, held.request_secret or "", verifier)
            return answer, legs.identity_in(answer, definition), consumer

        answer, identity, consumer = self._consumers.call(held.provider, leg)
        tokens = {"oauth_token": answer.token, "oauth_token_secret": answer.secret, "consumer_key": consumer.consumer_key}
        try:
            if identity is None and not consumer.store:
                identity = self._identity_at_once(held, answer, provider_legs)
            if identity is not None:
                return self._grant(held, tokens, Whose(identity.user_id, identity.screen_name, consumer.store))
            return self._write(held, progress.exchanged(held, tokens, now=self._clock()))
        except (ClientError, BotoCoreError) as error:  # the one moment when AWS can cost the user a start again
            telemetry.failure("the commit failed: the tokens are lost", error, authorization=held.label)
            with suppress(ClientError, BotoCoreError):
                return self._fail(held, errors.Interrupted("the commit failed"))
            raise errors.Interrupted("the commit failed") from None

    def _identity_at_once(self, held: Authorization, tokens: TokenAnswer, provider_legs: Legs) -> legs.Identity:
        """Ask whose tokens these are while they are in memory alone: sign-in only, they are kept nowhere, not even to ask later."""
        try:
            return self._consumers.call(
                held.provider, lambda definition, consumer: provider_legs.identity(definition, consumer, tokens)
            )
        except (Unavailable, errors.NotConfigured, errors.UnknownProvider) as error:
            raise AnswerLost(f"the identity could not be had: {error}") from None
        except Refused as error:
            if isinstance(
                _meaning(held, error.refusal), errors.VerifierRejected
            ):  # of the tokens: the verifier was right, and is spent
                raise AnswerLost(f"the identity was refused: {error}") from None
            raise

    def _identify(self, held: Authorization, provider_legs: Legs) -> Authorization:
        """Ask the provider whose tokens these are, and commit."""
        unstored = held.unstored or {}
        tokens = TokenAnswer(unstored["oauth_token"], unstored["oauth_token_secret"], {})

        def leg(definition: Provider, consumer: Consumer) -> Whose:
            identity = provider_legs.identity(definition, consumer, tokens)
            return Whose(identity.user_id, identity.screen_name, consumer.store)

        return self._grant(held, unstored, self._consumers.call(held.provider, leg))

    def _grant(self, held: Authorization, tokens: Mapping[str, str], whose: Whose) -> Authorization:
        return self._write(held, progress.granted(held, tokens, whose, now=self._clock()))

    def _fail(self, held: Authorization, error: errors.FlowError) -> Authorization:
        telemetry.log().warning("not exchanged", extra={"authorization": held.label, "code": error.code, "reason": str(error)})
        attempts_left = progress.PIN_ATTEMPTS - held.attempts - 1
        if held.pin and isinstance(error, errors.VerifierRejected) and attempts_left:
            self._write(held, progress.wrong_pin(held))
            raise errors.WrongPin(
                str(error),
                request_token=held.request_token,
                attempts_left=attempts_left,
                return_to=held.return_to,
                restart=held.restart,
            )
        return self._write(held, progress.failed(held, error, now=self._clock()))

    def _write(self, held: Authorization, transition: Transition) -> Authorization:
        """Make a step that only the claim's holder may make."""
        made, standing = self._table.move(transition, held)
        if standing is not None and (made or standing.answerable):  # a successor was quicker, and its outcome stands
            return standing
        raise errors.InProgress("the claim was lost to another request")


def _meaning(held: Authorization, refusal: Refusal) -> errors.FlowError:
    """Return what a refused exchange means to the user."""
    if held.doubtful:
        return errors.Interrupted(f"refused after an exchange that may have been made: {refusal.status} {refusal.cause}")
    unrecognised = refusal.cause is Cause.UNKNOWN and refusal.status in (400, 401)
    if held.state is State.EXCHANGING and (unrecognised or refusal.cause in _USER_CAUSES):
        return errors.VerifierRejected(f"refused: {refusal.status} {refusal.cause}")
    return errors.ProviderRejected(refusal.cause, f"refused: {refusal.status} {refusal.cause}")
