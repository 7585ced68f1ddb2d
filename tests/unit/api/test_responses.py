import json
import re
from typing import Any

import pytest

from tripod.provider_errors import Cause
from tripod_flow.api import pages, responses, text
from tripod_flow.api.http_request import HttpRequest
from tripod_flow.flows.finish import Outcome
from tripod_flow.rules import errors, transitions
from tripod_flow.rules.authorization import Authorization, State

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "code")]


def request(
    *, page: bool = False, provider: str = "x", query: str = "", posted: bool = False, at_pin: bool = False
) -> HttpRequest:
    return HttpRequest(
        id="req-1",
        provider=provider,
        look=pages.PLAIN,
        origin="https://api.example",
        prefers_page=page,
        posted=posted,
        at_pin=posted or at_pin,
        user_id="",
        content_type="application/x-www-form-urlencoded",
        fetch_site="same-origin",
        body_is_base64=False,
        body="",
        query=query,
        cookies={},
    )


def record(**changes: Any) -> Authorization:
    begun = transitions.begin("x", "t", "s", cookie_digest="b", restart_query="force_login=true", now=0.0)
    values = {name: getattr(begun, name) for name in begun.__slots__}
    return Authorization(**{**values, **changes})


def made(kind: type[errors.FlowError]) -> errors.FlowError:
    if kind is errors.WrongPin:
        return errors.WrongPin("for the log alone", request_token="t", attempts_left=4, return_to=None, restart_query="")
    return kind(Cause.UNKNOWN) if kind is errors.ProviderRejected else kind("for the log alone")


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_words_a_status_and_a_code_and_keeps_its_reason_to_the_log(kind: type[errors.FlowError]) -> None:
    error = made(kind)
    told = responses.problem(request(), error)
    problem = json.loads(told["body"])
    assert (told["statusCode"], problem["code"], problem["status"]) == (kind.status, kind.code, kind.status)
    words = text.WRONG_PIN if kind is errors.WrongPin else text.PROBLEMS[kind.code]
    assert problem["title"] == words.title.format(provider="X")
    page = responses.problem(request(page=True), made(kind))
    assert page["statusCode"] == kind.status
    for body in (told["body"], page["body"]):
        assert "for the log alone" not in body
        assert "{" not in re.sub(r"<style>.*?</style>|^\{.*\}$", "", body, flags=re.S)
        assert "req-1" in body or kind is errors.WrongPin


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
