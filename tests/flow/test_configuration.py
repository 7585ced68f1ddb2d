"""What each parameter of the stack changes, as a browser, another Lambda or the operator sees it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.browser import JSON
from sandbox.provider import ProviderFault
from sandbox.world import Sandbox
from tests.support.checks import with_identity
from tests.support.direct import invoke
from tests.support.plays import by_callback, by_redeem, by_relay
from tests.support.reading import revoke
from tests.support.sandbox_app import QUICK, RETURN_TO, SandboxApp, make_app
from tests.support.translated import stack

PARAMETERS = {
    "Prefix": "acme",
    "AllowedReturnUrls": RETURN_TO,
    "AppName": "Acme Reader",
    "Colour": "#112233",
    "LogLevel": "WARNING",
    "RecoveryWindow": "7",
    "KmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
}


@pytest.fixture(scope="module")
def configured() -> Iterator[Sandbox]:
    with Sandbox(parameters=PARAMETERS, settings=QUICK, streams=False) as running:
        yield running


@pytest.fixture
def acme(configured: Sandbox) -> SandboxApp:
    return make_app(configured)


def lines(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Return what the functions printed, as CloudWatch reads it."""
    return [json.loads(line) for line in sandbox.logs.lines if line.startswith("{")]


def metrics(sandbox: Sandbox) -> set[tuple[str, str, str]]:
    """Return (namespace, service, name) of each metric so far."""
    told = [line for line in lines(sandbox) if "_aws" in line]
    return {
        (found["Namespace"], line["service"], metric["Name"])
        for line in told
        for found in line["_aws"]["CloudWatchMetrics"]
        for metric in found["Metrics"]
    }


def test_the_pages_bear_the_apps_name_and_colour(acme: SandboxApp) -> None:
    browser = acme.browser()
    page = browser.get(acme.come_back(browser)).text
    assert "Acme Reader" in page
    assert "#112233" in page


def test_a_pin_is_refused_where_it_is_not_enabled(acme: SandboxApp) -> None:
    refused = acme.browser().start(acme.name, pin="true", accept=JSON)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")


def test_a_return_url_of_the_parameter_is_allowed(acme: SandboxApp) -> None:
    browser = acme.browser()
    assert browser.get(acme.come_back(browser, return_to=RETURN_TO)).headers["location"].startswith(RETURN_TO)


@pytest.mark.parametrize("store", [by_callback, by_redeem, by_relay])
def test_a_users_secret_is_under_the_key_of_the_parameter(acme: SandboxApp, store: Callable[[SandboxApp], None]) -> None:
    store(acme)
    described = acme.sandbox.client("secretsmanager").describe_secret(SecretId=acme.secret_name)
    assert described["KmsKeyId"] == PARAMETERS["KmsKeyArn"]


def windows(app: SandboxApp, caller: str) -> list[int]:
    return [
        call.parameters["RecoveryWindowInDays"]
        for call in app.sandbox.aws_server.called("secretsmanager", "DeleteSecret")
        if call.caller == f"acme-{caller}" and call.resource == app.secret_name
    ]


def test_a_deleted_secret_can_be_restored_for_the_recovery_window(acme: SandboxApp) -> None:
    browser = acme.browser()
    browser.get(acme.come_back(browser))
    assert invoke(acme, "revoke", provider=acme.name, user_id=acme.user.user_id)["outcome"] == "revoked"
    assert windows(acme, "revoke") == [7]


def test_the_relay_deletes_with_the_same_window(acme: SandboxApp) -> None:
    browser = acme.browser()
    browser.get(acme.come_back(browser))
    acme.sandbox.aws_server.fault("secretsmanager", "DeleteSecret", "denied", times=1, match=acme.user.user_id)
    invoke(acme, "revoke", provider=acme.name, user_id=acme.user.user_id)
    acme.sweep()
    assert windows(acme, "relay") == [7]


def test_each_function_counts_under_its_own_name(acme: SandboxApp) -> None:
    browser = acme.browser()
    browser.start(acme.name, pin="true")
    browser.get(acme.come_back(browser))
    invoke(acme, "redeem", ticket="none", secret="none")
    user = {"provider": acme.name, "user_id": acme.user.user_id}
    assert "authorization" in invoke(acme, "sign", **user, method="GET", url=f"{acme.sandbox.provider}/2/users/me")
    revoke(with_identity(acme))
    invoke(acme, "check", **user)
    invoke(acme, "revoke", **user)
    acme.sandbox.aws_server.fault("events", "PutEvents", "denied", times=1, match=acme.name)
    acme.sweep()
    acme.sweep()
    found = metrics(acme.sandbox)
    assert {namespace for namespace, _, _ in found} == {"Tripod/acme"}
    assert {
        ("Tripod/acme", "start", "bad_request"),
        ("Tripod/acme", "callback", "granted"),
        ("Tripod/acme", "revoke", "revoked"),
        ("Tripod/acme", "sign", "signed"),
        ("Tripod/acme", "check", "refused"),
        ("Tripod/acme", "relay", "relay_failed"),
    } <= found
    assert {service for _, service, _ in found} == {"start", "callback", "redeem", "revoke", "sign", "check", "relay"}


def test_refused_sign_ins_are_counted_where_their_alarm_looks(acme: SandboxApp) -> None:
    browser = acme.browser()
    callback = acme.come_back(browser)
    acme.fault("request_token", ProviderFault.NO_ACCESS, times=2)
    assert browser.start(acme.name, accept=JSON).json()["code"] == "provider_rejected"
    acme.fault("access_token", ProviderFault.NO_ACCESS, times=2)
    assert browser.get(callback, accept=JSON).json()["code"] == "provider_rejected"
    flawed = make_app(acme.sandbox)
    callback = flawed.come_back(browser)
    name = f"{flawed.sandbox.prefix}/consumer/{flawed.name}"
    flawed.sandbox.client("secretsmanager").put_secret_value(SecretId=name, SecretString="{")
    assert browser.get(callback, accept=JSON).json()["code"] == "not_configured"
    unknown = f"{flawed.sandbox.prefix}/consumer/{flawed.name}-2"
    flawed.sandbox.client("secretsmanager").create_secret(Name=unknown, SecretString="{")
    assert browser.start(f"{flawed.name}-2", accept=JSON).json()["code"] == "not_configured"
    watched = stack(**PARAMETERS).one("SignInsRefusedAlarm")["Metrics"]
    series = {
        (metric["Namespace"], metric["Dimensions"][0]["Value"], metric["MetricName"])
        for metric in (one["MetricStat"]["Metric"] for one in watched if "MetricStat" in one)
    }
    assert len(series) == 4
    assert series <= metrics(acme.sandbox)


def test_below_the_log_level_nothing_is_printed(acme: SandboxApp) -> None:
    browser = acme.browser()
    browser.get(acme.come_back(browser))
    assert {line["level"] for line in lines(acme.sandbox) if "level" in line} <= {"WARNING", "ERROR"}
