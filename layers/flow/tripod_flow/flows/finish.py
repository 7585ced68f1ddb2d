"""Finish: the user comes back with a verifier, a PIN or a refusal, and the app redeems its ticket.

The order of the steps is here (RFC 5849, section 2.3); what each may do is in the rules.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from tripod import names
from tripod_flow.edges import telemetry
from tripod_flow.edges.consumers import Consumers
from tripod_flow.edges.table import Table
from tripod_flow.flows.exchange import Exchange
from tripod_flow.flows.token_store import TokenStore
from tripod_flow.rules import authorization, binding, errors, tickets, transitions
from tripod_flow.rules.authorization import Authorization, State

WAIT = 2.0  # seconds to wait for the outcome that another request is about to write
POLL = 0.2  # seconds between two looks


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an authorization, and the ticket where the app asked for one."""

    record: Authorization
    ticket: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PinPrompt:
    """An authorization that waits for its PIN, and where the user gets one."""

    record: Authorization
    authorize_url: str


@dataclass(frozen=True, slots=True)
class _Visit:
    """One request about an authorization: its cookie, verifier or PIN (None if it has none), and the subject of a direct invocation."""

    provider: str
    request_token: str = field(repr=False)
    cookie: str | None = field(repr=False)
    verifier: str | None = field(default=None, repr=False)
    pin: bool = False
    subject: str | None = None

    @property
    def pk(self) -> str:
        return authorization.key(self.provider, self.request_token)

    @property
    def cookie_digest(self) -> str:
        """The digest of the cookie; without a cookie the empty string, which no record has."""
        return "" if self.cookie is None else binding.digest(self.cookie)


