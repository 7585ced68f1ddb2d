"""The handshake's second half: the user is back, with a verifier, a PIN or a no; and the app redeems its ticket.

The order of the steps is here (RFC 5849, section 2.3); rules and edges are modules of their own.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from tripod_flow import authorization, binding, connection, errors, progress, telemetry, tickets
from tripod_flow.authorization import Authorization, State
from tripod_flow.consumers import Consumers
from tripod_flow.custody import Custody
from tripod_flow.exchange import Exchange
from tripod_flow.table import Table
from tripod_flow.transition import Transition

WAIT = 2.0  # seconds that whoever lost the claim waits for the winner's outcome
POLL = 0.2  # seconds between two looks


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an authorization, and the ticket where the app asked for one."""

    record: Authorization
    ticket: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An authorization that waits for its PIN, and where the user gets one."""

    record: Authorization
    authorize_url: str


@dataclass(frozen=True, slots=True)
class _Visit:
    """Who is back: with which verifier (None: the user said no), from which browser or caller."""

    provider: str
    request_token: str = field(repr=False)
    verifier: str | None = field(repr=False)
    cookie: str | None = field(repr=False)
    pin: bool = False
    subject: str | None = None

    @property
    def pk(self) -> str:
        return authorization.key(self.provider, self.request_token)

    @property
    def browser(self) -> str:
        return binding.digest(self.cookie or "")

    @property
    def ticket(self) -> str:
        """The ticket that this visitor's authorization has: its key is what nobody else can bring."""
        return tickets.issue(self.provider, self.request_token, self.cookie or self.verifier or "")


