import json
import re
from dataclasses import replace

import pytest

from tests.support.every_page import KINDS, OURS, made, record, request
from tripod.provider_errors import Cause
from tripod_flow.api import pages, responses, text
from tripod_flow.flows.finish import Outcome, PinPrompt
from tripod_flow.rules import errors
from tripod_flow.rules.authorization import State


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_words_a_status_and_a_code_and_keeps_its_reason_to_the_log(kind: type[errors.FlowError]) -> None:
    error = made(kind)
    told = responses.problem(request(), error)
    problem = json.loads(told["body"])
    assert (told["statusCode"], problem["code"], problem["status"]) == (kind.status, kind.code, kind.status)
    words = {errors.WrongPin: text.WRONG_PIN, errors.NoPinLeft: text.NO_PIN_LEFT}.get(kind, text.PROBLEMS[kind.code])
    assert problem["title"] == words.title.format(provider="X")
    page = responses.problem(request(page=True), made(kind))
    assert page["statusCode"] == kind.status
    for body in (told["body"], page["body"]):
        assert "for the log alone" not in body
        assert "{" not in re.sub(r"<style>.*?</style>|^\{.*\}$", "", body, flags=re.S)
        assert "req-1" in body or kind is errors.WrongPin


@pytest.mark.parametrize("kind", [errors.Disconnected, errors.TokensEnded, errors.HostRefused, errors.PlaintextRefused])
def test_what_only_lambdas_are_told_has_words_too(kind: type[errors.FlowError]) -> None:
    told = responses.problem_content(kind("for the log alone"), "req-1", called="X")
    assert (told["code"], told["title"]) == (kind.code, text.LAMBDAS_PROBLEMS[kind.code].title)
    assert told["detail"] == text.LAMBDAS_PROBLEMS[kind.code].detail.format(provider="X")


def test_each_error_has_words_for_a_page_or_for_lambdas_and_no_words_are_left_over() -> None:
    codes = {kind.code for kind in vars(errors).values() if hasattr(kind, "code")}
    assert sorted([*text.PROBLEMS, *text.LAMBDAS_PROBLEMS]) == sorted(codes)


def test_a_page_carries_no_script_and_its_style_is_the_one_that_the_policy_names() -> None:
    page = responses.problem(request(page=True), errors.Expired())
    assert "<script" not in page["body"]
    assert pages.style_hash(pages.PLAIN) in page["headers"]["content-security-policy"]
    assert len(page["body"]) < 8192


def test_what_comes_from_outside_is_escaped() -> None:
    granted = record(state=State.GRANTED, user_id="1", screen_name="<script>alert(1)</script>")
    body = responses.outcome(request(page=True), Outcome(granted))["body"]
    assert "<script" not in body
    assert "&lt;script&gt;" in body
    for nasty in ('"><script>', "a&b"):
        body = responses.problem(request(page=True, provider=nasty, query='"><script>'), errors.ProviderUnavailable("x"))["body"]
        assert "<script" not in body


def test_the_restart_asks_for_the_same_again_only_in_the_browser_that_began() -> None:
    ours = responses.outcome(request(page=True), Outcome(record(state=State.DENIED)))["body"]
    assert 'href="https://api.example/oauth/x/start?force_login=true"' in ours
    strangers = responses.problem(request(page=True), errors.WrongBrowser())["body"]
    assert 'href="https://api.example/oauth/x/start"' in strangers


def test_an_unavailable_provider_is_tried_again_at_the_same_address() -> None:
    page = responses.problem(request(page=True, query="oauth_token=a&oauth_verifier=b"), errors.ProviderUnavailable("x", 7))
    assert 'href="?oauth_token=a&amp;oauth_verifier=b"' in page["body"]
    assert page["headers"]["retry-after"] == "7"


def test_after_a_pin_was_posted_the_way_on_is_a_new_start() -> None:
    for error in (errors.ProviderUnavailable("x", 7), errors.Internal(), errors.WrongBrowser()):
        body = responses.problem(request(page=True, posted=True), error)["body"]
        assert 'href="https://api.example/oauth/x/start?pin=true"' in body
    body = responses.problem(request(page=True, at_pin=True), errors.WrongBrowser())["body"]
    assert 'href="https://api.example/oauth/x/start?pin=true"' in body


def test_a_consent_that_the_app_must_still_confirm_is_not_called_a_connection() -> None:
    consented = Outcome(record(state=State.CONSENTED, screen_name="ada"))
    body = responses.outcome(request(page=True), consented)["body"]
    assert "One step is left" in body
    assert "You are connected" not in body


@pytest.mark.parametrize(
    ("cause", "title", "way_on"),
    [(Cause.USER_SUSPENDED, "This account is suspended", False), (Cause.USER_LOCKED, "This account is locked", True)],
)
def test_an_account_that_the_provider_refuses_is_not_the_apps_fault(cause: Cause, title: str, way_on: bool) -> None:
    failed = record(state=State.FAILED, error="provider_rejected", cause=cause)
    content = json.loads(responses.outcome(request(), Outcome(failed))["body"])
    assert (content["code"], content["title"]) == ("provider_rejected", title)
    body = responses.outcome(request(page=True), Outcome(failed))["body"]
    assert title in body
    assert ("/oauth/x/start" in body) is way_on


