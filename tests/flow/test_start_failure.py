"""A start that fails: where it leads, and what it tells the user, the app and its developer."""

import pytest

from sandbox.browser import JSON
from sandbox.provider import ProviderFault
from tests.support.sandbox_app import RETURN_TO, SandboxApp

REJECTED = (502, "provider_rejected")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (ProviderFault.NOT_AUTHENTICATED, "provider_rejected"),
        (ProviderFault.RESET, "provider_unavailable"),
        (ProviderFault.EMPTY, "provider_rejected"),
    ],
)
def test_a_failure_at_start_goes_back_to_the_app(app: SandboxApp, fault: ProviderFault, code: str) -> None:
    app.fault("request_token", fault, times=2)
    answer = app.browser().start(app.name, return_to=f"{RETURN_TO}?mine=1")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{RETURN_TO}?mine=1&outcome=failed&provider={app.name}&error={code}"
    assert not answer.cookies
    app.fault("request_token", fault, times=2)
    assert app.browser().start(app.name, accept=JSON, return_to=RETURN_TO).json()["code"] == code


@pytest.mark.parametrize(
    ("provider", "query", "code"),
    [
        ("nobodys", {}, "unknown_provider"),
        (None, {"endpoint": "elsewhere"}, "bad_request"),
        (None, {"challenge": "short"}, "bad_request"),
    ],
)
def test_so_does_a_mistake_of_the_apps(app: SandboxApp, provider: str | None, query: dict[str, str], code: str) -> None:
    answer = app.browser().start(provider or app.name, return_to=RETURN_TO, **query)
    assert answer.headers["location"] == f"{RETURN_TO}?outcome=failed&provider={provider or app.name}&error={code}"


@pytest.mark.parametrize(
    "url", ["https://evil.example/", RETURN_TO + "/else", RETURN_TO + "#fragment", RETURN_TO + "?outcome=granted"]
)
def test_a_failure_at_start_goes_nowhere_else(app: SandboxApp, url: str) -> None:
    app.fault("request_token", ProviderFault.RESET, times=2)
    answer = app.browser().start(app.name, return_to=url)
    assert answer.status_code == 400
    assert "location" not in answer.headers


def test_a_rate_limit_says_when_to_come_back(app: SandboxApp) -> None:
    app.fault("request_token", ProviderFault.RATE_LIMITED)
    answer = app.browser().start(app.name)
    assert 1 <= int(answer.headers["retry-after"]) <= 900


@pytest.mark.parametrize(
    "fault",
    [
        ProviderFault.CALLBACK_NOT_APPROVED,
        ProviderFault.CALLBACK_NOT_APPROVED_XML,
        ProviderFault.CALLBACK_NOT_APPROVED_HASH,
        ProviderFault.NO_CALLBACK,
    ],
)
def test_an_unregistered_callback_is_answered_with_the_exact_url_to_register(app: SandboxApp, fault: ProviderFault) -> None:
    app.fault("request_token", fault, times=2)
    url = f"{app.sandbox.api}/oauth/{app.name}/callback"
    answer = app.browser().start(app.name, accept=JSON)
    assert (answer.status_code, answer.json()["code"]) == REJECTED
    assert answer.json()["detail"].endswith(url)
    assert url in app.browser().start(app.name).text
