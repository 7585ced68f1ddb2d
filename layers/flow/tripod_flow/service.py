"""What every handler has in common: settings and clients made at first use, one answer for whatever happens, one log line."""

from collections.abc import Callable, Mapping
from functools import cache
from time import time
from typing import Any

import boto3
from botocore.config import Config

from tripod import quiet
from tripod.vault import Vault
from tripod_flow import answers, telemetry, web
from tripod_flow.answers import Answer
from tripod_flow.consumers import Consumers
from tripod_flow.custody import Custody
from tripod_flow.errors import FlowError, Internal
from tripod_flow.handshake import Handshake
from tripod_flow.legs import Legs
from tripod_flow.settings import Settings
from tripod_flow.table import Table
from tripod_flow.vault import TokenVault
from tripod_flow.web import Request

quiet.quieten()

# Seconds; DynamoDB and Secrets Manager answer in milliseconds, so that a second try beats a longer wait.
_AWS = Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 3})


@cache
def settings() -> Settings:
    """Return this process's settings, read from the environment at first use; raises ``NotConfigured``."""
    return Settings.from_env()


@cache
def handshake() -> Handshake:
    """Return this process's handshake, with its clients."""
    secrets_manager = boto3.client("secretsmanager", config=_AWS)
    table = Table(boto3.client("dynamodb", config=_AWS), settings().table)
    consumers = Consumers(Vault(secrets_manager, settings().prefix), loopback=settings().loopback)
    custody = Custody(table, TokenVault(secrets_manager, settings().prefix), time)
    return Handshake(table, consumers, Legs(settings().timeouts), custody, settings().return_urls)


def answer(event: Mapping[str, Any], act: Callable[[Request], Answer]) -> Answer:
    """Answer a browser's event with what ``act`` makes of it; whatever is raised becomes a problem, told once in the log."""
    request = web.read(event, loopback=_is_loopback())
    telemetry.log().set_correlation_id(request.id)
    try:
        return act(request)
    except FlowError as error:
        _tell(request, error)
        return answers.problem(request, error)
    except Exception as error:  # noqa: BLE001  # the one place where a defect becomes an answer
        telemetry.failure("unexpected", error)
        _tell(request, Internal())
        return answers.problem(request, Internal())
    finally:
        telemetry.flush()


def _tell(request: Request, error: FlowError) -> None:
    telemetry.count(error.code)
    log = telemetry.log().error if error.status >= 500 else telemetry.log().info
    log(error.code, extra={"provider": request.provider[:32], "reason": str(error)})


def _is_loopback() -> bool:
    """Tell whether this is the sandbox; a stack without settings is none."""
    try:
        return settings().loopback
    except FlowError:
        return False
