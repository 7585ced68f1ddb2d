"""What people, apps and the relay do, and what each of them may be told."""

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from hypothesis.stateful import RuleBasedStateMachine

from sandbox.provider import User, Visitor
from tests.model.cast import WRONG, AnsweredRevocation, Begun, Kind, ModelFigures, Who
from tests.model.world import Ticking, Watched, World
from tests.support.harness import Harness, Killed
from tests.support.sandbox_app import make_app
from tripod import challenges
from tripod_flow.edges import event_bus, telemetry
from tripod_flow.edges.table import read
from tripod_flow.flows import finish
from tripod_flow.flows.start import StartRequest
from tripod_flow.flows.token_store import Revoked
from tripod_flow.rules import authorization, connection, errors, outbox, tickets
from tripod_flow.rules.authorization import Authorization, State
from tripod_flow.rules.errors import Contended

Result = TypeVar("Result")

CALLBACK_URL = "https://api.example/callback"


EXPECTED = (errors.FlowError, ClientError, BotoCoreError, Contended, Killed)  # how an operation may end, other than well
RELAYED = (*EXPECTED, event_bus.NotPublished)  # what the relay may leave to its next sweep

Change = Callable[[Harness], None]  # what a test breaks in a harness, to see the machine find it


def unchanged(_: Harness) -> None:
    """Break nothing."""


class Acts(RuleBasedStateMachine):
    """One play: its world, its cast, and how each act is done."""

    def __init__(self, world: World, figures: ModelFigures, change: Change = unchanged) -> None:
        super().__init__()
        self._world = world
        self._figures = figures
        self._change = change
        self._all: list[Begun] = []
        self._interruptions: list[tuple[int, Callable[[], object]]] = []
        self._revoked: list[AnsweredRevocation] = []
        self._defects: list[BaseException] = []
        self._calm = True
        self._ended = self._died = False
        self._aws_fails = self._provider_fails = 0
        figures.examples += 1
        self._patches: list[Any] = [
            patch.object(telemetry, "count", lambda _: None),
            patch.object(telemetry, "failure", self._failure),
        ]
        for one in self._patches:
            one.start()

    def _failure(self, message: str, error: BaseException, **_: str) -> None:
        if not isinstance(error, (*RELAYED, Revoked, TimeoutError)):
            self._defects.append(error)

    def _open(self, app: str) -> None:
        options: dict[str, Any] = {"renews": app == "renewing"}  # where the older of two grants holds a void token
        if app == "nameless":
            options |= {"user_id_field": None, "screen_name_field": None}
        self._keeps = app != "sign-in only"
        self._app = make_app(self._world, secret=None if self._keeps else {"store": False}, **options)
        self._users = [self._app.user, self._world.provider_server.add_user()]
        self._visitors = {user.user_id: Visitor(user) for user in self._users}
        self._harness = Harness(self._app, clock=Ticking(), client_type=Watched)
        self._clock = self._harness.clock
        in_the_table = self._harness.table.outbox
        self._harness.table.outbox = (  # type: ignore[method-assign]  # watched
            lambda shard, *, now: self._owed(lambda each: in_the_table(each, now=now)) if shard == "0" else iter(())
        )
        self._change(self._harness)

    def _owed(self, in_the_table: Callable[[str], Iterator[str]]) -> Iterator[str]:
        """Yield what this example owes, of all shards, in an order that doesn't depend on random names."""
        known = [self._pk(one) for one in self._all] + [self._connection(user) for user in self._users]
        found = {pk for shard in sorted({outbox.shard(pk) for pk in known}) for pk in in_the_table(shard)}
        return iter([pk for pk in known if pk in found])

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
            assert ended < agreed or ended < max(again), "a consent became a grant after the user had disconnected"

    def _revoke(self, user: User) -> None:
        since = self._clock.now
        result = self._try(lambda: self._harness.revocation.revoke(self._app.name, user.user_id))
        self._figures.answers["revoked" if isinstance(result, bool) else f"revoke: {type(result).__name__}"] += 1
        if isinstance(result, bool):
            self._revoked.append(AnsweredRevocation(user, since, self._clock.now))

    def _revoke_there(self, user: User) -> None:
        try:
            self._world.provider_server.revoke(self._app.consumer.key, user)
        except LookupError:
            return
        self._calm = False  # an identity can't be asked for any more

    def _sweep(self) -> None:
        self._try(lambda: self._harness.relay.sweep(lambda: True))

    def _sign_in(self, user: User, kind: Kind = Kind.PLAIN) -> Begun | None:
        one = self._begin(kind)
        if one is not None:
            self._decide(one, user, "authorize")
            self._come_back(one, Who.RIGHT, right=True)
        return one

    def _try(
        self, operation: Callable[[], Result]
    ) -> Result | errors.FlowError | ClientError | BotoCoreError | Contended | Killed:
        """Do an operation, with the interruptions that wait for it; what may go wrong is returned."""
        waiting, self._interruptions = self._interruptions, []
        outer, calls = self._world.between, 0

        def between() -> None:
            nonlocal calls
            due, calls = [act for after, act in waiting if after == calls], calls + 1
            self._world.between = None
            try:
                for act in due:
                    act()
            finally:
                self._world.between = between

        self._world.between = between if waiting else None
        try:
            return operation()
        except EXPECTED as error:
            return error
        finally:
            self._world.between = outer

    def _cookies(self, one: Begun, who: Who) -> dict[str, str]:
        if not one.bound:
            return {}  # no browser has a cookie of this one
        if who is Who.RIGHT and one.cookie_key:
            return {one.cookie: one.cookie_key}
        if who is Who.FORGED:
            return {one.cookie: WRONG}
        if who is Who.OTHER:
            others = {other.cookie: other.cookie_key for other in self._all if other is not one and other.cookie_key}
            return {**others, one.cookie: next(iter(others.values()), WRONG)}
        return {}

    def _pk(self, one: Begun) -> str:
        return authorization.key(self._app.name, one.token)

    def _connection(self, user: User) -> str:
        return connection.key(self._app.name, user.user_id)

    def _items(self, keys: list[str] | None = None) -> dict[str, dict[str, Any]]:
        """Return the items of these keys, or of all authorizations, as DynamoDB has them."""
        keys = [self._pk(one) for one in self._all] if keys is None else keys
        if not keys:
            return {}
        asked = {self._world.table: {"Keys": [{"pk": {"S": key}} for key in keys], "ConsistentRead": True}}
        answer = self._world.inspector("dynamodb").batch_get_item(RequestItems=asked)
        return {item["pk"]["S"]: item for item in answer["Responses"][self._world.table]}

    def _stored(self, user: User) -> dict[str, Any] | None:
        """Return what readers get of a user's secret; None where it is deleted, or never was."""
        client = self._world.inspector("secretsmanager")
        name = f"{self._world.prefix}/user/{self._app.name}/{user.user_id}"
        try:
            return dict(json.loads(client.get_secret_value(SecretId=name)["SecretString"]))
        except (client.exceptions.InvalidRequestException, client.exceptions.ResourceNotFoundException):
            return None

    def _exchanges(self) -> int:
        """Return how many exchanges the provider has made and answered."""
        return sum(call.status == 200 and call.fault is None for call in self._app.calls("access_token"))

    def _holding(self) -> list[Begun]:
        return [one for one in self._all if one.ticket is not None]

    def _granted(self) -> bool:
        return any(one.record and one.record.user_id for one in self._all)

    def _count(self, name: str) -> None:
        self._figures.rules[name] += 1
