"""AWS, the provider, the functions and the APIs before them, started and ended together."""

import errno
import json
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import boto3
from botocore.config import Config

from sandbox.aws.bus import PublishedEvent
from sandbox.aws.credentials import ACCESS_KEY, LAMBDA_SERVICE, SECRET_KEY, SESSION_PREFIX
from sandbox.aws.iam import policy_of
from sandbox.aws.server import AwsServer
from sandbox.controls import Controls
from sandbox.front_page import FrontPage, Shown
from sandbox.gateway.http_api import HttpApi
from sandbox.gateway.lambda_api import LambdaApi
from sandbox.gateway.stage import ApiStage
from sandbox.loopback import PortTakenError
from sandbox.provider import ProviderServer, RegisteredApp, plays
from sandbox.provider.play import X
from sandbox.repository import TEMPLATE
from sandbox.return_urls import LoopbackReturnUrls
from sandbox.runtime.emulator import built_template
from sandbox.runtime.functions import Functions, InvocationResult
from sandbox.runtime.logs import Logs
from sandbox.sources.event_sources import EventSources
from sandbox.template import stack
from sandbox.template.intrinsics import ACCOUNT, REGION
from sandbox.template.template import Template

PATIENCE = 10.0  # seconds to wait for a stream to be drained


class Sandbox:
    """The whole sandbox, on loopback, for as long as the ``with`` block lasts; a port of 0 is any.

     ``parameters`` override the template's, ``settings`` are added to every function's environment. ``consumer`` is the
     app's key and secret at the real X, which then takes the local provider's place under the name ``x``. ``aws_url`` is
     an AWS endpoint that is already running. ``provider`` is one that the sandbox plays beside X. ``built`` runs what
     `make build` has built, in Lambda's own runtime. ``echo`` gets a copy of what the functions print, and each published event.
    ``streams`` and ``schedules``: whether the template's run. ``any_loopback``: users may be sent back to any port of this machine.
    ``throttles``: whether the API's throttle is in force.
    """

    aws_server: AwsServer
    provider_server: ProviderServer

    def __init__(
        self,
        *,
        api_port: int = 0,
        aws_port: int = 0,
        provider_port: int = 0,
        lambda_port: int = 0,
        parameters: Mapping[str, str] | None = None,
        settings: Mapping[str, str] | None = None,
        consumer: tuple[str, str] | None = None,
        provider: str = X.name,
        aws_url: str | None = None,
        template: Path = TEMPLATE,
        built: bool = False,
        echo: TextIO | None = None,
        streams: bool = True,
        schedules: bool = False,
        any_loopback: bool = False,
        throttles: bool = False,
    ) -> None:
        self._ports = {"api": api_port, "aws": aws_port, "provider": provider_port, "lambda": lambda_port}
        self._path = built_template() if built else template
        self._built = built
        self._parameters = parameters or {}
        self._settings = settings or {}
        self._consumer = consumer
        self.play = plays.of(provider)
        self._aws_url = aws_url
        self._running = {"streams": streams, "schedules": schedules}
        self._any_loopback = any_loopback
        self._throttles = throttles
        self._clients: dict[tuple[str, str], Any] = {}
        self._apps: dict[str, RegisteredApp] = {}  # at the provider, by the names of their consumer secrets
        self._client_lock = threading.Lock()  # boto3's session must not make two clients at once
        self.logs = Logs(echo)

    def __enter__(self) -> Self:
        with ExitStack() as ending:
            self._start(ending)
            self._ending = ending.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ending.close()

    def _start(self, ending: ExitStack) -> None:
        account = ACCOUNT
        if self._aws_url is None:
            self.aws_server = AwsServer(self._ports["aws"])
            ending.callback(self.aws_server.stop)
            self.aws_server.on_event = lambda event: self.logs.report(f"event {event.as_json()}\n")
            self.aws_server.start()
            account = self.aws_server.account
        self.aws = self._aws_url or self.aws_server.url
        self.template = Template(self._path, self._parameters, account)
        self.prefix = self.template.stack
        ending.callback(lambda: [client.close() for client in self._clients.values()])
        self._provide_keys()
        self.provider_server = ending.enter_context(self._provider_server())
        self.provider = self.provider_server.url

        described = self.template.functions()
        self.functions = Functions(self.logs, emulated=self._built)
        roles = self.aws_server.roles if self._aws_url is None else {}
        lambda_api = LambdaApi(self.functions, account, roles, self._ports["lambda"])
        ending.callback(lambda_api.stop)
        stage = ApiStage.of(
            next(iter(self.template.resources("AWS::Serverless::HttpApi").values()), {}), throttles=self._throttles
        )
        http_api = self.http_api = HttpApi(
            described, self.functions, account, self.logs, self._ports["api"], domain=self.template.domain(), stage=stage
        )
        ending.callback(http_api.stop)
        ours = self._aws_url is None
        self._sources = EventSources(self.functions, self._client_of_lambda, account, self.logs, notified=ours)
        if ours:
            self.aws_server.on_write = self._sources.notify
            writers = {function.log_group: function.name for function in described}
            self.aws_server.log_lines = lambda group: self.logs.of(writers[group]) if group in writers else None
        ending.callback(self._sources.join)
        ending.callback(self.functions.stop)
        ending.callback(self._sources.release)
        self.lambda_, self.api = lambda_api.url, http_api.url
        self.functions.add(described, self.function_settings())
        if self._any_loopback:
            self.functions.on_event = LoopbackReturnUrls(self.functions, f"{self.prefix}-start").notice
        lambda_api.start()
        http_api.start()

        # No environment contains what only exists after creation, such as a stream's ARN.
        stack.create(self.template, self.client, self.api)
        if ours:  # any other AWS decides itself who may do what
            for function in self.template.functions():  # again: the table's own ARN is known by now
                self.aws_server.roles[function.name] = policy_of(self.template, function)
        self.table = next((table.name for table in self.template.tables()), "")
        if self._consumer:
            key, secret = self._consumer
            self._store_secret("x", {"consumer_key": key, "consumer_secret": secret})
        else:
            self.add_provider("x")
        if self.play is not X:
            self.add_provider(self.play.name, play=self.play.name)
        http_api.front_page = self._front_page().reply
        self._sources.start(self.template.functions(), **self._running)  # again: the streams' own ARNs are known by now

    def _provide_keys(self) -> None:
        """Create the template's KMS keys; in an AWS of the sandbox's own also the one that its parameter names."""
        stack.create_keys(self.template, self.client)
        if self._aws_url is None and (arn := self.template.parameters.get("KmsKeyArn")):
            self.aws_server.add_key(arn)

    def _front_page(self) -> FrontPage:
        """Return the sandbox's own page. It uses AWS as Lambda itself does, whose calls no fault spoils, where AWS is the sandbox's own."""
        ours, played = self._aws_url is None, self.play is not X
        controls = Controls(
            self.provider_server if played or not self.with_real_x else None,
            self.aws_server if ours else None,
            self._apps,
            lambda: self.client("lambda"),
            self.prefix,
        )
        shown = Shown(
            client=self._client_of_lambda if ours else self.client,
            table=self.table,
            prefix=self.prefix,
            events=lambda: self.events,
            ways=((f"Sign in with {self.play.title}", self.start_path),) if played else (),
            environment=self.environment(),
        )
        return FrontPage(shown, controls)

    def _provider_server(self) -> ProviderServer:
        try:
            return ProviderServer(self._ports["provider"])
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                raise PortTakenError(self._ports["provider"]) from None
            raise

    def function_settings(self) -> dict[str, str]:
        """Return the variables that the sandbox adds to a function's environment: AWS's address, and leave to use http on loopback."""
        return {
            "AWS_ENDPOINT_URL": self.aws,
            "AWS_ENDPOINT_URL_LAMBDA": self.lambda_,
            "TRIPOD_LOOPBACK_HTTP": "true",
            **self._settings,
        }

    @property
    def with_real_x(self) -> bool:
        """True if ``x`` is the real X."""
        return self._consumer is not None

    @property
    def app(self) -> RegisteredApp | None:
        """The app at the sandbox's X, as the developer console would show it; None where ``x`` is the real X."""
        return self._apps.get("x")

    @property
    def token_key(self) -> str:
        """The ARN of the key that seals tokens for the table; empty where the template makes none."""
        variables = self.functions.function(f"{self.prefix}-callback").environment
        return variables.get("TRIPOD_TOKEN_KEY", "")

    @property
    def start_path(self) -> str:
        """Return where a sign-in begins at the provider that the sandbox plays."""
        return f"/oauth/{self.play.name}/start"

    def client(self, service: str) -> Any:
        """Return a boto3 client of the sandbox's AWS; ``lambda`` reaches the functions. The sandbox closes it."""
        return self._client(service, "")

    def _client_of_lambda(self, service: str, caller: str = LAMBDA_SERVICE) -> Any:
        return self._client(service, caller)

    def _client(self, service: str, caller: str) -> Any:
        with self._client_lock:
            if (service, caller) not in self._clients:
                self._clients[service, caller] = boto3.client(
                    service,  # type: ignore[call-overload]  # any service
                    region_name=REGION,
                    endpoint_url=self.lambda_ if service == "lambda" else self.aws,
                    aws_access_key_id=ACCESS_KEY,
                    aws_secret_access_key=SECRET_KEY,
                    aws_session_token=SESSION_PREFIX + caller if caller else None,
                    config=Config(retries={"mode": "standard"}, read_timeout=65, max_pool_connections=50),
                )
            return self._clients[service, caller]

    @property
    def events(self) -> list[PublishedEvent]:
        """Return the events that were published on any bus so far, in order; none where AWS isn't the sandbox's own."""
        return self.aws_server.events if self._aws_url is None else []

    def settle(self, seconds: float = PATIENCE) -> None:
        """Return when the streams are drained, including what the functions wrote meanwhile; else raise TimeoutError.

        A batching window isn't waited for.
        """
        self._sources.settle(seconds)

    def streams_lost(self, seconds: float = PATIENCE) -> AbstractContextManager[None]:
        """Return a context in which the streams lose every write."""
        return self._sources.lost(seconds)

    def run_schedule(self, function: str | None = None) -> InvocationResult:
        """Run a function's schedule once, now (by default the template's only one), and return the result."""
        return self._sources.run_schedule(function)

    def add_provider(self, name: str, *, play: str = X.name, **secret_fields: Any) -> RegisteredApp:
        """Register an app at the provider, as X or at a play, and store its consumer secret as ``name``.

        ``secret_fields`` are added to the secret; ``provider`` among them replaces the provider's own endpoints, and
        None leaves it out.
        """
        shown = self.template.parameters.get("AppName") or name
        consumer = self._apps[name] = self.provider_server.register(name=shown, play=play)
        secret = {
            "consumer_key": consumer.key,
            "consumer_secret": consumer.secret,
            "provider": self.provider_server.endpoints(consumer.key)
            | (self.provider_server.identity() if play == X.name else {}),
            **secret_fields,
        }
        self._store_secret(name, {key: value for key, value in secret.items() if value is not None})
        return consumer

    def _store_secret(self, provider: str, secret: dict[str, Any]) -> None:
        secrets_manager = self.client("secretsmanager")
        name, content = f"{self.prefix}/consumer/{provider}", json.dumps(secret)
        try:
            secrets_manager.create_secret(Name=name, SecretString=content)
        except secrets_manager.exceptions.ResourceExistsException:
            secrets_manager.put_secret_value(SecretId=name, SecretString=content)

    def environment(self) -> dict[str, str]:
        """Return what another process on this machine needs in its environment to use the sandbox, as the layer and any AWS SDK read it.

        ``X_API`` takes the place of https://api.x.com, unless ``x`` is the real X.
        """
        return {
            "AWS_ENDPOINT_URL": self.aws,
            "AWS_ENDPOINT_URL_LAMBDA": self.lambda_,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "TRIPOD_PREFIX": self.prefix,
            "TRIPOD_URL": self.api,
            "TRIPOD_LOOPBACK_HTTP": "true",  # leave to send users' tokens over http, to this machine alone
            **({} if self.with_real_x else {"X_API": self.provider}),
        }

    def ready(self) -> dict[str, str]:
        """Return the addresses and names that a program needs to use the sandbox."""
        return {
            "api": self.api,
            "aws": self.aws,
            "provider": self.provider,
            "lambda": self.lambda_,
            "table": self.table,
            "prefix": self.prefix,
        }