class Finish:
    """Finishes authorizations; ``clock`` in epoch seconds, ``token`` makes n random bytes URL-safe."""

    def __init__(
        self,
        table: Table,
        consumers: Consumers,
        exchange: Exchange,
        token_store: TokenStore,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        token: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        self._table = table
        self._consumers = consumers
        self._exchange = exchange
        self._token_store = token_store
        self._clock = clock
        self._sleep = sleep
        self._token = token

    def come_back(
        self,
        provider: str,
        request_token: str | None,
        verifier: str | None,
        cookies: Mapping[str, str],
        *,
        is_refusal: bool,
        brought: Mapping[str, str],
    ) -> Outcome:
        """Return the outcome of a browser's return from the provider, as ``callback`` or ``deny`` does.

        A provider issues a verifier to whoever agrees: without one the user has refused. One that issues none must say the refusal in
        words, or name no request token.
        """
        definition, _ = self._consumers.find(provider)
        token = request_token or self.only_pending(provider, cookies)
        if not definition.verifier:  # whatever came in its place: this provider issues none
            verifier = None if is_refusal or request_token is None else ""
        if verifier is None:
            return self.deny(provider, token, cookies)
        return self.callback(provider, token, verifier, cookies, brought)

    def callback(
        self,
        provider: str,
        request_token: str,
        verifier: str,
        cookies: Mapping[str, str],
        brought: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Exchange the verifier, store the tokens and return the outcome: the first one, however often it is asked for.

        ``verifier`` is empty where the provider issues none: then only the bound browser may finish. Raises what ``check_access`` and
        ``Exchange.exchange`` raise, and ``InProgress`` while another request works on it.
        """
        visit = _Visit(provider, request_token, cookies.get(binding.cookie_name(provider, request_token)), verifier)
        if not verifier and visit.cookie is None:  # nothing at all that tells who it is
            self._refuse_stranger(visit)
        return self._finish(visit, verifier, brought)

    def _refuse_stranger(self, visit: _Visit) -> None:
        """Refuse a browser that comes back without cookie and verifier, and end the authorization, which it shows to be an attack.

        Who began it has had another person agree: whose browser is this one, and comes back first.
        """
        found, now = self._table.authorization(visit.pk), self._clock()
        if found is not None and found.is_bound and found.state is State.PENDING:
            self._table.update(transitions.end_forwarded(found, now=now))
        self._check_access(found, visit, now)
        raise errors.UnknownAuthorization

    def pin(
        self, provider: str, request_token: str, pin: str, *, cookies: Mapping[str, str] | None = None, subject: str | None = None
    ) -> Outcome:
        """Exchange a PIN, from the browser that asked or from the app that asked for ``subject``; five may be tried.

        Raises as ``callback`` does, and ``WrongPin``.
        """
        cookie = (cookies or {}).get(binding.cookie_name(provider, request_token))
        return self._finish(_Visit(provider, request_token, cookie, pin, pin=True, subject=subject), pin)

    def pin_prompt(self, provider: str, request_token: str, cookies: Mapping[str, str]) -> Outcome | PinPrompt:
        """Return the prompt or the outcome of an authorization by PIN, to the browser that began it. It exchanges nothing."""
        definition, _ = self._consumers.find(provider)
        visit = _Visit(provider, request_token, cookies.get(binding.cookie_name(provider, request_token)), pin=True)
        record = self._check_access(self._table.authorization(visit.pk), visit, self._clock())
        if record.is_answerable:
            return self._repeat(record, visit)
        if record.state is not State.PENDING:
            raise errors.InProgress
        asked = dict(parse_qsl(record.restart_query))
        options: dict[str, str] = {name: asked[name] for name in ("force_login", "screen_name") if name in asked}
        url = definition.authorize(request_token, endpoint=asked.get("endpoint", "authorize"), options=options)
        return PinPrompt(record, url)

    def only_pending(self, provider: str, cookies: Mapping[str, str]) -> str:
        """Return the request token of the one authorization that this browser has pending at ``provider``.

        Raises ``UnknownAuthorization`` where there is none, or more than one.
        """
        self._consumers.find(provider)
        tokens = binding.request_tokens(provider, cookies)
        records = {token: self._table.authorization(authorization.key(provider, token)) for token in tokens}
        now = self._clock()
        pending = [token for token, one in records.items() if one is not None and one.awaits_return(now)]
        if len(pending) != 1:
            raise errors.UnknownAuthorization(f"no request token was named, and this browser has {len(pending)} sign-ins pending")
        return pending[0]

    def deny(self, provider: str, request_token: str, cookies: Mapping[str, str]) -> Outcome:
        """Record that the user refused; return the outcome, which is an earlier one if there was one."""
        self._consumers.find(provider)
        visit = _Visit(provider, request_token, cookies.get(binding.cookie_name(provider, request_token)))
        now = self._clock()
        update = self._table.update(transitions.deny(visit.pk, cookie_digest=visit.cookie_digest, now=now))
        record = self._check_access(update.record, visit, now)
        if update.applied:
            telemetry.outcome(record)
            return Outcome(record)
        return self._repeat(record, visit) if record.is_answerable else self._await_outcome(visit)

    def redeem(self, ticket: str, secret: str) -> Authorization:
        """Return the sign-in that ``ticket`` and ``secret`` prove; it turns a consent into a grant. Raises ``InvalidTicket``."""
        pk = tickets.authorization_key(ticket)
        for _ in range(2):  # once more where another call was quicker: it gets the same answer
            now = self._clock()
            found = tickets.check(self._table.authorization(pk), ticket, secret, now=now)
            if found.redeemed_at is not None:
                return found
            is_consent = found.state is State.CONSENTED
            if is_consent:
                self._refuse_if_revoked(found)
            update = self._table.update((transitions.confirm if is_consent else transitions.mark_redeemed)(found, now=now))
            if update.applied and update.record is not None:
                if is_consent:
                    telemetry.outcome(update.record)
                if update.record.pending_tokens:
                    self._token_store.try_to_store(update.record)
                return update.record
        raise errors.InvalidTicket("lost to another call")

    def _refuse_if_revoked(self, consented: Authorization) -> None:
        """Reject the ticket of a consent after which the user has disconnected: it must not connect them again."""
        found = self._table.connection(names.connection_key(consented.provider, consented.user_id or ""))
        ended_at = found.ended_at if found else None
        if ended_at is not None and ended_at >= consented.agreed_at:
            raise errors.InvalidTicket("disconnected since")

    def _finish(self, visit: _Visit, verifier: str, brought: Mapping[str, str] | None = None) -> Outcome:
        self._consumers.find(visit.provider)  # an unknown provider costs no write
        claim_id, salt, now = self._token(16), self._token(32), self._clock()
        update = self._table.update(
            transitions.claim(
                visit.pk,
                cookie_digest=visit.cookie_digest,
                verifier_digest=authorization.digest(verifier) if verifier else None,
                ticket_digest=tickets.digest(_ticket(visit, verifier, salt)),
                ticket_salt=salt,
                claim_id=claim_id,
                now=now,
                pin=visit.pin,
                subject=visit.subject,
            )
        )
        held = update.record
        if not update.applied:
            record = self._check_access(held, visit, now)
            if record.is_answerable:
                return self._repeat(record, visit)
            held = self._take_over(record, visit, verifier, claim_id, salt)
        if held is None:
            return self._await_outcome(visit)
        record = (
            self._exchange.identify(held) if held.state is State.EXCHANGED else self._exchange.exchange(held, verifier, brought)
        )
        if record.pending_tokens and record.state is State.GRANTED and record.claim_id == claim_id:  # not a successor's
            self._token_store.try_to_store(record)
        return self._outcome(record, visit)

    def _check_access(self, found: Authorization | None, visit: _Visit, now: float) -> Authorization:
        return authorization.check_access(
            found, cookie=visit.cookie, now=now, verifier=visit.verifier, pin=visit.pin, subject=visit.subject
        )

    def _outcome(self, record: Authorization, visit: _Visit) -> Outcome:
        asked = record.challenge is not None and record.state in (State.GRANTED, State.CONSENTED)
        return Outcome(record, _ticket(visit, visit.verifier, record.ticket_salt) if asked else None)

    def _repeat(self, decided: Authorization, visit: _Visit) -> Outcome:
        """Return an outcome once more; store its tokens if they are still pending."""
        telemetry.repeated_outcome(decided)
        if decided.pending_tokens and decided.state is State.GRANTED:
            transition = transitions.lease_storing(decided, now=self._clock())
            update = self._table.update(transition) if transition else None  # None: another process is storing them
            if update and update.applied and update.record is not None:
                self._token_store.try_to_store(update.record)
        return self._outcome(decided, visit)

    def _take_over(self, found: Authorization, visit: _Visit, verifier: str, claim_id: str, salt: str) -> Authorization | None:
        """Claim an authorization that its last holder has left unfinished; None while another process works on it."""
        transition = transitions.take_over(
            found,
            claim_id=claim_id,
            now=self._clock(),
            verifier_digest=authorization.digest(verifier) if verifier else None,
            ticket_digest=tickets.digest(_ticket(visit, verifier, salt)),
            ticket_salt=salt,
        )
        update = self._table.update(transition) if transition else None
        return update.record if update and update.applied else None

    def _await_outcome(self, visit: _Visit) -> Outcome:
        """Wait a little for the outcome that another request is about to write."""
        for _ in range(round(WAIT / POLL)):
            self._sleep(POLL)
            found = self._check_access(self._table.authorization(visit.pk), visit, self._clock())
            if found.is_answerable:
                telemetry.repeated_outcome(found)
                return self._outcome(found, visit)
            if found.state is State.PENDING and not visit.pin:
                # Released: the provider was out of the other request's reach, and so of ours.
                raise errors.ProviderUnavailable("another request met an unavailable provider")
        raise errors.InProgress


def _ticket(visit: _Visit, verifier: str | None, salt: str | None) -> str:
    """Return the visit's ticket. Its key is the record's salt with what only this visitor brings: its cookie, or else its verifier."""
    brought = visit.cookie or verifier
    if not brought or not salt:
        raise ValueError("access was given without a cookie, a verifier or a claim")
    return tickets.issue(visit.provider, visit.request_token, f"{salt} {brought}")
