"""What many requests at once come to, and what one flow costs, counted where the calls arrive."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.browser import JSON, PAGE
from sandbox.provider import ProviderFault
from tests.support.aws_calls import aws_calls
from tests.support.sandbox_app import SandboxApp


def test_of_fifty_callbacks_ten_at_a_time_one_exchanges_and_none_sees_an_error(app: SandboxApp) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    with ThreadPoolExecutor(10) as crowd:
        list(crowd.map(lambda _: browser.get(f"/oauth/{app.name}/callback?oauth_token=none"), range(10)))  # starts ten processes
        answers = list(crowd.map(lambda _: browser.get(callback, accept=JSON), range(50)))
    assert len(app.calls("access_token")) == 1
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {200, 409}, statuses
    assert statuses[200] >= 1
    for answer in answers:
        expected = {"outcome": "granted"} if answer.status_code == 200 else {"code": "in_progress"}
        assert expected.items() <= answer.json().items()
    assert browser.get(callback, accept=JSON).json()["user_id"] == app.user.user_id
    assert app.stored()


def test_whoever_comes_second_waits_for_the_first_ones_outcome(app: SandboxApp) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    with ThreadPoolExecutor(2) as crowd:
        answers = list(crowd.map(lambda _: browser.get(callback, accept=JSON), range(2)))
    assert [answer.json()["outcome"] for answer in answers] == ["granted", "granted"]


@pytest.mark.parametrize("expires_at", [9999999999, 1])
def test_whoever_waits_too_long_is_told_to_look_again(app: SandboxApp, expires_at: int) -> None:
    browser = app.browser()
    callback = app.come_back(browser)
    key = app.authorization(callback)["pk"]["S"]  # as a holder that is still at work leaves it
    app.change_item(key, state="exchanging", claim_id="another", lease_until=9999999999, expires_at=expires_at)
    with ThreadPoolExecutor(2) as both:
        program, page = both.map(lambda accept: browser.get(callback, accept=accept), (JSON, PAGE))
    assert (program.status_code, program.json()["code"], program.headers["retry-after"]) == (409, "in_progress", "1")
    assert page.status_code == 409
    assert page.headers["refresh"] == "1"
    assert not app.calls("access_token")


def test_a_start_costs_one_provider_call_and_one_write(app: SandboxApp) -> None:
    app.browser().start(app.name)  # the consumer secret is read
    since = len(app.sandbox.aws_server.calls)
    app.browser().start(app.name)
    assert aws_calls(app, since) == {"dynamodb write": 1}
    assert len(app.calls("request_token")) == 2


def test_a_first_grant_costs_one_provider_call_four_writes_and_one_secret(app: SandboxApp) -> None:
    browser = app.browser()
    browser.get(app.come_back(browser, cancel=True))  # the consumer secret is read
    callback = app.come_back(browser)
    since = len(app.sandbox.aws_server.calls)
    assert browser.get(callback).status_code == 200
    assert aws_calls(app, since) == {"dynamodb write": 4, "secretsmanager CreateSecret": 1}
    assert len(app.calls("access_token")) == 1
    assert not app.calls("verify_credentials")


@pytest.mark.parametrize("leg", ["request_token", "access_token"])
def test_a_rotated_key_works_without_a_redeploy(app: SandboxApp, leg: str) -> None:
    browser = app.browser()
    browser.get(app.come_back(browser))  # both functions know the old key now
    if leg == "access_token":
        callback = app.come_back(browser)
    old, fresh = app.consumer, app.sandbox.provider_server.rotate(app.consumer.key)
    client = app.sandbox.client("secretsmanager")
    name = f"{app.sandbox.prefix}/consumer/{app.name}"
    content = client.get_secret_value(SecretId=name)["SecretString"]
    client.put_secret_value(SecretId=name, SecretString=content.replace(old.key, fresh.key).replace(old.secret, fresh.secret))
    if leg == "request_token":
        callback = app.come_back(browser)
    assert browser.get(callback, accept=JSON).json()["outcome"] == "granted"


def test_a_key_that_stays_wrong_is_diagnosed(app: SandboxApp) -> None:
    app.fault("request_token", ProviderFault.NOT_AUTHENTICATED, times=2)
    answer = app.browser().start(app.name, accept=JSON)
    assert (answer.status_code, answer.json()["code"]) == (502, "provider_rejected")
    assert "consumer key and secret" in answer.json()["detail"]
    assert len(app.calls("request_token")) == 1  # the secret is unchanged: asking again would be no use
