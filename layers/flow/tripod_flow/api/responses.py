"""Responses out: an outcome or an error becomes an API Gateway response (payload 2.0): a page, JSON or a redirect."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from tripod_flow.api import http_request, pages, text
from tripod_flow.api.http_request import HttpRequest
from tripod_flow.api.text import Text
from tripod_flow.flows.finish import Outcome, PinPrompt
from tripod_flow.flows.start import BegunAuthorization
from tripod_flow.rules import authorization, binding, return_to
from tripod_flow.rules.authorization import State
from tripod_flow.rules.errors import (
    BadRequest,
    Denied,
    FlowError,
    NoPinLeft,
    ProviderRejected,
    UnknownProvider,
    WrongBrowser,
    WrongPin,
)

ApiResponse = dict[str, Any]  # statusCode, headers, cookies, body

_NOTHING_TO_BEGIN = ("in_progress", "unknown_provider")  # codes after which a new start would not help


def _policy(style: str = "", forms_to: str = "'none'") -> str:
    """Return a Content-Security-Policy: no script, nothing from elsewhere, no frame; the one stylesheet, and the one form's targets."""
    styles = f"; style-src '{style}'" if style else ""
    return f"default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action {forms_to}{styles}"


_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=31536000",  # seconds; a year
    "content-security-policy": _policy(),
}


def begun(request: HttpRequest, started: BegunAuthorization, ignored: Sequence[str] = ()) -> ApiResponse:
    """Redirect a browser to the provider; give a program the URL as JSON, and the names of what was ``ignored``."""
    cookies = binding.set_cookies(started.cookie_name, started.cookie_value or "", request.cookies)
    if request.prefers_page:
        return _response(302, {**_HEADERS, "location": started.authorize_url}, cookies=cookies)
    return _json(200, begun_content(started) | ({"ignored": list(ignored)} if ignored else {}), cookies=cookies)


def redirect_to_pin_page(request: HttpRequest, started: BegunAuthorization) -> ApiResponse:
    """Redirect a browser to the page that asks for the PIN: it can be reloaded, where start would begin anew."""
    cookies = binding.set_cookies(started.cookie_name, started.cookie_value or "", request.cookies)
    return _response(303, {**_HEADERS, "location": request.pin_page(started.request_token)}, cookies=cookies)


def pin_page(request: HttpRequest, prompt: PinPrompt) -> ApiResponse:
    """Show the page that asks for the PIN; give a program the same as JSON."""
    record, called = prompt.record, text.provider_name(request.provider)
    if not request.prefers_page:
        content = {"authorize_url": prompt.authorize_url, "request_token": record.request_token}
        return _json(200, {**content, "expires_at": int(record.expires_at)})
    page = pages.render(
        request.look,
        text.PIN.title.format(provider=called),
        text.PIN.detail.format(provider=called),
        link=(text.PIN_LINK.format(provider=called), prompt.authorize_url),
        new_tab=text.PIN_NEW_TAB,
        form=_pin_form(request, record.request_token),
    )
    return _page(request, 200, page, forms_to=_form_targets(record.return_to))


def _wrong_pin(request: HttpRequest, error: WrongPin) -> ApiResponse:
    """Show the page that asks for the PIN once more."""
    called = text.provider_name(request.provider)
    page = pages.render(
        request.look,
        text.WRONG_PIN.title,
        text.WRONG_PIN.detail.format(provider=called),
        form=_pin_form(request, error.request_token, text.ATTEMPTS_LEFT.format(left=error.attempts_left)),
        again=(text.WRONG_PIN.action, _start(request, error)),
    )
    return _page(request, error.status, page, forms_to=_form_targets(error.return_to))


def _pin_form(request: HttpRequest, request_token: str, wrong: str = "") -> pages.PinForm:
    action = f"{request.origin}/oauth/{quote(request.provider)}/pin"
    return pages.PinForm(action, request_token, text.PIN_LABEL, text.PIN.action, wrong)


def _form_targets(return_to_url: str | None) -> str:
    """Return where the PIN's form may lead: here, and from here on to the app's own page, which counts as the form's target too."""
    return f"'self' {return_to.origin(return_to_url)}" if return_to_url else "'self'"


