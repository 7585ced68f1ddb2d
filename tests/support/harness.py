"""The flows in this process, on the sandbox's AWS and provider, with a clock that tests move."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.clock import Clock
from tests.support.sandbox_app import SandboxApp
from tripod_flow.api.pages import PLAIN
from tripod_flow.app import App
from tripod_flow.edges.provider_client import ProviderClient
from tripod_flow.edges.secret_writer import SecretWriter
from tripod_flow.edges.transport import Timeouts
from tripod_flow.flows.start import StartRequest
from tripod_flow.rules import authorization
from tripod_flow.rules.authorization import Authorization
from tripod_flow.rules.return_to import AllowList
from tripod_flow.settings import Settings

os.environ.setdefault(
    "POWERTOOLS_METRICS_NAMESPACE", "Tripod"
)  # for metrics that are written out when a hundred have come together


class Killed(BaseException):
    """The process is gone, in the middle of what it did."""


class FaultyApp(App):
    """An ``App`` whose secret writer and provider client are of the given types."""

    def __init__(self, writer_type: type[SecretWriter], client_type: type[ProviderClient], *rest: Any, **named: Any) -> None:
        super().__init__(*rest, **named)
        self._writer_type = writer_type
        self._client_type = client_type

    @cached_property
    def secret_writer(self) -> SecretWriter:
        return self._writer_type(self._secrets_manager, self.settings.prefix)

    @cached_property
    def provider_client(self) -> ProviderClient:
        return self._client_type(self.settings.timeouts)


@dataclass
class Harness:
    """The flows of one app, with a clock that tests move, and the cookies of one browser."""

    app: SandboxApp
    clock: Clock = field(default_factory=Clock)
    writer_type: type[SecretWriter] = SecretWriter
    client_type: type[ProviderClient] = ProviderClient
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sandbox = self.app.sandbox
        settings = Settings(
            prefix=sandbox.prefix,
            table=sandbox.table,
            bus=sandbox.prefix,
            return_urls=AllowList(),
            pin=True,
            look=PLAIN,
            recovery_window=30,
            kms_key="",
            token_key=sandbox.token_key,
            check_every=0.0,
            timeouts=Timeouts(1, 1, 2),
            loopback=True,
        )
        client: Callable[[str], Any] = sandbox.client
        flows = FaultyApp(self.writer_type, self.client_type, settings, client=client, clock=self.clock, sleep=self.clock.sleep)
        self.flows = flows
        self.table = flows.table
        self.writer = flows.secret_writer
        self.token_store = flows.token_store
        self.start = flows.start
        self.finish = flows.finish
        self.revocation = flows.revocation
        self.bus = flows.bus
        self.relay = flows.relay

    def come_back(self, *, cancel: bool = False, browser: bool = True, **asked: str) -> tuple[str, str]:
        """Start and decide at the provider; return request token and verifier."""
        request = StartRequest(self.app.name, **asked)  # type: ignore[arg-type]  # its strings
        begun = self.start.begin(request, callback_url="https://api.example/callback", browser=browser)
        if begun.cookie_value:
            self.cookies[begun.cookie_name] = begun.cookie_value
        query = parse_qs(urlsplit(self.app.consent(begun.authorize_url, cancel=cancel)).query)
        return (query["denied"][0], "") if cancel else (query["oauth_token"][0], query["oauth_verifier"][0])

    def callback(self, token: str, verifier: str) -> Authorization:
        return self.finish.callback(self.app.name, token, verifier, self.cookies).record

    def deny(self, token: str) -> Authorization:
        return self.finish.deny(self.app.name, token, self.cookies).record

    def wake(self, *keys: str, seconds: int, step: int = 5) -> None:
        """Wake the relay for these items again and again, as the stream of its own writes did, and by each minute's sweep."""
        for second in range(0, seconds, step):
            self.clock.now += step
            self.relay.relay(keys, lambda: True)
            if second % 60 == 0:
                due = set(self.due())
                self.relay.relay([key for key in keys if key in due], lambda: True)

    def due(self) -> list[str]:
        """Return the keys of the items in the outbox that are due, of other tests too."""
        now = self.clock()
        return [entry.pk for entry in self.table.outbox(now=now) if entry.due <= now]

    def record(self, token: str) -> Authorization:
        found = self.table.authorization(authorization.key(self.app.name, token))
        assert found
        return found
