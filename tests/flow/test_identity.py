"""Whose tokens they are, asked of a provider whose token answer doesn't say so, and which fails or refuses."""

import pytest

from sandbox.browser import JSON
from sandbox.provider import ProviderFailure, ProviderFault, failures
from tests.support.sandbox_app import SandboxApp, make_app

UNAVAILABLE = (503, "provider_unavailable")


@pytest.mark.parametrize("fault", [ProviderFault.SERVER_ERROR, ProviderFault.RESET, ProviderFault.TIMEOUT])
def test_an_identity_that_cant_be_had_now_loses_no_token(app: SandboxApp, fault: ProviderFault) -> None:
    app = _without_identity(app)
    browser = app.browser()
    callback = app.come_back(browser)
    app.fault("identity", fault)
    answer = browser.get(callback, accept=JSON)
    assert (answer.status_code, answer.json()["code"]) == UNAVAILABLE
    assert browser.get(callback, accept=JSON).json()["outcome"] == "granted"
    assert len(app.calls("access_token")) == 1
    assert app.stored()


def test_an_identity_that_is_refused_fails_for_good(app: SandboxApp) -> None:
    app = _without_identity(app)
    browser = app.browser()
    callback = app.come_back(browser)
    app.fault("identity", ProviderFault.NO_ACCESS)
    assert browser.get(callback, accept=JSON).json()["code"] == "provider_rejected"
    assert "pending_tokens" not in app.authorization(callback)


@pytest.mark.parametrize(("refusal", "title"), [(failures.USER_LOCKED, "locked"), (failures.USER_SUSPENDED, "suspended")])
def test_an_account_that_the_provider_refuses_is_told_so(app: SandboxApp, refusal: ProviderFailure, title: str) -> None:
    app = _without_identity(app)
    browser = app.browser()
    callback = app.come_back(browser)
    app.fault("identity", refusal)
    answer = browser.get(callback, accept=JSON).json()
    assert (answer["code"], answer["title"]) == ("provider_rejected", f"This account is {title}")


def _without_identity(app: SandboxApp) -> SandboxApp:
    return make_app(app.sandbox, user_id_field=None, screen_name_field=None)
