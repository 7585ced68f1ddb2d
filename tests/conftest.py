"""One sandbox for the whole run; each test has a provider name, an app and users of its own in it, so that they share no state."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.browser import Browser
from sandbox.provider import Consumer, Fault
from sandbox.provider.records import Call, Leg, User
from sandbox.provider.visitor import Visitor
from sandbox.world import Sandbox

RETURN_TO = "http://127.0.0.1:3000/done"
PARAMETERS = {"AllowedReturnUrls": RETURN_TO, "EnablePin": "true"}
QUICK = {"TRIPOD_CONNECT_TIMEOUT": "1", "TRIPOD_READ_TIMEOUT": "0.7", "TRIPOD_CALL_TIMEOUT": "1.2"}  # seconds


@dataclass
class App:
    """An app at the sandbox's provider, under a provider name of its own."""

    sandbox: Sandbox
    name: str
    consumer: Consumer
    user: User

    def browser(self) -> Browser:
        return Browser(self.sandbox.api)

    def begin(self, browser: Browser, **query: str) -> str:
        """Visit start and return the authorize URL."""
        response = browser.start(self.name, **query)
        assert response.status_code == 302, response.text
        return response.headers["location"]

    def consent(self, authorize_url: str, user: User | None = None, *, cancel: bool = False) -> str:
        """Press the provider's button and return the callback URL that it sends the browser to."""
        visitor = Visitor(user or self.user)
        try:
            return visitor.cancel(authorize_url) if cancel else visitor.authorize(authorize_url)
        finally:
            visitor.close()

    def come_back(self, browser: Browser, *, cancel: bool = False, **query: str) -> str:
        """Visit start, decide at the provider, and return the callback URL."""
        return self.consent(self.begin(browser, **query), cancel=cancel)

    def fault(self, leg: Leg, fault: Fault, times: int = 1, seconds: float = 5.0) -> None:
        self.sandbox.provider_server.fault(self.consumer.key, leg, fault, times, seconds)

    def calls(self, leg: Leg) -> list[Call]:
        return self.sandbox.provider_server.calls(self.consumer.key, leg)

    @property
    def secret_name(self) -> str:
        return f"{self.sandbox.prefix}/user/{self.name}/{self.user.user_id}"

    def stored(self) -> dict[str, Any] | None:
        """Return what Secrets Manager holds for the user, or None."""
        client = self.sandbox.client("secretsmanager")
        try:
            return dict(json.loads(client.get_secret_value(SecretId=self.secret_name)["SecretString"]))
        except client.exceptions.ResourceNotFoundException:
            return None

    def item(self, key: str) -> dict[str, Any] | None:
        """Return an item of the table as DynamoDB has it, or None."""
        answer: dict[str, Any] = self.sandbox.client("dynamodb").get_item(
            TableName=self.sandbox.table, Key={"pk": {"S": key}}, ConsistentRead=True
        )
        return answer.get("Item")

    def authorization(self, callback_url: str) -> dict[str, Any]:
        """Return the authorization that a callback URL is about, as DynamoDB has it."""
        token = callback_url.partition("oauth_token=")[2].partition("&")[0]
        found = self.item(f"authorization#{self.name}#{token}")
        assert found is not None
        return found

    def relay(self, *keys: str) -> None:
        """Wake the relay for these items, as the stream does."""
        records = [{"eventName": "MODIFY", "dynamodb": {"Keys": {"pk": {"S": key}}}} for key in keys]
        outcome = self.sandbox.functions.invoke(f"{self.sandbox.prefix}-relay", {"Records": records})
        assert outcome.error is None, outcome.payload

    def connection(self) -> dict[str, Any] | None:
        return self.item(f"connection#{self.name}#{self.user.user_id}")


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Without the relay's stream: what is owed stays so until a test has it done."""
    with Sandbox(parameters=PARAMETERS, settings=QUICK, streams=False) as running:
        yield running


@pytest.fixture(scope="session")
def alive() -> Iterator[Sandbox]:
    """With the relay's stream, as deployed; its schedule runs when a test says so."""
    with Sandbox(parameters=PARAMETERS, settings=QUICK) as running:
        yield running


def make_app(sandbox: Sandbox, *, secret: dict[str, Any] | None = None, **options: Any) -> App:
    """Register an app under a new provider name; ``options`` are the provider's, ``secret`` adds to the consumer secret."""
    server = sandbox.provider_server
    consumer = server.register(**options)
    name = f"p-{secrets.token_hex(6)}"
    content = {
        "consumer_key": consumer.key,
        "consumer_secret": consumer.secret,
        "provider": server.endpoints(consumer.key),
        **(secret or {}),
    }
    sandbox.client("secretsmanager").create_secret(Name=f"{sandbox.prefix}/consumer/{name}", SecretString=json.dumps(content))
    return App(sandbox, name, consumer, server.add_user())


@pytest.fixture
def app(sandbox: Sandbox) -> App:
    return make_app(sandbox)


@pytest.fixture
def unique() -> str:
    """Return a name that no other test has."""
    return f"t-{secrets.token_hex(6)}"