class Handshake:
    """Finishes authorizations; ``clock`` in epoch seconds, ``token`` makes n random bytes URL-safe."""

    def __init__(
        self,
        table: Table,
        consumers: Consumers,
        exchange: Exchange,
        custody: Custody,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        token: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        self._table = table
        self._consumers = consumers
        self._exchange = exchange
        self._custody = custody
        self._clock = clock
        self._sleep = sleep
        self._token = token

    def callback(self, provider: str, request_token: str, verifier: str, cookies: Mapping[str, str]) -> Outcome:
        """Exchange the verifier and store what it yields; returns the outcome, the first one however often it is asked for."""
        cookie = cookies.get(binding.cookie_name(provider, request_token))
        return self._finish(_Visit(provider, request_token, verifier, cookie))

    def pin(
        self, provider: str, request_token: str, pin: str, *, cookies: Mapping[str, str] | None = None, subject: str | None = None
    ) -> Outcome:
        """Exchange a PIN, from the browser that asked or from the app that asked for ``subject``; five may be tried."""
        cookie = (cookies or {}).get(binding.cookie_name(provider, request_token))
        return self._finish(_Visit(provider, request_token, pin, cookie, pin=True, subject=subject))

    def look(self, provider: str, request_token: str, cookies: Mapping[str, str]) -> Outcome | Waiting:
        """Return how an authorization by PIN stands, to the browser that began it; looking changes nothing."""
        definition, _ = self._consumers.find(provider)
        visit = _Visit(provider, request_token, None, cookies.get(binding.cookie_name(provider, request_token)), pin=True)
        record = self._admit(self._table.authorization(visit.pk), visit, self._clock())
        if record.answerable:
            return self._seen_again(record, visit)
        if record.state is not State.PENDING:
            raise errors.InProgress
        asked = dict(parse_qsl(record.restart))
        options: dict[str, str] = {name: asked[name] for name in ("force_login", "screen_name") if name in asked}
        url = definition.authorize(request_token, endpoint=asked.get("endpoint", "authorize"), options=options)
        return Waiting(record, url)

    def deny(self, provider: str, request_token: str, cookies: Mapping[str, str]) -> Outcome:
        """Note that the user said no; returns the outcome, which is an earlier one if there was one."""
        self._consumers.find(provider)
        visit = _Visit(provider, request_token, None, cookies.get(binding.cookie_name(provider, request_token)))
        now = self._clock()
        made, found = self._table.move(progress.denied(visit.pk, browser=visit.browser, now=now))
        standing = self._admit(found, visit, now)
        if made:
            telemetry.decided(standing)
            return Outcome(standing)
        return self._seen_again(standing, visit) if standing.answerable else self._await_outcome(visit)

    def redeem(self, ticket: str, secret: str) -> Authorization:
        """Return the sign-in that ``ticket`` and ``secret`` prove; a consent becomes a grant by it. Raises ``TicketRejected``."""
        pk = tickets.authorization_key(ticket)
        for _ in range(2):  # once more where another call was quicker: it is answered the same
            now = self._clock()
            found = tickets.check(self._table.authorization(pk), ticket, secret, now=now)
            if found.redeemed_at is not None:
                return found
            consented = found.state is State.CONSENTED
            if consented:
                self._refuse_if_revoked(found)
            made, standing = self._table.move((progress.confirmed if consented else progress.redeemed)(found, now=now))
            if made and standing is not None:
                if consented:
                    telemetry.decided(standing)
                if standing.unstored:
                    self._custody.try_to_keep(standing)
                return standing
        raise errors.TicketRejected("lost to another call")

    def _refuse_if_revoked(self, consented: Authorization) -> None:
        """Reject the ticket of a consent after which the user has disconnected: it must not connect them again."""
        standing = self._table.connection(connection.key(consented.provider, consented.user_id or ""))
        revoked_at = standing.revoked_at if standing else None
        if revoked_at is not None and revoked_at >= (consented.decided_at or 0):
            raise errors.TicketRejected("disconnected since")

    def _finish(self, visit: _Visit) -> Outcome:
        self._consumers.find(visit.provider)  # an unknown provider costs no write
        claim_id, now = self._token(16), self._clock()
        won, held = self._table.move(self._claim(visit, claim_id, now))
        if not won:
            standing = self._admit(held, visit, now)
            if standing.answerable:
                return self._seen_again(standing, visit)
            held = self._take_over(standing, visit, claim_id)
        if held is None:
            return self._await_outcome(visit)
        record = self._exchange.decide(held, visit.verifier or "")
        if record.unstored and record.state is State.GRANTED and record.claim_id == claim_id:  # not a successor's
            self._custody.try_to_keep(record)
        return self._outcome(record, visit)

    def _claim(self, visit: _Visit, claim_id: str, now: float) -> Transition:
        return progress.claim(
            visit.pk,
            browser=visit.browser,
            verifier=authorization.digest(visit.verifier or ""),
            ticket=tickets.digest(visit.ticket),
            claim_id=claim_id,
            now=now,
            pin=visit.pin,
            subject=visit.subject,
        )

    def _admit(self, found: Authorization | None, visit: _Visit, now: float) -> Authorization:
        try:
            return authorization.admit(
                found, cookie=visit.cookie, now=now, verifier=visit.verifier, pin=visit.pin, subject=visit.subject
            )
        except errors.Expired as error:
            error.restart = found.restart if found else None
            raise

    def _outcome(self, record: Authorization, visit: _Visit) -> Outcome:
        asked = record.challenge is not None and record.state in (State.GRANTED, State.CONSENTED)
        return Outcome(record, visit.ticket if asked else None)

    def _seen_again(self, decided: Authorization, visit: _Visit) -> Outcome:
        """Return an outcome once more; what of it is still unstored is finished by the way."""
        telemetry.repeated(decided)
        if decided.unstored and decided.state is State.GRANTED:
            transition = progress.keeping(decided, now=self._clock())  # None: who decided it is storing it this very moment
            taken, standing = self._table.move(transition) if transition else (False, None)
            if taken and standing is not None:
                self._custody.try_to_keep(standing)
        return self._outcome(decided, visit)

    def _take_over(self, standing: Authorization, visit: _Visit, claim_id: str) -> Authorization | None:
        """Claim what a dead holder left or was released half-way; None while somebody is at work on it."""
        transition = progress.resume(
            standing,
            claim_id=claim_id,
            now=self._clock(),
            verifier=authorization.digest(visit.verifier or ""),
            ticket=tickets.digest(visit.ticket),
        )
        won, held = self._table.move(transition) if transition else (False, None)
        return held if won else None

    def _await_outcome(self, visit: _Visit) -> Outcome:
        """Wait a little for the outcome that another request is about to write."""
        for _ in range(round(WAIT / POLL)):
            self._sleep(POLL)
            found = self._admit(self._table.authorization(visit.pk), visit, self._clock())
            if found.answerable:
                telemetry.repeated(found)
                return self._outcome(found, visit)
            if (
                found.state is State.PENDING and not visit.pin
            ):  # released: the provider was out of the winner's reach, and so of ours
                raise errors.ProviderUnavailable("another request met an unavailable provider")
        raise errors.InProgress
