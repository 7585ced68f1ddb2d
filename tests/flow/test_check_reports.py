"""Readers report what they are refused: each token once, in nobody's way, and as a hint alone."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from sandbox.provider import ProviderFault
from tests.support.checks import listed, quiet_is_over, report, told
from tests.support.clock import Clock
from tests.support.reading import revoke, session, who
from tests.support.roles import role
from tests.support.sandbox_app import SandboxApp
from tests.support.waiting import eventually
from tripod import TokenRevoked, process


def test_a_401_of_api_v2_is_the_callers_to_read_and_the_connection_is_checked(checked: SandboxApp) -> None:
    user = session(checked)
    revoke(checked)
    answer = user.get(checked.sandbox.provider + "/2/users/me", timeout=5)
    assert (answer.status_code, answer.json()["type"]) == (401, "about:blank")
    assert eventually(lambda: listed(checked, state="refused"))
    assert told(checked, "authorization.granted", "connection.refused")
    for _ in range(3):
        assert user.get(checked.sandbox.provider + "/2/users/me", timeout=5).status_code == 401
    assert len(checked.calls("verify_credentials")) == 1  # the same token is reported once


def test_a_thousand_reports_of_one_token_make_one_check(checked: SandboxApp) -> None:
    asked = checked.sandbox.functions
    event = {"provider": checked.name, "user_id": checked.user.user_id, "reported": True}
    with ThreadPoolExecutor(8) as threads:
        for outcome in threads.map(lambda _: asked.invoke(f"{checked.sandbox.prefix}-check", event), range(1000)):
            assert outcome.error is None
    assert len(checked.calls("verify_credentials")) == 1
    assert [one.state for one in listed(checked)] == ["connected"]  # a report proves nothing
    assert told(checked, "authorization.granted")


@pytest.mark.parametrize("down", ["the provider", "AWS"])
def test_a_report_that_met_what_is_down_is_made_again(checked: SandboxApp, down: str) -> None:
    revoke(checked)
    if down == "AWS":
        checked.sandbox.aws_server.fault("dynamodb", "UpdateItem", "denied", match=checked.user.user_id)
    else:
        checked.fault("verify_credentials", ProviderFault.SERVER_ERROR)
    event = {"provider": checked.name, "user_id": checked.user.user_id, "reported": True}
    outcome = checked.sandbox.functions.invoke(f"{checked.sandbox.prefix}-check", event)
    assert outcome.error is not None  # Lambda tries again
    assert [one.state for one in listed(checked)] == ["connected"]
    quiet_is_over(checked)
    report(checked)
    assert [one.cause for one in listed(checked, state="refused")] == ["token_revoked"]


@contextmanager
def clocked() -> Iterator[Clock]:
    """Let this process be a new one, whose clock tests move."""
    clock = Clock()
    before = process.exchange(lambda: process.Process(clock))
    try:
        yield clock
    finally:
        process.exchange(process.Process, before)


def test_a_reader_that_finds_no_function_is_not_disturbed(checked: SandboxApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:1")
    process.forget()
    user = session(checked)
    revoke(checked)
    with pytest.raises(TokenRevoked):
        who(checked, user)


def test_a_reader_that_may_not_report_rests_and_reports_once_it_may(
    checked: SandboxApp, caplog: pytest.LogCaptureFixture
) -> None:
    revoke(checked)
    caplog.set_level(logging.DEBUG, "tripod.reports")
    with role(checked.sandbox, "ReadTokens") as policy, clocked() as clock:
        allowed, user = policy.statements, session(checked)

        def refused(times: int) -> None:
            for _ in range(times):
                assert user.get(checked.sandbox.provider + "/2/users/me", timeout=5).status_code == 401

        policy.statements = [one for one in allowed if "lambda:InvokeFunction" not in one.actions]
        refused(3)
        clock.now += process.REPORTS_REST - 1
        refused(2)
        assert [record.getMessage() for record in caplog.records] == ["not reported for now: ClientError"]
        clock.now += 1
        refused(2)
        assert len(caplog.records) == 2
        assert {record.levelno for record in caplog.records} == {logging.DEBUG}
        policy.statements = allowed
        clock.now += process.REPORTS_REST
        refused(2)
        assert eventually(lambda: len(checked.calls("verify_credentials")) == 1)
        assert len(caplog.records) == 2
    assert eventually(lambda: listed(checked, state="refused"))
