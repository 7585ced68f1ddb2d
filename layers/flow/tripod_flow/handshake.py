"""The handshake: the order of its steps (RFC 5849, section 2). Rules and edges are modules of their own."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from urllib.parse import urlencode

from tripod.credentials import Consumer
from tripod_flow import authorization, binding, diagnoses, errors, telemetry
from tripod_flow.authorization import Authorization, State
from tripod_flow.consumers import Consumers
from tripod_flow.custody import Custody
from tripod_flow.exchange import Exchange
from tripod_flow.legs import Legs, Refused, TokenAnswer, Unavailable
from tripod_flow.provider import Provider
from tripod_flow.return_to import AllowList
from tripod_flow.table import KeyTaken, Table

WAIT = 2.0  # seconds that whoever lost the claim waits for the winner's outcome
POLL = 0.2  # seconds between two looks


@dataclass(frozen=True, slots=True)
class StartRequest:
    """What start was asked for; the field names are those of its query."""

    provider: str
    return_to: str | None = None
    endpoint: str = "authorize"
    force_login: bool = False
    screen_name: str | None = None
    x_auth_access_type: str | None = None

    def query(self) -> str:
        """Return the query that asks for the same again."""
        asked = asdict(self)
        del asked["provider"]
        if self.endpoint == "authorize":
            del asked["endpoint"]
        return urlencode({name: "true" if value is True else value for name, value in asked.items() if value})


@dataclass(frozen=True, slots=True)
class Begun:
    """A begun authorization: where to send the browser, and the cookie that binds it; ``expires_at`` in epoch seconds."""

    authorize_url: str
    request_token: str
    expires_at: int
    cookie: str
    cookie_key: str = field(repr=False)
    label: str


class Handshake:
    """Begins authorizations and finishes them; ``clock`` in epoch seconds, ``token`` makes n random bytes URL-safe."""

    def __init__(
        self,
        table: Table,
        consumers: Consumers,
        provider_legs: Legs,
        custody: Custody,
        return_urls: AllowList,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        token: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        self._table = table
        self._consumers = consumers
        self._legs = provider_legs
        self._custody = custody
        self._return_urls = return_urls
        self._exchange = Exchange(table, consumers, provider_legs, clock)
        self._clock = clock
        self._sleep = sleep
        self._token = token

    def start(self, asked: StartRequest, *, callback_url: str) -> Begun:
        """Get a request token, keep its secret, and say where the user consents."""
        flaw = self._return_urls.flaw(asked.return_to) if asked.return_to is not None else None
        if flaw:
            raise errors.ReturnToNotAllowed(detail=f"return_to is not allowed: {flaw}.")
        definition, temporary = self._request_token(asked, callback_url)
        cookie_key = binding.new_key(self._clock(), self._token)
        begun = authorization.begin(
            asked.provider,
            temporary.token,
            temporary.secret,
            browser=binding.digest(cookie_key),
            return_to=asked.return_to,
            restart=asked.query(),
            now=self._clock(),
        )
        try:
            self._table.add(begun)
        except KeyTaken:
            raise errors.ProviderUnavailable("the provider issued a request token that it had issued before") from None
        options = {"force_login": "true" if asked.force_login else "", "screen_name": asked.screen_name or ""}
        return Begun(
            authorize_url=definition.authorize(
                temporary.token,
                endpoint=asked.endpoint,
                options={name: value for name, value in options.items() if value},
            ),
            request_token=temporary.token,
            expires_at=int(begun.expires_at),
            cookie=binding.cookie_name(asked.provider, temporary.token),
            cookie_key=cookie_key,
            label=begun.label,
        )

    def callback(self, provider: str, request_token: str, verifier: str, cookies: Mapping[str, str]) -> Authorization:
        """Exchange the verifier and store what it yields; returns the outcome, the first one however often it is asked for."""
        self._consumers.find(provider)  # an unknown provider costs no write
        cookie = cookies.get(binding.cookie_name(provider, request_token))
        pk, now = authorization.key(provider, request_token), self._clock()
        claim_id = self._token(16)
        won, held = self._table.move(authorization.claim(pk, browser=binding.digest(cookie or ""), claim_id=claim_id, now=now))
        if not won:
            standing = authorization.admit(held, cookie=cookie, now=now)
            if standing.decided:
                return self._seen_again(standing)
            held = self._take_over(standing, claim_id)
        if held is None:
            return self._await_outcome(pk)
        outcome = self._exchange.decide(held, verifier)
        telemetry.decided(outcome)
        if outcome.unstored:
            self._custody.try_to_keep(outcome)
        return outcome

    def deny(self, provider: str, request_token: str, cookies: Mapping[str, str]) -> Authorization:
        """Note that the user said no; returns the outcome, which is an earlier one if there was one."""
        self._consumers.find(provider)
        cookie = cookies.get(binding.cookie_name(provider, request_token))
        pk, now = authorization.key(provider, request_token), self._clock()
        made, found = self._table.move(authorization.denied(pk, browser=binding.digest(cookie or ""), now=now))
        standing = authorization.admit(found, cookie=cookie, now=now)
        if made:
            telemetry.decided(standing)
            return standing
        if standing.decided:
            return self._seen_again(standing)
        return self._await_outcome(pk)

    def _request_token(self, asked: StartRequest, callback_url: str) -> tuple[Provider, TokenAnswer]:
        legs = self._legs.for_request()

        def leg(definition: Provider, consumer: Consumer) -> tuple[Provider, TokenAnswer]:
            if asked.endpoint == "authenticate" and definition.authenticate_url is None:
                raise errors.BadRequest(detail="This provider has no authenticate endpoint: leave endpoint out.")
            answer = legs.request_token(definition, consumer, callback_url, access_type=asked.x_auth_access_type)
            return definition, answer

        try:
            return self._consumers.call(asked.provider, leg)
        except Unavailable as error:
            raise errors.ProviderUnavailable(str(error), error.retry_after) from None
        except Refused as error:
            cause = error.refusal.cause
            raise errors.ProviderRejected(cause, str(error), diagnoses.diagnosis(cause, callback_url)) from None

    def _seen_again(self, decided: Authorization) -> Authorization:
        """Return an outcome once more; what of it is still unstored is finished by the way."""
        telemetry.repeated(decided)
        if decided.unstored:
            self._custody.try_to_keep(decided)
        return decided

    def _take_over(self, standing: Authorization, claim_id: str) -> Authorization | None:
        """Claim what a dead holder left or was released half-way; None while somebody is at work on it."""
        transition = authorization.resume(standing, claim_id=claim_id, now=self._clock())
        won, held = self._table.move(transition) if transition else (False, None)
        return held if won else None

    def _await_outcome(self, pk: str) -> Authorization:
        """Wait a little for the outcome that another request is about to write."""
        for _ in range(round(WAIT / POLL)):
            self._sleep(POLL)
            found = self._table.authorization(pk)
            if found is None:
                raise errors.UnknownAuthorization
            if found.decided:
                telemetry.repeated(found)
                return found
            if found.state is State.PENDING:  # released: the provider was out of the winner's reach, and so of ours
                raise errors.ProviderUnavailable("another request met an unavailable provider")
        raise errors.InProgress
