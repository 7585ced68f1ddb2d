"""The sandbox, the clock and the legs of the machine: AWS may be interrupted before each call, exchanges are kept."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar

from sandbox.world import Sandbox
from tests.support.clock import Clock
from tests.support.repeats import repeat_at_once
from tests.support.sandbox_app import PARAMETERS
from tripod.credentials import AccessToken, Consumer
from tripod.process import Process
from tripod_flow.edges.check_progress import CheckProgress, Listed
from tripod_flow.edges.provider_answer import Refused, Unavailable
from tripod_flow.edges.provider_client import ExchangeResponse, ProviderClient
from tripod_flow.rules.authorization import Identity
from tripod_flow.rules.provider import ProviderDefinition


class Ticking(Clock):
    """A clock that tests move, and that no two readings find at the same millisecond."""

    def __call__(self) -> float:
        self.now = round(self.now + 0.001, 3)
        return self.now


class ModelReader(Process):
    """Another Lambda's process, which reads what the sandbox keeps; no fault meets it."""

    def __init__(self, client: Callable[[str], Any], prefix: str) -> None:
        super().__init__()
        self.prefix = prefix
        self._client_of = client

    def client(self, service: str, *, quick: bool = False) -> Any:  # one client will do
        return self._client_of(service)


class World(Sandbox):
    """A sandbox whose AWS clients try again at once, and may be interrupted before each call."""

    def __init__(self) -> None:
        super().__init__(parameters=PARAMETERS, streams=False)
        self.between: Callable[[], None] | None = None
        self._hooked: set[str] = set()

    @cached_property
    def reader(self) -> ModelReader:
        """What other Lambdas are told of users' tokens."""
        return ModelReader(self.inspector, self.prefix)

    def client(self, service: str) -> Any:
        made = super().client(service)
        if service not in self._hooked:
            self._hooked.add(service)
            made.meta.events.register_first("before-send", self._before_send)
            repeat_at_once(made)
        return made

    def inspector(self, service: str) -> Any:
        """Return a client of which no fault is aware."""
        return self._client_of_lambda(service)

    def _before_send(self, request: Any, **_: Any) -> None:
        """Let something else happen between two calls; not while a secret is read, for which a process's threads wait for each other."""
        reads = request.headers.get("X-Amz-Target") == b"secretsmanager.GetSecretValue"
        if self.between is not None and not reads:
            self.between()


class Watched(ProviderClient):
    """A client that keeps what each request token was exchanged for, and what was last said to each access token."""

    exchanged: ClassVar[dict[str, list[ExchangeResponse]]] = {}
    said: ClassVar[dict[str, str]] = {}  # whose it is, "down", or status and word of a refusal

    def access_token(self, *arguments: Any, **named: Any) -> ExchangeResponse:
        response = super().access_token(*arguments, **named)
        request_token = arguments[2]
        self.exchanged.setdefault(request_token, []).append(response)
        return response

    def identity(self, provider: ProviderDefinition, consumer: Consumer, token: AccessToken) -> Identity:
        try:
            found = super().identity(provider, consumer, token)
        except Refused as error:
            self.said[token.oauth_token] = f"{error.refusal.status} {error.refusal.word}"
            raise
        except Unavailable:
            self.said[token.oauth_token] = "down"
            raise
        self.said[token.oauth_token] = found.user_id
        return found


class OwnConnections(CheckProgress):
    """A round of checks that meets one app's connections alone, one on each page: the table has those of every play so far."""

    def __init__(self, client: Any, table: str, app: str) -> None:
        super().__init__(client, table)
        self._dynamodb, self._table, self._app = client, table, app

    def page(self, cursor: dict[str, Any] | None) -> tuple[list[Listed], dict[str, Any] | None]:
        answer = self._dynamodb.query(
            TableName=self._table,
            IndexName="connections",
            KeyConditionExpression="connected_to = :app",
            ExpressionAttributeValues={":app": {"S": self._app}},
            Limit=1,
            **({"ExclusiveStartKey": cursor} if cursor else {}),
        )
        found = [
            Listed(self._app, item["user_id"]["S"], float(item["checked_at"]["N"]) if "checked_at" in item else None)
            for item in answer["Items"]
        ]
        return found, answer.get("LastEvaluatedKey")
