"""What people, apps and the relay do, and what each of them may be told."""

from urllib.parse import parse_qs, urlsplit

from sandbox.provider import User
from tests.model.cast import WRONG, AnsweredRevocation, Begun, Kind, Who
from tests.model.stage import EXPECTED, Stage
from tripod import challenges
from tripod_flow.edges.items import read
from tripod_flow.flows import finish
from tripod_flow.flows.start import StartRequest
from tripod_flow.rules import errors, tickets
from tripod_flow.rules.authorization import Authorization, State
from tripod_flow.rules.check import Finding, Health
from tripod_flow.rules.connection import ConnectionRecord

CALLBACK_URL = "https://api.example/callback"


class Acts(Stage):
    """How each act is done."""

    def _begin(self, kind: Kind) -> Begun | None:
        number = len(self._all)
        secret = f"secret {number} of a session" if kind in (Kind.TICKET, Kind.DIRECT) else None
        challenge = challenges.challenge(secret, provider=self._app.name, return_to="") if secret else None
        subject = f"customer {number}" if kind in (Kind.DIRECT, Kind.DIRECT_PIN) else None
        asked = StartRequest(self._app.name, challenge=challenge, pin=kind in (Kind.PIN, Kind.DIRECT_PIN), subject=subject)
        result = self._try(
            lambda: self._harness.start.begin(
                asked, callback_url=CALLBACK_URL, browser=kind not in (Kind.DIRECT, Kind.DIRECT_PIN)
            )
        )
        if isinstance(result, EXPECTED):
            return None
        one = Begun(
            kind,
            number,
            result.request_token,
            result.authorize_url,
            result.cookie_name,
            result.cookie_value,
            secret,
            subject,
        )
        self._all.append(one)
        return one

    def _decide(self, one: Begun, user: User, decision: str) -> None:
        if one.user is not None or one.refused:
            return
        visitor = self._visitors[user.user_id]
        try:
            answer = visitor.authorize(one.url) if decision == "authorize" else visitor.cancel(one.url)
        except ValueError:  # the provider has forgotten the request token
            return
        if decision == "cancel":
            one.refused = True
        else:
            one.user, one.verifier = user, answer if one.pin else parse_qs(urlsplit(answer).query)["oauth_verifier"][0]

    def _come_back(self, one: Begun, who: Who, *, right: bool) -> None:
        verifier = one.verifier if right else WRONG
        cookies, flow, name = self._cookies(one, who), self._harness.finish, self._app.name
        ready = (
            self._calm
            and not self._interruptions
            and self._world.between is None
            and one.user is not None
            and right
            and (who is Who.RIGHT or one.kind is Kind.DIRECT)
            and one.record is not None
            and (one.record.state, one.record.failed_pins) == (State.PENDING, 0)
            and one.record.expires_at > self._clock.now + 1
        )
        if one.pin:
            subject = (one.subject if who is Who.RIGHT else WRONG) if one.kind is Kind.DIRECT_PIN else None
            result = self._try(lambda: flow.pin(name, one.token, verifier, cookies=cookies, subject=subject))
        else:
            result = self._try(lambda: flow.callback(name, one.token, verifier, cookies))
        self._judge(one, who, result, verifier=verifier)
        if isinstance(result, finish.Outcome):
            record = result.record
            if result.ticket is not None:
                assert one.secret is not None, "a ticket that nobody asked for"
                assert one.ticket in (None, result.ticket), "another ticket than before"
                one.ticket = result.ticket
            else:
                assert one.secret is None or record.state not in (State.GRANTED, State.CONSENTED), "no ticket"
        if ready:
            assert isinstance(result, finish.Outcome), f"nothing was wrong, and {result!r}"
            assert result.record.state is (State.CONSENTED if one.kind is Kind.DIRECT else State.GRANTED)

    def _deny(self, one: Begun, who: Who) -> None:
        result = self._try(lambda: self._harness.finish.deny(self._app.name, one.token, self._cookies(one, who)))
        self._judge(one, who, result, verifier=None)

    def _judge(self, one: Begun, who: Who, result: object, *, verifier: str | None) -> None:
        """Whoever is wrong learns nothing; whoever is right learns what is so."""
        self._figures.answers[type(result).__name__] += 1
        if isinstance(result, errors.FlowError):
            if one.bound and who is not Who.RIGHT and not isinstance(result, errors.UnknownAuthorization):
                assert isinstance(result, errors.WrongBrowser), f"a wrong browser was told {result!r}"
            return
        if isinstance(result, EXPECTED):
            return
        assert not one.bound or who is Who.RIGHT, "a wrong browser was answered"
        assert one.kind is not Kind.DIRECT_PIN or who is Who.RIGHT, "another app was answered"
        record = getattr(result, "record", None)
        assert isinstance(record, Authorization)
        if one.kind is Kind.DIRECT and record.state in (State.GRANTED, State.CONSENTED):  # by PIN it is the subject that tells
            assert verifier == one.verifier, "a wrong verifier was told of a grant"
        now = read(self._items([self._pk(one)])[self._pk(one)], Authorization)
        if record.is_decided:
            assert (record.state, record.error) == (now.state, now.error)

    def _redeem(self, one: Begun, *, right: bool) -> None:
        if one.ticket is None:
            return
        ticket, secret = one.ticket, (one.secret or WRONG) if right else WRONG
        since, known = self._clock.now, read(self._items([self._pk(one)])[self._pk(one)], Authorization)
        result = self._try(lambda: self._harness.finish.redeem(ticket, secret))
        self._figures.answers["redeemed" if isinstance(result, Authorization) else f"redeem: {type(result).__name__}"] += 1
        if not isinstance(result, Authorization):
            return
        assert right, "a wrong secret has redeemed a ticket"
        assert one.user is not None
        assert (result.state, result.user_id, result.subject) == (State.GRANTED, one.user.user_id, one.subject)
        agreed = known.decided_at or 0.0
        if known.redeemed_at is not None:
            assert since < known.redeemed_at + tickets.REPEAT, "redeemed twice"
        elif known.is_answerable:
            assert since < agreed + tickets.LIFETIME, "redeemed too late"
        if known.state is State.CONSENTED:
            ended = max((done.since for done in self._revoked if done.user is one.user), default=0.0)
            again = (other.record.granted_at or 0.0 for other in self._all if other.user is one.user and other.record)
            assert ended < agreed or ended < max(again, default=0.0), "a consent became a grant after the user had disconnected"

    def _revoke(self, user: User) -> None:
        since = self._clock.now
        result = self._try(lambda: self._harness.revocation.revoke(self._app.name, user.user_id))
        self._figures.answers["revoked" if isinstance(result, bool | None) else f"revoke: {type(result).__name__}"] += 1
        if isinstance(result, bool | None):
            self._revoked.append(AnsweredRevocation(user, since, self._clock.now))

    def _revoke_there(self, user: User) -> None:
        try:
            self._world.provider_server.revoke(self._app.consumer.key, user)
        except LookupError:
            return
        self._calm = False  # an identity can't be asked for any more

    def _check(self, user: User, *, reported: bool = False) -> None:
        """Have the provider asked about a user; a reader that reports proves nothing."""
        expected = None if self._interruptions or self._world.between or not self._answers or reported else self._what_is_so(user)
        result = self._try(lambda: self._harness.flows.check.check(self._app.name, user.user_id, reported=reported))
        kind = str(result.health) if isinstance(result, Finding) else type(result).__name__
        self._figures.answers[f"{'report' if reported else 'check'}: {kind}"] += 1
        if expected is not None:
            assert isinstance(result, Finding), f"nothing was wrong, and {result!r}"
            assert result.health is expected, f"{expected} at the provider, and {result.health} to the check"

    def _what_is_so(self, user: User) -> Health | None:
        """Return what a check must find; None where nobody may be asked now, or about which token is not certain."""
        item = self._items([self._connection(user)]).get(self._connection(user))
        found = read(item, ConnectionRecord) if item else None
        if found is None or not found.is_connection or found.stored_grant_id != found.grant_id:
            return None
        if (found.check_after or 0.0) > self._clock.now:
            return None
        valid = self._world.provider_server.valid_token(self._app.consumer.key, user)
        return Health.CONNECTED if valid == self._token_of(found) else Health.REFUSED

    def _round(self) -> None:
        """Let the schedule begin a round of checks, or go on with it."""
        self._try(lambda: self._harness.flows.check_round.go_on(lambda: True))

    def _token_of(self, found: ConnectionRecord) -> str:
        raise NotImplementedError

    def _sweep(self) -> None:
        self._try(lambda: self._harness.relay.sweep(lambda: True))

    def _sign_in(self, user: User, kind: Kind = Kind.PLAIN) -> Begun | None:
        one = self._begin(kind)
        if one is not None:
            self._decide(one, user, "authorize")
            self._come_back(one, Who.RIGHT, right=True)
        return one