def test_a_failure_keeps_its_diagnosis() -> None:
    failed = record(state=State.FAILED, error="provider_rejected", cause=Cause.CLOCK_OFF)
    assert "clock" in json.loads(responses.outcome(request(), Outcome(failed))["body"])["detail"]


def folded(body: str) -> tuple[str, str]:
    """Return what a page says, and what it folds for whoever runs the service."""
    shown, _, rest = body.partition("<details>")
    return shown, rest.partition("</details>")[0]


@pytest.mark.parametrize(
    ("seconds", "when"),
    [
        (5, "in a moment"),
        (29, "in a moment"),
        (30, "in a minute"),
        (60, "in a minute"),
        (61, "in 2 minutes"),
        (900, "in 15 minutes"),
    ],
)
def test_a_page_says_when_to_try_again(seconds: int, when: str) -> None:
    error = errors.ProviderUnavailable("busy", seconds)
    assert f"try again {when}." in responses.problem(request(page=True), error)["body"]
    assert json.loads(responses.problem(request(), error)["body"])["detail"].endswith(f"try again {when}.")


def test_a_browser_without_any_cookie_of_ours_is_told_of_cookies() -> None:
    for cookies, told in (({}, True), ({"session": "1"}, True), (OURS, False)):
        body = responses.problem(request(page=True, cookies=cookies), errors.WrongBrowser())["body"]
        assert ("cookies are blocked here" in body) is told
        assert "/oauth/x/start" in body


@pytest.mark.parametrize(
    ("error", "user", "operator"),
    [
        (errors.BadRequest(detail="The parameter a was given twice."), text.LINK.detail, "The parameter a was given twice."),
        (errors.ReturnToNotAllowed(), text.LINK.detail, "return_to is not allowed."),
        (errors.UnknownProvider(), text.LINK.detail, "There is no provider of this name here."),
        (errors.ProviderRejected(Cause.BAD_CREDENTIALS), "This is not your fault", "Check the consumer key and secret"),
        (errors.ProviderRejected(Cause.UNKNOWN), "This is not your fault", ""),
        (errors.ProviderRejected(Cause.USER_LOCKED), "Unlock it at <bdi>X</bdi>", ""),
        (errors.Internal(), "This is our fault", ""),
    ],
)
def test_a_user_reads_what_they_can_do_and_the_operators_part_is_folded(
    error: errors.FlowError, user: str, operator: str
) -> None:
    shown, hidden = folded(responses.problem(request(page=True), error)["body"])
    assert user in shown
    assert (operator in hidden and operator not in shown) if operator else not hidden
    assert operator in json.loads(responses.problem(request(), error)["body"])["detail"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in (errors.InvalidTicket, errors.NotConnected)])  # no pages
@pytest.mark.parametrize("at_pin", [False, True])
def test_every_page_has_a_way_on(kind: type[errors.FlowError], at_pin: bool) -> None:
    body = responses.problem(request(page=True, at_pin=at_pin), made(kind))["body"]
    assert "<a " in body or text.LINK.detail in body


def test_a_posted_pin_that_makes_no_sense_leads_back_to_the_page_that_asks_for_it() -> None:
    posted = replace(request(page=True, posted=True), body="request_token=t&pin=12+34!")
    flaw = "The parameter pin is empty."
    shown, hidden = folded(responses.problem(posted, errors.BadRequest(detail=flaw))["body"])
    assert "That can&#x27;t be a PIN" in shown
    assert "Enter it as <bdi>X</bdi> shows it." in shown
    assert '<a href="https://api.example/oauth/x/pin?request_token=t">Enter the PIN again</a>' in shown
    assert flaw in hidden
    assert flaw not in shown


def test_a_flaw_of_what_led_to_the_pins_page_is_for_the_operator() -> None:
    shown, hidden = folded(responses.problem(request(page=True, at_pin=True), errors.BadRequest(detail="It is missing."))["body"])
    assert text.LINK.detail in shown
    assert "/oauth/x/start?pin=true" in shown
    assert "It is missing." in hidden


@pytest.mark.parametrize(
    ("body", "mark"),
    [
        (responses.outcome(request(page=True), Outcome(record(state=State.GRANTED)))["body"], pages.CHECK),
        (responses.outcome(request(page=True), Outcome(record(state=State.CONSENTED)))["body"], pages.DOTS),
        (responses.outcome(request(page=True), Outcome(record(state=State.DENIED)))["body"], pages.CROSS),
        (responses.problem(request(page=True), errors.InProgress())["body"], pages.DOTS),
        (responses.problem(request(page=True), errors.Expired())["body"], pages.CROSS),
        (responses.problem(request(page=True, posted=True), made(errors.WrongPin))["body"], None),
        (responses.pin_page(request(page=True), PinPrompt(record(), "https://x.example"))["body"], None),
    ],
    ids=["granted", "consented", "denied", "in progress", "expired", "wrong pin", "pin"],
)
def test_a_mark_shows_how_it_stands_and_is_nothing_to_whoever_hears_the_page(body: str, mark: pages.Mark | None) -> None:
    drawn = re.findall(
        r'<div class="(\w+)"><svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">.*?<path d="(.*?)"', body
    )
    assert drawn == ([mark] if mark else [])