def begun_content(started: BegunAuthorization) -> dict[str, Any]:
    """Return the JSON of a begun authorization."""
    return {
        "authorize_url": started.authorize_url,
        "request_token": started.request_token,
        "expires_at": started.expires_at,
    }


def start_failed(return_to_url: str, provider: str, error: FlowError) -> ApiResponse:
    """Redirect a browser that start could not send on back to the app, as after any other failure."""
    added = {"outcome": "failed", "provider": provider, "error": error.code}
    return _response(303, {**_HEADERS, "location": return_to.with_outcome(return_to_url, added)})


def outcome(request: HttpRequest, finished: Outcome) -> ApiResponse:
    """Return an outcome: a redirect to ``return_to``, or a page, or JSON."""
    record, failure = finished.record, authorization.outcome_error(finished.record)
    if record.return_to is not None:
        # Anyone with the authorize URL of an authorization begun by direct invocation can end it: the app's query is not theirs.
        is_strangers = failure is not None and not record.is_bound
        target = return_to.without_query(record.return_to) if is_strangers else record.return_to
        return _response(303, {**_HEADERS, "location": return_to.with_outcome(target, _return_parameters(finished))})
    if failure is not None:
        return problem(request, failure)
    if request.prefers_page:
        name = f" @{record.screen_name}" if record.screen_name else ""
        words = text.CONSENTED if record.state is State.CONSENTED else text.GRANTED
        detail = words.detail.format(provider=text.provider_name(record.provider), name=name)
        return _page(request, 200, pages.render(request.look, words.title, detail))
    return _json(200, outcome_content(finished))


def outcome_content(finished: Outcome) -> dict[str, Any]:
    """Return the JSON of a grant; raises the error of any other outcome."""
    failure = authorization.outcome_error(finished.record)
    if failure is not None:
        raise failure
    content = {
        "outcome": "granted",
        "provider": finished.record.provider,
        "user_id": finished.record.user_id,
        "screen_name": finished.record.screen_name,
    }
    return content if finished.ticket is None else {**content, "ticket": finished.ticket}


def revoked(content: Mapping[str, Any]) -> ApiResponse:
    """Return the JSON of a disconnected user."""
    return _json(200, content)


def _return_parameters(finished: Outcome) -> dict[str, str]:
    """Return the parameters that are added to ``return_to``."""
    failure = authorization.outcome_error(finished.record)
    if failure is None:
        added = {"outcome": "granted", "provider": finished.record.provider}
        return added if finished.ticket is None else {**added, "ticket": finished.ticket}
    if isinstance(failure, Denied):
        return {"outcome": "denied", "provider": finished.record.provider}
    return {"outcome": "failed", "provider": finished.record.provider, "error": failure.code}


def problem(request: HttpRequest, error: FlowError) -> ApiResponse:
    """Return an error: a page that says what to do, or problem details (RFC 9457) with a stable ``code``."""
    content = problem_content(error, request.id, provider=request.provider, callback_url=request.callback_url)
    headers = {"retry-after": str(error.retry_after)} if error.retry_after is not None else {}
    if request.prefers_page:
        if isinstance(error, WrongPin):
            return _wrong_pin(request, error)
        words = _page_words(request, error)
        title, detail = _filled(words, request.provider, error)
        page = pages.render(
            request.look,
            title,
            detail,
            link=_action(request, error, words),
            operator=(text.FOR_OPERATOR, content["detail"]) if _is_for_operator(request, error) else None,
            reference=f"{text.REFERENCE}: {request.id}",
        )
        if error.code == "in_progress":
            pin_page_url = http_request.posted_pin_page(request)  # a posted PIN can't be asked for again
            again = f"; url={pin_page_url}" if pin_page_url else ""
            headers["refresh"] = f"{error.retry_after}{again}"  # seconds; the page looks again by itself
        return _page(request, error.status, page, headers)
    return _json(error.status, content, headers, content_type="application/problem+json")


