"""The handshake in this process, on the sandbox's AWS and provider, with a clock that tests move."""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.conftest import App
from tripod.vault import Vault
from tripod_flow import authorization
from tripod_flow.authorization import Authorization
from tripod_flow.consumers import Consumers
from tripod_flow.custody import Custody
from tripod_flow.events import Bus
from tripod_flow.exchange import Exchange
from tripod_flow.handshake import Handshake
from tripod_flow.legs import Legs
from tripod_flow.relay import Relay
from tripod_flow.return_to import AllowList
from tripod_flow.revocation import Revocation
from tripod_flow.start import Start, StartRequest
from tripod_flow.table import Table
from tripod_flow.transport import Timeouts
from tripod_flow.vault import TokenVault

T0 = 1_800_000_000.0


@dataclass
class Clock:
    now: float = T0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class House:
    """A handshake in this process, with a clock that tests move."""

    app: App
    clock: Clock = field(default_factory=Clock)
    writer_type: type[TokenVault] = TokenVault
    legs_type: type[Legs] = Legs
    cookies: dict[str, str] = field(default_factory=dict)  # of the one browser

    def __post_init__(self) -> None:
        sandbox = self.app.sandbox
        secrets_manager = sandbox.client("secretsmanager")
        self.table = Table(sandbox.client("dynamodb"), sandbox.table)
        self.writer = self.writer_type(secrets_manager, sandbox.prefix)
        self.custody = Custody(self.table, self.writer, self.clock, erases=True)
        consumers = Consumers(Vault(secrets_manager, sandbox.prefix), loopback=True)
        legs = self.legs_type(Timeouts(1, 1, 2))
        exchange = Exchange(self.table, consumers, legs, self.clock)
        self.start = Start(self.table, consumers, legs, AllowList(), pin_allowed=True, clock=self.clock)
        self.handshake = Handshake(self.table, consumers, exchange, self.custody, clock=self.clock, sleep=self.clock.sleep)
        self.revocation = Revocation(
            self.table, Vault(secrets_manager, sandbox.prefix), consumers, legs, self.custody, clock=self.clock
        )
        self.bus = Bus(sandbox.client("events"), sandbox.prefix)
        self.relay = Relay(self.table, exchange, self.custody, self.revocation, self.bus, clock=self.clock)

    def come_back(self, *, cancel: bool = False, browser: bool = True, **asked: str) -> tuple[str, str]:
        """Start and decide at the provider; return request token and verifier."""
        request = StartRequest(self.app.name, **asked)  # type: ignore[arg-type]  # its strings
        begun = self.start.begin(request, callback_url="https://api.example/callback", browser=browser)
        if begun.cookie_key:
            self.cookies[begun.cookie] = begun.cookie_key
        query = parse_qs(urlsplit(self.app.consent(begun.authorize_url, cancel=cancel)).query)
        return (query["denied"][0], "") if cancel else (query["oauth_token"][0], query["oauth_verifier"][0])

    def callback(self, token: str, verifier: str) -> Authorization:
        return self.handshake.callback(self.app.name, token, verifier, self.cookies).record

    def deny(self, token: str) -> Authorization:
        return self.handshake.deny(self.app.name, token, self.cookies).record

    def record(self, token: str) -> Authorization:
        found = self.table.authorization(authorization.key(self.app.name, token))
        assert found
        return found
