"""``tripod failures``: who failed to sign in, as the functions' own lines say it."""

from html import unescape
from typing import Any

import pytest

from sandbox.aws import insights
from sandbox.provider import ProviderFault
from sandbox.world import Sandbox
from tests.support.command import tripod
from tests.support.direct import invoke
from tests.support.sandbox_app import SandboxApp, make_app
from tripod_cli import sign_in_failures

Failed = tuple[SandboxApp, dict[str, str]]


@pytest.fixture(scope="module")
def failed(sandbox: Sandbox) -> Failed:
    """Return an app at which a sign-in has failed in each way, and the page that was shown, by code."""
    app = make_app(sandbox)
    pages = {}
    browser = app.browser()
    pages["denied"] = browser.get(app.come_back(browser, cancel=True)).text
    pages["wrong_browser"] = app.browser().get(app.come_back(browser)).text
    pages["verifier_rejected"] = browser.get(app.come_back(browser).partition("oauth_verifier=")[0] + "oauth_verifier=no").text
    app.fault("request_token", ProviderFault.OVER_CAPACITY, times=2)
    pages["provider_unavailable"] = browser.start(app.name).text
    app.fault("request_token", ProviderFault.CALLBACK_NOT_APPROVED)
    pages["provider_rejected"] = browser.start(app.name).text
    granted = app.come_back(browser)
    for _ in range(2):
        browser.get(granted)
    app.change_consumer(store="cellar")
    sandbox.functions.reconfigure(f"{sandbox.prefix}-start", {})  # a process that has not read the consumer secret
    pages["not_configured"] = browser.start(app.name).text
    invoke(app, "redeem", ticket="none", secret="none")
    return app, pages


def rows(failed: Failed, *arguments: str) -> list[dict[str, Any]]:
    app, _ = failed
    ran = tripod(app.sandbox, "failures", "--provider", app.name, "--json", *arguments)
    assert (ran.exit_code, ran.err) == (0, "")
    return ran.rows


def test_each_failure_is_told_once_with_its_reason_and_the_pages_reference(failed: Failed) -> None:
    _, pages = failed
    told = rows(failed)
    assert [row["code"] for row in told] == [*reversed(pages)]
    for row in told:
        assert row["reference"] in unescape(pages[row["code"]]) or row["code"] in ("denied",)
    reasons = {row["code"]: row["reason"] for row in told}
    assert reasons["provider_rejected"] == "403 callback_not_approved (415)"
    assert reasons["verifier_rejected"] == "refused: 401 verifier_rejected"
    assert '"store" must be one of' in reasons["not_configured"]
    assert reasons["denied"] is reasons["wrong_browser"] is None
    assert {row["code"] for row in told if row["authorization"]} == {"denied", "verifier_rejected"}
    assert rows(failed, "--code", "denied", "--since", "2h") == [told[-1]]


def test_people_are_told_which_page_says_what_to_do(failed: Failed) -> None:
    app, _ = failed
    ran = tripod(app.sandbox, "failures", "--limit", "1")
    assert "ticket_rejected" in ran.out
    assert "docs/errors.md" in ran.err
    assert "there are more" in ran.err


def test_nobody_has_failed_and_what_is_no_time_or_code(failed: Failed) -> None:
    app, _ = failed
    nobody = tripod(app.sandbox, "failures", "--provider", "asked-for-by-none")
    assert (nobody.exit_code, nobody.out) == (0, "")
    assert "no sign-in has failed" in nobody.err
    assert "write 30m" in tripod(app.sandbox, "failures", "--since", "yesterday").err
    assert tripod(app.sandbox, "failures", "--code", "sad").exit_code == 2
    assert (
        tripod(app.sandbox, "failures", "--provider", "asked-for-by-none", "--since", "9999w").exit_code == 0
    )  # since before 1970


def test_what_doctor_asks_for_is_nobodys_sign_in(failed: Failed) -> None:
    app, _ = failed
    assert "Tripod answers" in tripod(app.sandbox, "doctor", "--provider", app.name).out
    assert {row["provider"] for row in tripod(app.sandbox, "failures", "--json").rows}.isdisjoint({"tripod-doctor"})
    assert tripod(app.sandbox, "failures", "--json", "--provider", "tripod-doctor").rows


@pytest.mark.parametrize(
    ("operation", "said"),
    [("StartQuery", "may not do this: StartQuery"), ("GetQueryResults", "may not do this: GetQueryResults")],
)
def test_what_aws_refuses_is_a_sentence(sandbox: Sandbox, operation: str, said: str) -> None:
    sandbox.aws_server.fault("logs", operation, "denied")
    ran = tripod(sandbox, "failures")
    assert ran.exit_code == 3
    assert said in ran.err


def line(message: str, request: str = "r", **fields: str) -> dict[str, str]:
    return {"@timestamp": "2026-11-27 03:31:58.188", "message": message, "correlation_id": request, **fields}


@pytest.mark.parametrize(
    ("lines", "code", "reason"),
    [
        ([line("internal", reason="internal"), line("unexpected", error="KeyError")], "internal", "KeyError"),
        (
            [
                line("internal", reason="internal"),
                line("unexpected", error="ClientError", aws_operation="PutItem", aws_error="Denied"),
            ],
            "internal",
            "ClientError PutItem Denied",
        ),
        ([line("provider_rejected", cause="suspended")], "provider_rejected", "suspended"),
        ([line("not exchanged", code="interrupted", reason="cut off")], "interrupted", "cut off"),
    ],
)
def test_a_requests_lines_are_one_failure(lines: list[dict[str, str]], code: str, reason: str) -> None:
    (told,) = sign_in_failures.failures(lines)
    assert (told["code"], told["reason"], told["at"]) == (code, reason, "2026-11-27T03:31:58Z")


def test_a_line_that_is_about_no_failure_is_none() -> None:
    assert not list(sign_in_failures.failures([line("not stored", reason="later")]))


def test_the_query_is_one_that_the_sandbox_knows() -> None:
    assert insights.run(sign_in_failures.QUERY, []) == []