def problem_content(error: FlowError, request_id: str, *, provider: str = "", callback_url: str = "") -> dict[str, Any]:
    """Return the problem details of an error; ``provider`` is what the request named."""
    title, detail = _filled(_words(error), provider, error)
    if isinstance(error, ProviderRejected):
        detail = text.diagnosis(error.cause, callback_url) or detail
    if isinstance(error, WrongPin):
        detail = text.ATTEMPTS_LEFT.format(left=error.attempts_left)
    content: dict[str, Any] = {
        "type": f"urn:tripod:problem:{error.code}",
        "title": title,
        "status": error.status,
        "detail": error.detail or detail,
        "code": error.code,
        "request_id": request_id,
    }
    if isinstance(error, WrongPin):
        content["attempts_left"] = error.attempts_left
    return content if error.retry_after is None else {**content, "retry_after": error.retry_after}


def _words(error: FlowError) -> Text:
    if isinstance(error, WrongPin):
        return text.WRONG_PIN
    if isinstance(error, NoPinLeft):
        return text.NO_PIN_LEFT
    return text.problem_words(error.code, error.cause if isinstance(error, ProviderRejected) else None)


def _page_words(request: HttpRequest, error: FlowError) -> Text:
    """Return what a person can do about an error: what is wrong with a link, or with the app, is told to its operator."""
    if isinstance(error, BadRequest) and request.at_pin:
        return text.PROBLEMS[error.code]._replace(detail=error.detail or "")
    if isinstance(error, (BadRequest, UnknownProvider)):
        return text.LINK
    if isinstance(error, WrongBrowser) and not binding.has_cookie(request.cookies):
        return text.NO_COOKIE
    return _words(error)


def _is_for_operator(request: HttpRequest, error: FlowError) -> bool:
    """Return True if the problem's detail is for whoever runs the service, and not for the user."""
    if isinstance(error, (BadRequest, UnknownProvider)):
        return not (request.at_pin and isinstance(error, BadRequest))
    return isinstance(error, ProviderRejected) and text.diagnosis(error.cause, "") is not None


def _filled(words: Text, provider: str, error: FlowError) -> tuple[str, str]:
    """Return title and detail with the provider's name, and when to try again."""
    called = (text.provider_name(provider) if not isinstance(error, UnknownProvider) else "") or text.A_PROVIDER
    fill = {"{provider}": called, "{when}": text.when(error.retry_after)}
    title, detail = words.title, words.detail
    for mark, value in fill.items():
        title, detail = title.replace(mark, value), detail.replace(mark, value)
    return title, detail


def _action(request: HttpRequest, error: FlowError, words: Text) -> tuple[str, str] | None:
    """Return the page's button: the same address again if that may help, else a new start."""
    if error.code in ("provider_unavailable", "internal", "in_progress", "not_configured"):
        if not request.posted:
            return words.action, f"?{request.query}"
        if pin_page_url := http_request.posted_pin_page(request):
            return words.action, pin_page_url
    if isinstance(error, BadRequest) and request.posted and (pin_page_url := http_request.posted_pin_page(request)):
        return text.ENTER_AGAIN, pin_page_url
    action = words.action or (text.PIN_AGAIN if request.at_pin and error.code not in _NOTHING_TO_BEGIN else "")
    return (action, _start(request, error)) if action else None


def _start(request: HttpRequest, error: FlowError) -> str:
    """Return the URL that begins the same again, as far as it is known."""
    query = error.restart_query or ("pin=true" if request.at_pin else "")
    return f"{request.origin}/oauth/{quote(request.provider)}/start{'?' if query else ''}{query}"


def _page(
    request: HttpRequest,
    status: int,
    page: str,
    headers: Mapping[str, str] | None = None,
    *,
    forms_to: str = "'none'",
) -> ApiResponse:
    kind = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": _policy(pages.style_hash(request.look), forms_to),
    }
    return _response(status, {**_HEADERS, **kind, **(headers or {})}, page)


def _json(
    status: int,
    content: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
    *,
    content_type: str = "application/json",
    cookies: Sequence[str] = (),
) -> ApiResponse:
    return _response(status, {**_HEADERS, **(headers or {}), "content-type": content_type}, json.dumps(content), cookies=cookies)


def _response(status: int, headers: Mapping[str, str], body: str = "", *, cookies: Sequence[str] = ()) -> ApiResponse:
    return {"statusCode": status, "headers": dict(headers), "cookies": list(cookies), "body": body}
