"""The composition root: settings, AWS clients and the clock in, the flows out. The functions and the tests build the same ``App``."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tripod import library_logs, sealed_tokens
from tripod.credentials import UserTokens
from tripod.secret_reader import SecretReader
from tripod_flow import cold_start
from tripod_flow.api import guard, http_request, responses, text
from tripod_flow.api.http_request import HttpRequest
from tripod_flow.api.pages import PLAIN, Look
from tripod_flow.api.responses import ApiResponse
from tripod_flow.edges import aws, telemetry
from tripod_flow.edges.consumers import Consumers
from tripod_flow.edges.deadline import Deadline
from tripod_flow.edges.event_bus import EventBus
from tripod_flow.edges.provider_client import ProviderClient
from tripod_flow.edges.secret_writer import SecretWriter
from tripod_flow.edges.table import Table
from tripod_flow.edges.token_sealer import TokenSealer
from tripod_flow.flows.exchange import Exchange
from tripod_flow.flows.finish import Finish
from tripod_flow.flows.relay import Relay
from tripod_flow.flows.revocation import Revocation
from tripod_flow.flows.start import Start
from tripod_flow.flows.token_deletion import TokenDeletion
from tripod_flow.flows.token_store import TokenStore
from tripod_flow.rules.errors import FlowError
from tripod_flow.settings import Settings

if TYPE_CHECKING:
    from tripod_flow.flows.check import ConnectionCheck
    from tripod_flow.flows.check_round import CheckRound
    from tripod_flow.flows.sign import Sign

library_logs.withhold_texts()


class App:
    """One process's flows, each made once, at first use; making an ``App`` reads nothing.

    ``settings`` are read from the environment at first use unless given. ``client`` returns boto3's client of a service; by default
    its calls are bounded by the invocation's deadline. ``clock`` in epoch seconds.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        client: Callable[[str], Any] | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._client = client or self._bounded_client
        self._clock = clock
        self._sleep = sleep
        self._deadline = Deadline()

    def prepare(self) -> None:
        """Make what every request needs, in Lambda at least: its time before the first request has more CPU than any request.

        Each handler's last line. Connections are made with the first calls, so they are new after a snapshot was restored. A stack
        without settings says so when it is asked.
        """
        if cold_start.in_lambda():
            with suppress(FlowError):
                _ = self.table, self.secret_reader, telemetry.log()
            cold_start.end()

    def set_deadline(self, context: Any) -> None:
        """Set the deadline of this invocation; every handler's first step, which the two methods below take by themselves."""
        self._deadline.set(context.get_remaining_time_in_millis())

    def respond(
        self,
        event: Mapping[str, Any],
        context: Any,
        act: Callable[[HttpRequest], ApiResponse],
        problem: guard.Problem = responses.problem,
    ) -> ApiResponse:
        """Return the response to API Gateway's ``event``, which ``act`` makes; an error becomes a problem, logged once."""
        self.set_deadline(context)
        return guard.respond(
            http_request.read(event, loopback=self._loopback, look=self._look, called=self._provider_name), act, problem
        )

    def respond_directly(
        self, event: Mapping[str, Any], context: Any, act: Callable[[Mapping[str, Any]], dict[str, Any]]
    ) -> dict[str, Any]:
        """Return the result of another Lambda's ``event``, which ``act`` makes, or problem details."""
        self.set_deadline(context)
        provider = str(event.get("provider", "")) if isinstance(event, Mapping) else ""

        def known_callback_url() -> str:
            return self.callback_url(provider) if "_api_origin" in vars(self) else ""  # a problem causes no call of its own

        return guard.respond_directly(
            context.aws_request_id, provider, lambda: act(event), known_callback_url, lambda: self._provider_name(provider)
        )

    def may_return_to(self, url: str) -> bool:
        """Return True if ``url`` is allowed as ``return_to``; a stack without settings allows none."""
        try:
            return self.settings.return_urls.flaw(url) is None
        except FlowError:
            return False

    def callback_url(self, provider: str) -> str:
        """Return the callback URL for direct invocations, which have no request to take it from."""
        return f"{self._api_origin}/oauth/{provider}/callback"

    @cached_property
    def settings(self) -> Settings:
        """The settings; raises ``NotConfigured``."""
        return self._settings or Settings.from_env()

    @cached_property
    def start(self) -> Start:
        """The flow that begins authorizations."""
        return Start(
            self.table,
            self.consumers,
            self.provider_client,
            self.settings.return_urls,
            pin_allowed=self.settings.pin,
            clock=self._clock,
        )

    @cached_property
    def finish(self) -> Finish:
        """The flow that finishes authorizations and redeems tickets."""
        return Finish(self.table, self.consumers, self.exchange, self.token_store, clock=self._clock, sleep=self._sleep)

    @cached_property
    def revocation(self) -> Revocation:
        """The flow that disconnects users."""
        return Revocation(
            self.table,
            self.secret_reader,
            self.consumers,
            self.provider_client,
            self.token_deletion,
            token_sealer=self.token_sealer,
            clock=self._clock,
        )

    @cached_property
    def check(self) -> "ConnectionCheck":
        """The flow that asks providers whether they still take users' tokens."""
        from tripod_flow.flows.check import ConnectionCheck  # noqa: PLC0415  # of one function alone: the others start without it

        return ConnectionCheck(
            self.table,
            self.secret_reader,
            self.consumers,
            self.provider_client,
            token_sealer=self.token_sealer,
            clock=self._clock,
        )

    @cached_property
    def check_round(self) -> "CheckRound":
        """The flow that checks all connections in turn."""
        from tripod_flow.edges.check_progress import CheckProgress  # noqa: PLC0415  # likewise
        from tripod_flow.flows.check_round import CheckRound  # noqa: PLC0415  # likewise

        progress = CheckProgress(self._client("dynamodb"), self.settings.table)
        return CheckRound(progress, self.check, every=self.settings.check_every, clock=self._clock)

    @cached_property
    def relay(self) -> Relay:
        """The flow that works off the outbox."""
        return Relay(
            self.table, self.exchange, self.token_store, self.token_deletion, self.revocation, bus=self.bus, clock=self._clock
        )

    @cached_property
    def sign(self) -> "Sign":
        """The flow that signs other Lambdas' requests."""
        from tripod_flow.flows.sign import Sign  # noqa: PLC0415  # likewise

        settings = self.settings
        return Sign(
            self.consumers, self.secret_reader, only=settings.sign_provider, loopback=settings.loopback, clock=self._clock
        )

    @cached_property
    def exchange(self) -> Exchange:
        """The steps from a verifier to the outcome."""
        return Exchange(self.table, self.consumers, self.provider_client, self.token_sealer, self._clock)

    @cached_property
    def token_store(self) -> TokenStore:
        """The steps from a grant to its secret."""
        return TokenStore(self.table, self.secret_writer, self.token_sealer, self._clock, deadline=self._deadline)

    @cached_property
    def token_deletion(self) -> TokenDeletion:
        """The steps from a revocation to the secret's deletion."""
        return TokenDeletion(self.table, self.secret_writer, self._clock)

    @cached_property
    def table(self) -> Table:
        """DynamoDB's table."""
        return Table(self._dynamodb, self.settings.table)

    @cached_property
    def consumers(self) -> Consumers:
        """The consumer secrets."""
        settings = self.settings
        return Consumers(self.secret_reader, loopback=settings.loopback, can_seal=bool(settings.token_key))

    @cached_property
    def provider_client(self) -> ProviderClient:
        """The client of every provider."""
        return ProviderClient(self.settings.timeouts, clock=self._clock, deadline=self._deadline)

    @cached_property
    def secret_reader(self) -> SecretReader:
        """Secrets Manager, for reading; and the table, for users' tokens that are sealed there."""
        return SecretReader(self._secrets_manager, self.settings.prefix, sealed=self._sealed_tokens)

    @cached_property
    def secret_writer(self) -> SecretWriter:
        """Secrets Manager, for writing users' tokens."""
        settings = self.settings
        return SecretWriter(self._secrets_manager, settings.prefix, settings.recovery_window, settings.kms_key)

    @cached_property
    def token_sealer(self) -> TokenSealer:
        """KMS, for tokens that the table keeps; its client is made at the first."""
        return TokenSealer(lambda: self._kms, self.settings.prefix, self.settings.token_key)

    @cached_property
    def bus(self) -> EventBus:
        """EventBridge's event bus."""
        return EventBus(self._client("events"), self.settings.bus)

    def _sealed_tokens(self, provider: str, user_id: str) -> UserTokens | bool:
        prefix = self.settings.prefix
        found = sealed_tokens.find(self._dynamodb, self.settings.table, prefix, provider, user_id)
        return found if isinstance(found, bool) else sealed_tokens.opened(self._kms, prefix, provider, user_id, found)

    @cached_property
    def _dynamodb(self) -> Any:
        return self._client("dynamodb")

    @cached_property
    def _kms(self) -> Any:
        return self._client("kms")

    @cached_property
    def _secrets_manager(self) -> Any:
        return self._client("secretsmanager")

    @cached_property
    def _api_origin(self) -> str:
        """The API's own origin, from an SSM parameter that the stack writes."""
        parameter = self._client("ssm").get_parameter(Name=f"/{self.settings.prefix}/api-url")
        return str(parameter["Parameter"]["Value"]).rstrip("/")

    def _bounded_client(self, service: str) -> Any:
        return aws.client(service, self._deadline)

    def _provider_name(self, provider: str) -> str:
        """Return a provider's name as people write it; it causes no call, and no error of its own."""
        known = self.consumers.known_name(provider) if "consumers" in vars(self) else ""
        return known or text.provider_name(provider)

    @property
    def _loopback(self) -> bool:
        """Whether this is the sandbox; a stack without settings is not."""
        try:
            return self.settings.loopback
        except FlowError:
            return False

    @property
    def _look(self) -> Look:
        """How this stack's pages look; one without settings has the default."""
        try:
            return self.settings.look
        except FlowError:
            return PLAIN
