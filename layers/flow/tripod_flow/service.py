"""What every handler has in common: settings, clients made once, and one answer for whatever happens, told in the log."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from tripod import quiet
from tripod.vault import Vault
from tripod_flow import answers, aws, cold, telemetry, web
from tripod_flow.answers import Answer
from tripod_flow.consumers import Consumers
from tripod_flow.custody import Custody
from tripod_flow.deadline import Deadline
from tripod_flow.errors import FlowError, Internal
from tripod_flow.events import Bus
from tripod_flow.exchange import Exchange
from tripod_flow.handshake import Handshake
from tripod_flow.legs import Legs
from tripod_flow.pages import PLAIN, Look
from tripod_flow.relay import Relay
from tripod_flow.revocation import Revocation
from tripod_flow.settings import Settings
from tripod_flow.start import Start
from tripod_flow.table import Table
from tripod_flow.vault import TokenVault
from tripod_flow.web import Request

quiet.quieten()

_deadline = Deadline()


@cache
def settings() -> Settings:
    """Return this process's settings, read from the environment at first use; raises ``NotConfigured``."""
    return Settings.from_env()


def prepare() -> None:
    """Make what every request needs, in Lambda at least: its time before the first request has more CPU than any request.

    Each handler's last line. Connections are made with the first calls, so they are new after a snapshot was restored. A stack without
    settings says so when it is asked.
    """
    if cold.in_lambda():
        with suppress(FlowError):
            _table(), _vault(), telemetry.log()
        cold.end()


def start() -> Start:
    """Return what begins authorizations."""
    return Start(_table(), _consumers(), _legs(), settings().return_urls, pin_allowed=settings().pin, clock=time.time)


def handshake() -> Handshake:
    """Return what finishes authorizations."""
    return Handshake(_table(), _consumers(), _exchange(), _custody(), clock=time.time, sleep=time.sleep)


def revocation() -> Revocation:
    """Return what disconnects users."""
    return Revocation(_table(), _vault(), _consumers(), _legs(), _custody(erases=True), clock=time.time)


@cache
def relay() -> Relay:
    """Return what does the rest."""
    bus = Bus(aws.client("events", _deadline), settings().bus)
    return Relay(_table(), _exchange(), _custody(erases=True), revocation(), bus, clock=time.time)


@cache
def api_origin() -> str:
    """Return the API's own address, for what has no request to take it from: an SSM parameter that the stack writes."""
    parameter = aws.client("ssm", _deadline).get_parameter(Name=f"/{settings().prefix}/api-url")
    return str(parameter["Parameter"]["Value"]).rstrip("/")


def begin(context: Any) -> None:
    """Note how long this invocation has; every handler's first step."""
    _deadline.set(context.get_remaining_time_in_millis())


def answer(event: Mapping[str, Any], context: Any, act: Callable[[Request], Answer]) -> Answer:
    """Answer a browser's event with what ``act`` makes of it; whatever is raised becomes a problem, told once in the log."""
    begin(context)
    request = web.read(event, loopback=_is_loopback(), look=_look())
    return _guarded(request.id, request.provider, lambda: act(request), lambda error: answers.problem(request, error))


def answer_direct(event: Mapping[str, Any], context: Any, act: Callable[[Mapping[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """Answer another Lambda's invocation with what ``act`` makes of it, or with problem details."""
    begin(context)
    request_id = context.aws_request_id
    provider = str(event.get("provider", "")) if isinstance(event, Mapping) else ""
    return _guarded(
        request_id,
        provider,
        lambda: act(event),
        lambda error: answers.problem_content(error, request_id, provider=provider, callback_url=_callback_url(provider)),
    )


def _guarded(
    request_id: str, provider: str, act: Callable[[], dict[str, Any]], failed: Callable[[FlowError], dict[str, Any]]
) -> dict[str, Any]:
    telemetry.log().set_correlation_id(request_id)
    try:
        return act()
    except FlowError as error:
        _tell(provider, error)
        return failed(error)
    except Exception as error:  # noqa: BLE001  # the one place where a defect becomes an answer
        telemetry.failure("unexpected", error)
        _tell(provider, Internal())
        return failed(Internal())
    finally:
        telemetry.flush()


def _tell(provider: str, error: FlowError) -> None:
    telemetry.count(error.code)
    log = telemetry.log().error if error.status >= 500 else telemetry.log().info
    log(error.code, extra={"provider": provider[:32], "reason": str(error)})


def _callback_url(provider: str) -> str:
    return f"{api_origin()}/oauth/{provider}/callback" if api_origin.cache_info().currsize else ""


def _is_loopback() -> bool:
    """Tell whether this is the sandbox; a stack without settings is none."""
    try:
        return settings().loopback
    except FlowError:
        return False


def _look() -> Look:
    """Return how this stack's pages look; one without settings has the default."""
    try:
        return settings().look
    except FlowError:
        return PLAIN


@cache
def _secrets_manager() -> Any:
    return aws.client("secretsmanager", _deadline)


@cache
def _table() -> Table:
    return Table(aws.client("dynamodb", _deadline), settings().table)


@cache
def _vault() -> Vault:
    return Vault(_secrets_manager(), settings().prefix)


@cache
def _consumers() -> Consumers:
    return Consumers(_vault(), loopback=settings().loopback)


@cache
def _legs() -> Legs:
    return Legs(settings().timeouts, deadline=_deadline)


@cache
def _custody(*, erases: bool = False) -> Custody:
    writer = TokenVault(_secrets_manager(), settings().prefix, settings().recovery_window, settings().kms_key)
    return Custody(_table(), writer, time.time, _deadline, erases=erases)


@cache
def _exchange() -> Exchange:
    return Exchange(_table(), _consumers(), _legs(), time.time)
