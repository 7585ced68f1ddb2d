"""The public layer as another Lambda uses it: in this process or in a new one, with the sandbox for AWS."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

import tripod
from sandbox.repository import TEMPLATE
from sandbox.world import Sandbox
from tests.support.sandbox_app import SandboxApp
from tripod import process

LAYER = TEMPLATE.parent / "layers" / "tripod"
WHO = "/1.1/account/verify_credentials.json"


@contextmanager
def reading(sandbox: Sandbox) -> Iterator[None]:
    """Let this process read the sandbox's secrets, with an empty cache."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        for name, value in sandbox.environment().items():
            patch.setenv(name, value)
        process.forget()
        yield
        process.forget()


def run(sandbox: Sandbox, code: str, *arguments: str, python: str | Path = sys.executable) -> str:
    """Run ``code`` in a new process, with only the public layer's folder on its path, and return what it prints."""
    finished = subprocess.run(
        [python, "-c", code, *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(LAYER), **sandbox.environment()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()


def grant(app: SandboxApp) -> None:
    """Let the app's user sign in."""
    browser = app.browser()
    assert browser.get(app.come_back(browser)).status_code == 200


def reads(app: SandboxApp, secret: str = "") -> int:
    """Return how often the user's secret, or ``secret``, was read from Secrets Manager, by any process but a check's."""
    calls = app.sandbox.aws_server.called("secretsmanager", "GetSecretValue", secret or app.secret_name)
    return len([call for call in calls if call.caller != f"{app.sandbox.prefix}-check"])


def session(app: SandboxApp) -> requests.Session:
    return tripod.user_session(app.name, user_id=app.user.user_id)


def who(app: SandboxApp, user: requests.Session, **options: Any) -> requests.Response:
    return user.get(app.sandbox.provider + WHO, timeout=5, **options)


def revoke(app: SandboxApp) -> None:
    """Let the user revoke the app in the provider's own settings."""
    app.sandbox.provider_server.revoke(app.consumer.key, app.user)


def delete(app: SandboxApp, **how: Any) -> None:
    app.sandbox.client("secretsmanager").delete_secret(SecretId=app.secret_name, **how)
