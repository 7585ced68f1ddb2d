"""Direct invocation, as another Lambda does it, and the tickets that end it."""

import base64
import hashlib
import json
import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.sandbox_app import SandboxApp


def invoke(app: SandboxApp, function: str, **payload: Any) -> dict[str, Any]:
    """Invoke a function as another Lambda does."""
    answer = app.sandbox.client("lambda").invoke(FunctionName=f"{app.sandbox.prefix}-{function}", Payload=json.dumps(payload))
    assert "FunctionError" not in answer
    return dict(json.loads(answer["Payload"].read()))


def new_pair(provider: str, return_to: str = "") -> tuple[str, str]:
    """Return a session's secret and its challenge, by the formula of docs/sign-in.md."""
    secret = secrets.token_urlsafe(32)
    digest = hashlib.sha256("\n".join((secret, provider, return_to)).encode()).digest()
    return secret, base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def ticket_in(location: str) -> str:
    return parse_qs(urlsplit(location).query)["ticket"][0]


def begin(app: SandboxApp, **asked: Any) -> dict[str, Any]:
    return invoke(app, "start", provider=app.name, **asked)
