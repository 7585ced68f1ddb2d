"""PIN-based authorization, as a program does it."""

from typing import Any

import requests

from sandbox.browser import JSON, Browser
from tests.support.sandbox_app import SandboxApp

FORM = "application/x-www-form-urlencoded"


def post(
    app: SandboxApp, browser: Browser, body: Any, *, accept: str = JSON, kind: str = FORM, **headers: str
) -> requests.Response:
    """Post a PIN from ``browser``."""
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    return requests.post(
        f"{app.sandbox.api}/oauth/{app.name}/pin",
        data=body,
        headers={"Accept": accept, "Content-Type": kind, "Cookie": cookies, **headers},
        allow_redirects=False,
        timeout=30,
    )


def begin(app: SandboxApp, browser: Browser, **query: str) -> tuple[str, str]:
    """Visit start as a program; return request token and the PIN that the provider shows."""
    told = browser.start(app.name, accept=JSON, pin="true", **query).json()
    return told["request_token"], app.consent(told["authorize_url"])
