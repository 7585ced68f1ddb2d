import json
import re
from typing import Any

import pytest

from tripod.refusals import Cause
from tripod_flow import answers, errors, pages, progress, text
from tripod_flow.authorization import Authorization, State
from tripod_flow.handshake import Outcome
from tripod_flow.web import Request

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "code")]


def request(*, page: bool = False, provider: str = "x", query: str = "", posted: bool = False) -> Request:
    return Request("req-1", provider, pages.PLAIN, "https://api.example", page, posted, query, {})


def record(**changes: Any) -> Authorization:
    begun = progress.begin("x", "t", "s", browser="b", restart="force_login=true", now=0.0)
    values = {name: getattr(begun, name) for name in begun.__slots__}
    return Authorization(**{**values, **changes})


def made(kind: type[errors.FlowError]) -> errors.FlowError:
    if kind is errors.WrongPin:
        return errors.WrongPin("for the log alone", request_token="t", attempts_left=4, return_to=None, restart="")
    return kind(Cause.UNKNOWN) if kind is errors.ProviderRejected else kind("for the log alone")


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_words_a_status_and_a_code_and_keeps_its_reason_to_the_log(kind: type[errors.FlowError]) -> None:
    error = made(kind)
    told = answers.problem(request(), error)
    problem = json.loads(told["body"])
    assert (told["statusCode"], problem["code"], problem["status"]) == (kind.status, kind.code, kind.status)
    words = text.WRONG_PIN if kind is errors.WrongPin else text.PROBLEMS[kind.code]
    assert problem["title"] == words.title.format(provider="X")
    page = answers.problem(request(page=True), made(kind))
    assert page["statusCode"] == kind.status
    for body in (told["body"], page["body"]):
        assert "for the log alone" not in body
        assert "{" not in re.sub(r"<style>.*?</style>|^\{.*\}$", "", body, flags=re.S)
        assert "req-1" in body or kind is errors.WrongPin


def test_a_page_carries_no_script_and_its_style_is_the_one_that_the_policy_names() -> None:
    page = answers.problem(request(page=True), errors.Expired())
    assert "<script" not in page["body"]
    assert pages.style_hash(pages.PLAIN) in page["headers"]["content-security-policy"]
    assert len(page["body"]) < 8192


def test_what_comes_from_outside_is_escaped() -> None:
    granted = record(state=State.GRANTED, user_id="1", screen_name="<script>alert(1)</script>")
    body = answers.outcome(request(page=True), Outcome(granted))["body"]
    assert "<script" not in body
    assert "&lt;script&gt;" in body
    for nasty in ('"><script>', "a&b"):
        body = answers.problem(request(page=True, provider=nasty, query='"><script>'), errors.ProviderUnavailable("x"))["body"]
        assert "<script" not in body


def test_the_restart_asks_for_the_same_again_only_in_the_browser_that_began() -> None:
    ours = answers.outcome(request(page=True), Outcome(record(state=State.DENIED)))["body"]
    assert 'href="https://api.example/oauth/x/start?force_login=true"' in ours
    strangers = answers.problem(request(page=True), errors.WrongBrowser())["body"]
    assert 'href="https://api.example/oauth/x/start"' in strangers


def test_an_unavailable_provider_is_tried_again_at_the_same_address() -> None:
    page = answers.problem(request(page=True, query="oauth_token=a&oauth_verifier=b"), errors.ProviderUnavailable("x", 7))
    assert 'href="?oauth_token=a&amp;oauth_verifier=b"' in page["body"]
    assert page["headers"]["retry-after"] == "7"


def test_after_a_pin_was_posted_the_way_on_is_a_new_start() -> None:
    for error in (errors.ProviderUnavailable("x", 7), errors.Internal(), errors.WrongBrowser()):
        body = answers.problem(request(page=True, posted=True), error)["body"]
        assert 'href="https://api.example/oauth/x/start?pin=true"' in body


def test_a_failure_keeps_its_diagnosis() -> None:
    failed = record(state=State.FAILED, error="provider_rejected", cause=Cause.CLOCK_OFF)
    assert "clock" in json.loads(answers.outcome(request(), Outcome(failed))["body"])["detail"]
