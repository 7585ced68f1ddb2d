"""An app at the sandbox's provider, under a provider name of its own, so that tests share no state."""

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from sandbox.aws.bus import PublishedEvent
from sandbox.browser import Browser
from sandbox.provider import Fault, RegisteredApp
from sandbox.provider.records import Leg, ProviderCall, User
from sandbox.provider.visitor import Visitor
from sandbox.world import Sandbox
from tripod import names

RETURN_TO = "http://127.0.0.1:3000/done"
UNDEFINED: Any = object()
PARAMETERS = {"AllowedReturnUrls": RETURN_TO, "EnablePin": "true", "TokenKey": "on"}
BATCH = 25  # items in one BatchWriteItem at most
QUICK = {"TRIPOD_CONNECT_TIMEOUT": "1", "TRIPOD_READ_TIMEOUT": "0.7", "TRIPOD_CALL_TIMEOUT": "1.2"}  # seconds


@dataclass
class SandboxApp:
    """An app at the sandbox's provider, under a provider name of its own."""

    sandbox: Sandbox
    name: str
    consumer: RegisteredApp
    user: User

    def browser(self, language: str = "en-US,en;q=0.9") -> Browser:
        return Browser(self.sandbox.api, language=language)

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

    def calls(self, leg: Leg) -> list[ProviderCall]:
        return self.sandbox.provider_server.calls(self.consumer.key, leg)

    @property
    def secret_name(self) -> str:
        return f"{self.sandbox.prefix}/user/{self.name}/{self.user.user_id}"

    @property
    def connection_key(self) -> str:
        return names.connection_key(self.name, self.user.user_id)

    def redefine(self, **changes: Any) -> None:
        """Change the provider's definition in the consumer secret; what becomes ``UNDEFINED`` is taken out."""
        provider = self._consumer_content()["provider"] | changes
        self.change_consumer(provider={name: value for name, value in provider.items() if value is not UNDEFINED})

    def change_consumer(self, **changes: Any) -> None:
        """Change the consumer secret."""
        content = json.dumps(self._consumer_content() | changes)
        self.sandbox.client("secretsmanager").put_secret_value(SecretId=self.consumer_secret_name, SecretString=content)

    @property
    def consumer_secret_name(self) -> str:
        return f"{self.sandbox.prefix}/consumer/{self.name}"

    def _consumer_content(self) -> dict[str, Any]:
        client = self.sandbox.client("secretsmanager")
        return dict(json.loads(client.get_secret_value(SecretId=self.consumer_secret_name)["SecretString"]))

    def stored(self) -> dict[str, Any] | None:
        """Return what Secrets Manager holds for the user, or None."""
        client = self.sandbox.client("secretsmanager")
        try:
            return dict(json.loads(client.get_secret_value(SecretId=self.secret_name)["SecretString"]))
        except client.exceptions.ResourceNotFoundException:
            return None

    def is_deleted(self) -> bool:
        """Return True if the user's secret is scheduled for deletion."""
        return "DeletedDate" in self.sandbox.client("secretsmanager").describe_secret(SecretId=self.secret_name)

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

    def change_item(self, key: str, **attributes: str | float) -> None:
        """Set attributes of an item in the table, as nothing but time or another process would."""
        kinds = {name: {"S": value} if isinstance(value, str) else {"N": str(value)} for name, value in attributes.items()}
        self.sandbox.client("dynamodb").update_item(
            TableName=self.sandbox.table,
            Key={"pk": {"S": key}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in kinds),
            ExpressionAttributeNames={f"#{name}": name for name in kinds},
            ExpressionAttributeValues={f":{name}": value for name, value in kinds.items()},
        )

    def come_due(self, *keys: str) -> None:
        """Let what the relay waits for be over: its next try, its next look, and another's call to the provider.

        Of these items, or of all the app's.
        """
        if not keys:
            mine = {"FilterExpression": "contains(pk, :name)", "ExpressionAttributeValues": {":name": {"S": f"#{self.name}#"}}}
            pages = self.sandbox.client("dynamodb").get_paginator("scan").paginate(TableName=self.sandbox.table, **mine)
            keys = tuple(item["pk"]["S"] for page in pages for item in page["Items"] if "outbox" in item)
        for key in keys:
            item, now = self.item(key) or {}, time.time()
            for name, past in (("outbox_due", 1.0), ("deletion_until", 1.0), ("ended_at", now)):
                if float(item.get(name, {"N": "0"})["N"]) > now:
                    self.change_item(key, **{name: past})

    def sweep(self) -> None:
        """Run the relay's schedule, for the app's items as if they were due."""
        self.come_due()
        assert self.sandbox.run_schedule(f"{self.sandbox.prefix}-relay").error is None

    def relay(self, *keys: str) -> None:
        """Wake the relay for these items, as the stream does, once they are due."""
        self.come_due(*keys)
        records = [{"eventName": "MODIFY", "dynamodb": {"Keys": {"pk": {"S": key}}}} for key in keys]
        outcome = self.sandbox.functions.invoke(f"{self.sandbox.prefix}-relay", {"Records": records})
        assert outcome.error is None, outcome.payload

    def events(self) -> list[PublishedEvent]:
        """Return the app's events so far, in order."""
        return [event for event in self.sandbox.events if event.detail["provider"] == self.name]

    def told(self) -> list[str]:
        """Return what the app's events so far are about, in order."""
        return [event.detail_type for event in self.events()]

    def connection(self) -> dict[str, Any] | None:
        return self.item(self.connection_key)


def make_app(sandbox: Sandbox, *, secret: dict[str, Any] | None = None, **options: Any) -> SandboxApp:
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
    return SandboxApp(sandbox, name, consumer, server.add_user())


def empty(sandbox: Sandbox) -> None:
    """Delete all that is in the table."""
    client = sandbox.client("dynamodb")
    pages = client.get_paginator("scan").paginate(TableName=sandbox.table, ProjectionExpression="pk")
    keys = [{"DeleteRequest": {"Key": item}} for page in pages for item in page["Items"]]
    for at in range(0, len(keys), BATCH):
        client.batch_write_item(RequestItems={sandbox.table: keys[at : at + BATCH]})
