"""Requests that somebody else has signed, sent to the sandbox's provider by a client that corrects nothing."""

import http.client
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tests.support.sandbox_app import SandboxApp

FORM = "application/x-www-form-urlencoded"


def send(app: SandboxApp, method: str, path: str, authorization: str, *, body: str = "", kind: str = FORM) -> int:
    """Send a request exactly as it is written; return the status."""
    headers = {"Authorization": authorization, **({"Content-Type": kind} if body else {})}
    connection = http.client.HTTPConnection(urlsplit(app.sandbox.provider).netloc, timeout=5)
    try:
        connection.request(method, path, body.encode() or None, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def pairs(form: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return a form's names and values, a name as often as it has values."""
    return tuple((name, one) for name, value in form.items() for one in (value if isinstance(value, list) else [value]))
