"""The sandbox around what is measured, over http or https, and the events of whole sign-ins."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from sandbox.browser import PAGE
from sandbox.gateway.event import GatewayRequest, path_parameters, to_event
from sandbox.runtime.emulator import Emulator
from sandbox.runtime.functions import worker_environment
from sandbox.template.template import Function
from sandbox.world import Sandbox
from tests.support.sandbox_app import SandboxApp, make_app
from tests.support.tls import Front, certificate
from tools.bench import parts, process

THEIRS, OURS = {0}, {max(os.sched_getaffinity(0))}  # the cores of the servers, and of what is measured
PATIENCE = 60.0  # seconds for one event


@dataclass(frozen=True)
class Sample:
    """One cold start: seconds of CPU and of the clock up to the first answer, MB, and the answer."""

    cpu: float
    wall: float
    peak: float
    answer: Any


@dataclass
class Scene:
    """A sandbox, an app in it, and what its functions are told beside the template's variables.

    ``known`` are the provider's addresses as the functions know them. ``bundle`` is the certificate that what is measured must trust besides, over https.
    """

    sandbox: Sandbox
    app: SandboxApp
    settings: dict[str, str]
    known: dict[str, str]
    folder: Path
    bundle: Path | None
    _copies: dict[Path, Path] = field(default_factory=dict)

    @cached_property
    def sealing(self) -> "Scene":
        """The same with an app whose users' tokens are sealed in the table."""
        return replace(self, app=make_app(self.sandbox, secret={"provider": self.known, "store": "table"}))

    def function(self, name: str) -> Function:
        """Return a built function by its short name."""
        shipped = self.sandbox.functions.function(f"{self.sandbox.prefix}-{name}")
        return replace(shipped, layers=tuple(map(self.trusting, shipped.layers)))

    def beside(self, name: str, folder: Path, *layers: Path) -> Function:
        """Return a function like a built one, its environment and all, of other code, whose role may do everything."""
        return replace(
            self.function(name), name="measured", folder=self.trusting(folder), layers=tuple(map(self.trusting, layers))
        )

    def trusting(self, source: Path) -> Path:
        """Return a folder, or over https a copy of it whose CA bundles have our certificate as well."""
        if self.bundle is None or not any(source.rglob("*.pem")):
            return source
        if source not in self._copies:
            self._copies[source] = parts.trusting(self.bundle, source, self.folder / f"copy-{len(self._copies)}")
        return self._copies[source]

    def emulator(self, function: Function, command: list[str] | None = None) -> Emulator:
        """Start a function's emulator on a core of its own; its runtime starts with the first event."""
        os.sched_setaffinity(0, OURS)
        try:
            made = Emulator(function, worker_environment(function, self.settings, function.alias), command)
        finally:
            os.sched_setaffinity(0, THEIRS)
        made.greet()
        return made

    def cold(self, function: Function, told: Any, command: list[str] | None = None) -> Sample:
        """Run one event in a new execution environment."""
        emulator = self.emulator(function, command)
        try:
            began = time.perf_counter()
            answer = invoke(emulator, told)
            wall = time.perf_counter() - began
            runtime = process.of_session(emulator.session)
            return Sample(process.cpu(runtime), wall, process.peak(runtime), answer)
        finally:
            emulator.close()
            process.wait_for_the_end(emulator.session)

    def start_event(self) -> Any:
        """Return the event of a browser at start."""
        return self._event("start", f"/oauth/{self.app.name}/start", [])

    def callback_event(self, starter: Emulator) -> tuple[SandboxApp, Any]:
        """Sign a new user in up to the way back; returns whose it is, and the event of the browser at the callback."""
        app = SandboxApp(self.sandbox, self.app.name, self.app.consumer, self.sandbox.provider_server.add_user())
        begun = invoke(starter, self.start_event())
        shown = begun["headers"]["location"].replace(
            self._front, self.sandbox.provider
        )  # a person's browser knows no certificate of ours
        url = urlsplit(app.consent(shown))
        return app, self._event("callback", f"{url.path}?{url.query}", begun["cookies"])

    @property
    def _front(self) -> str:
        return self.url("request_token_url").rpartition("/oauth/")[0]

    def url(self, name: str) -> str:
        """Return one of the provider's addresses as the functions know it."""
        secret = f"{self.sandbox.prefix}/consumer/{self.app.name}"
        content = self.sandbox.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
        return str(json.loads(content)["provider"][name])

    def _event(self, function: str, target: str, cookies: list[str]) -> Any:
        headers = [("accept", PAGE), ("user-agent", "Mozilla/5.0")]
        headers += [("cookie", "; ".join(each.partition(";")[0] for each in cookies))] if cookies else []
        request = GatewayRequest("GET", target, "HTTP/1.1", headers, b"", "127.0.0.1", int(self.sandbox.api.rpartition(":")[2]))
        routes = [(route, path_parameters(route, request.path)) for route in self.function(function).routes]
        route, parameters = next((route, found) for route, found in routes if found is not None)
        return to_event(request, route, parameters, self.sandbox.aws_server.account)


def invoke(emulator: Emulator, told: Any) -> Any:
    """Run one event and return the answer; raises ``RuntimeError`` with what the function printed where there is none."""
    answer = emulator.answer({"event": told, "client_context": None}, time.time() + PATIENCE)
    if "result" not in answer:
        raise RuntimeError(f"{answer}\n{emulator.printed()}")
    return answer["result"]


@contextmanager
def scene(*, tls: bool = False, thinks: float = 0.0) -> Iterator[Scene]:
    """Run the world, its servers on one core, for as long as the ``with`` block lasts; the provider thinks so many seconds."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, THEIRS)
    try:
        with ExitStack() as ending:
            parts.OWN.mkdir(exist_ok=True)
            folder = Path(ending.enter_context(TemporaryDirectory(dir=parts.OWN)))
            own = certificate(folder) if tls else None
            sandbox = ending.enter_context(Sandbox(built=True, streams=False, parameters={"TokenKey": "on"}))
            settings = sandbox.function_settings()
            if tls:
                settings["AWS_ENDPOINT_URL"] = ending.enter_context(Front(port_of(sandbox.aws), own)).url
            provider = (
                ending.enter_context(Front(port_of(sandbox.provider), own, thinks)).url if tls or thinks else sandbox.provider
            )
            known = {name: text.replace(sandbox.provider, provider) for name, text in sandbox.provider_server.endpoints().items()}
            app = make_app(sandbox, secret={"provider": known})
            yield Scene(sandbox, app, settings, known, folder, own.bundle if own else None)
    finally:
        os.sched_setaffinity(0, before)


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])
