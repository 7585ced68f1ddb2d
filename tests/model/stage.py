"""Where a play takes place: its world and cast, what is tried there, and what can be seen."""

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from unittest.mock import patch

from botocore.exceptions import BotoCoreError, ClientError
from hypothesis.stateful import RuleBasedStateMachine

from sandbox.provider import Fault, User, Visitor
from tests.model.cast import WRONG, AnsweredRevocation, Begun, ModelFigures, SeenConnection, Who
from tests.model.world import OwnConnections, Ticking, Watched, World
from tests.support.checks import with_identity
from tests.support.harness import Harness, Killed
from tests.support.sandbox_app import make_app
from tripod import names
from tripod.credentials import Store, UserTokens
from tripod.errors import TokenNotFound, TokenRevoked
from tripod_flow.edges import check_progress, event_bus, telemetry
from tripod_flow.edges.table import OutboxEntry
from tripod_flow.flows.check_round import CheckRound
from tripod_flow.flows.token_store import Revoked
from tripod_flow.rules import authorization, errors
from tripod_flow.rules.errors import Contended

Result = TypeVar("Result")

EXPECTED = (errors.FlowError, ClientError, BotoCoreError, Contended, Killed)  # how an operation may end, other than well
EVERY = 3600.0  # seconds between two rounds of checks
RELAYED = (*EXPECTED, event_bus.NotPublished)  # what the relay may leave to its next sweep

Change = Callable[[Harness], None]  # what a test breaks in a harness, to see the machine find it


def unchanged(_: Harness) -> None:
    """Break nothing."""


class Stage(RuleBasedStateMachine):
    """One play's world and cast."""

    def __init__(self, world: World, figures: ModelFigures, change: Change = unchanged) -> None:
        super().__init__()
        self._world = world
        self._figures = figures
        self._change = change
        self._all: list[Begun] = []
        self._interruptions: list[tuple[int, Callable[[], object]]] = []
        self._revoked: list[AnsweredRevocation] = []
        self._defects: list[BaseException] = []
        self._seen: dict[str, SeenConnection] = {}
        self._changed: dict[str, list[str]] = {}  # the events that a user's connection owes for its changes of state
        self._calm = self._answers = True  # nothing has failed; likewise whatever a check needs
        self._ended = self._died = False
        self._aws_fails = self._provider_fails = self._changes = 0
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

    def _open(self, app: str, store: Store) -> None:
        self._renews = app == "renewing"
        options: dict[str, Any] = {"renews": self._renews}  # where the older of two grants holds a void token
        if app == "nameless":
            options |= {"user_id_field": None, "screen_name_field": None}
        self._store = store  # as the app began
        self._stores = {store}  # that it has had so far
        self._app = make_app(self._world, secret={"store": store}, **options)
        self._is_named = app != "nameless"
        if self._is_named:  # the other has an endpoint of its own to ask
            with_identity(self._app)
        self._users = [self._app.user, self._world.provider_server.add_user()]
        self._visitors = {user.user_id: Visitor(user) for user in self._users}
        self._harness = Harness(self._app, clock=Ticking(), client_type=Watched)
        self._clock = self._harness.clock
        in_the_table = self._harness.table.outbox
        self._harness.table.outbox = lambda *, now: self._owed(in_the_table(now=now))  # type: ignore[method-assign]  # watched
        self._change(self._harness)
        self._watch_connections()
        self._harness.flows.check_round = CheckRound(
            OwnConnections(self._world.client("dynamodb"), self._world.table, self._app.name),
            self._harness.flows.check,
            every=EVERY,
            clock=self._clock,
        )
        self._world.inspector("dynamodb").delete_item(TableName=self._world.table, Key={"pk": {"S": check_progress.KEY}})

    def _watch_connections(self) -> None:
        """Look at the connections after each write to one: which events do they owe for what it has changed?"""
        table = self._harness.table
        update, update_with = table.update_connection, table.update_with_connection

        def watched(write: Callable[..., Result]) -> Callable[..., Result]:
            def wrapped(*arguments: Any) -> Result:
                try:
                    return write(*arguments)
                finally:
                    self._look()

            return wrapped

        table.update_connection = watched(update)  # type: ignore[method-assign]  # watched
        table.update_with_connection = watched(update_with)  # type: ignore[method-assign]  # watched

    def _look(self) -> None:
        raise NotImplementedError

    def _owed(self, in_the_table: Iterator[OutboxEntry]) -> Iterator[OutboxEntry]:
        """Yield what this example owes, in an order that doesn't depend on random names."""
        found = {entry.pk: entry for entry in in_the_table}
        return iter([found[pk] for pk in self._keys() if pk in found])

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
        return names.connection_key(self._app.name, user.user_id)

    def _change_store(self, store: Store) -> None:
        client, name = self._world.inspector("secretsmanager"), self._app.consumer_secret_name
        content = json.loads(client.get_secret_value(SecretId=name)["SecretString"]) | {"store": store}
        client.put_secret_value(SecretId=name, SecretString=json.dumps(content))
        self._stores.add(store)
        for reader in (self._harness.flows.secret_reader, self._world.reader.secret_reader):
            reader.forget_consumer(self._app.name)

    def _keys(self) -> list[str]:
        """Return the key of every item that this example may have."""
        return [self._pk(one) for one in self._all] + [self._connection(user) for user in self._users]

    def _items(self, keys: list[str] | None = None) -> dict[str, dict[str, Any]]:
        """Return the items of these keys, or of all authorizations, as DynamoDB has them."""
        keys = [self._pk(one) for one in self._all] if keys is None else keys
        if not keys:
            return {}
        asked = {self._world.table: {"Keys": [{"pk": {"S": key}} for key in keys], "ConsistentRead": True}}
        answer = self._world.inspector("dynamodb").batch_get_item(RequestItems=asked)
        return {item["pk"]["S"]: item for item in answer["Responses"][self._world.table]}

    def _read(self, user: User) -> UserTokens | None:
        """Return what readers get of a user's tokens now; None where they are deleted, or never were."""
        reader = self._world.reader.secret_reader
        sealed = reader.consumer(self._app.name).may_be_sealed
        try:
            return reader.user(self._app.name, user.user_id, fresh=True, may_be_sealed=sealed)
        except (TokenNotFound, TokenRevoked):
            return None

    def _is_secret(self, user: User) -> bool:
        """Return True if Secrets Manager has tokens of a user's that can be read."""
        try:
            self._world.reader.secret_reader.user(self._app.name, user.user_id, fresh=True)
        except (TokenNotFound, TokenRevoked):
            return False
        return True

    def _exchanges(self) -> int:
        """Return how many exchanges the provider has made and answered."""
        return sum(call.status == 200 and call.fault is None for call in self._app.calls("access_token"))

    def _holding(self) -> list[Begun]:
        return [one for one in self._all if one.ticket is not None]

    def _granted(self) -> bool:
        return any(one.record and one.record.user_id for one in self._all)

    def _connected(self) -> list[User]:
        """Return who is connected, as far as connections were written."""
        return [user for user in self._users if self._seen.get(user.user_id, SeenConnection()).grant_id is not None]

    def _refuse_for_now(self, fault: Fault, times: int) -> None:
        """Let the provider fail in this way when it is next asked whose a token is."""
        self._answers = False
        self._calm = self._calm and self._is_named
        self._app.fault("verify_credentials" if self._is_named else "identity", fault, times)

    def _count(self, name: str) -> None:
        self._figures.rules[name] += 1
