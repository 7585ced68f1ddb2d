"""Every page that there is, made from values: no sandbox, no browser."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tripod.provider_errors import Cause
from tripod_flow.api import pages, responses, text
from tripod_flow.api.http_request import HttpRequest
from tripod_flow.api.responses import ApiResponse
from tripod_flow.flows.finish import Outcome, PinPrompt
from tripod_flow.rules import errors, transitions
from tripod_flow.rules.authorization import Authorization, State

KINDS = [kind for kind in vars(errors).values() if getattr(kind, "code", None) in text.PROBLEMS]
OURS = {"__Host-tripod-0123456789abcdef": "1.a.b"}  # a cookie


def request(
    *,
    page: bool = False,
    provider: str = "x",
    query: str = "",
    posted: bool = False,
    at_pin: bool = False,
    cookies: dict[str, str] | None = None,
    accept_language: str = "",
) -> HttpRequest:
    return HttpRequest(
        id="req-1",
        provider=provider,
        look=pages.PLAIN,
        origin="https://api.example",
        prefers_page=page,
        accept_language=accept_language,
        posted=posted,
        at_pin=posted or at_pin,
        user_id="",
        content_type="application/x-www-form-urlencoded",
        fetch_site="same-origin",
        body_is_base64=False,
        body="",
        query=query,
        cookies=cookies or {},
    )


def record(**changes: Any) -> Authorization:
    begun = transitions.begin("x", "t", "s", cookie_digest="b", restart_query="force_login=true", now=0.0)
    values = {name: getattr(begun, name) for name in begun.__slots__}
    return Authorization(**{**values, **changes})


def made(kind: type[errors.FlowError]) -> errors.FlowError:
    if kind is errors.WrongPin:
        return errors.WrongPin("for the log alone", request_token="t", attempts_left=4, return_to=None, restart_query="")
    return kind(Cause.UNKNOWN) if kind is errors.ProviderRejected else kind("for the log alone")


def every_page(accept_language: str = "", app_name: str = "") -> Iterator[tuple[str, ApiResponse]]:
    """Return each page with a name; addresses, names and words are as long as they come, the app's name is ``app_name``."""
    browser = replace(
        request(
            page=True, accept_language=accept_language, cookies=OURS, query=f"oauth_token={'t' * 50}&oauth_verifier={'v' * 50}"
        ),
        look=replace(pages.PLAIN, app_name=app_name),
        id="W8cJ-jHMjoEEPrw=",
    )
    at_pin, posted = replace(browser, at_pin=True), replace(browser, at_pin=True, posted=True, body="request_token=t&pin=%3F")
    for state in (State.GRANTED, State.CONSENTED):
        yield state, responses.outcome(browser, Outcome(record(state=state, user_id="1", screen_name="ada")))
    yield "no name", responses.outcome(browser, Outcome(record(state=State.GRANTED, user_id="1")))
    for kind in KINDS:
        yield kind.__name__, responses.problem(browser, made(kind))
    for cause in Cause:
        yield cause, responses.problem(browser, errors.ProviderRejected(cause))
    for seconds in (30, 120, 180, 900):
        yield f"after {seconds} seconds", responses.problem(browser, errors.ProviderUnavailable("busy", seconds))
    yield "no cookie", responses.problem(replace(browser, cookies={}), errors.WrongBrowser())
    authorize_url = f"https://api.x.com/oauth/authorize?oauth_token={'t' * 50}"
    yield "pin", responses.pin_page(at_pin, PinPrompt(record(), authorize_url))
    yield "no request token", responses.problem(at_pin, errors.BadRequest(detail="The parameter request_token is missing."))
    yield "no pin", responses.problem(posted, errors.BadRequest(detail="That can't be a PIN."))
