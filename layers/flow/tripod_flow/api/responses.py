"""Responses out: an outcome or an error becomes an API Gateway response (payload 2.0): a page, JSON or a redirect."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
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

if TYPE_CHECKING:
    from tripod_flow.api.languages import Words

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
    record = prompt.record
    if not request.prefers_page:
        content = {"authorize_url": prompt.authorize_url, "request_token": record.request_token}
        return _json(200, {**content, "expires_at": int(record.expires_at)})
    said, called = _said(request), pages.isolated(request.provider_name)
    page = pages.render(
        request.look,
        said.PIN.title.format(provider=called),
        said.PIN.detail.format(provider=called),
        language=said.LANGUAGE,
        link=(said.PIN_LINK.format(provider=called), prompt.authorize_url),
        new_tab=said.PIN_NEW_TAB,
        form=_pin_form(request, said, record.request_token),
    )
    return _page(request, said, 200, page, forms_to=_form_targets(record.return_to))


def _wrong_pin(request: HttpRequest, said: "Words", error: WrongPin) -> ApiResponse:
    """Show the page that asks for the PIN once more."""
    page = pages.render(
        request.look,
        said.WRONG_PIN.title,
        said.WRONG_PIN.detail.format(provider=pages.isolated(request.provider_name)),
        language=said.LANGUAGE,
        form=_pin_form(request, said, error.request_token, said.ATTEMPTS_LEFT.format(left=error.attempts_left)),
        again=(said.WRONG_PIN.action, _start(request, error)),
    )
    return _page(request, said, error.status, page, forms_to=_form_targets(error.return_to))


def _pin_form(request: HttpRequest, said: "Words", request_token: str, wrong: str = "") -> pages.PinForm:
    action = f"{request.origin}/oauth/{quote(request.provider)}/pin"
    return pages.PinForm(action, request_token, said.PIN_LABEL, said.PIN.action, wrong)


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
        said = _said(request)
        words, mark = (said.CONSENTED, pages.DOTS) if record.state is State.CONSENTED else (said.GRANTED, pages.CHECK)
        name = f" {pages.isolated(_handle(record.screen_name))}" if record.screen_name else ""
        detail = words.detail.format(provider=pages.isolated(request.provider_name), name=name)
        return _page(request, said, 200, pages.render(request.look, words.title, detail, language=said.LANGUAGE, mark=mark))
    return _json(200, outcome_content(finished))


def _handle(screen_name: str) -> str:
    """Return a screen name as people write it: one word with ``@``, a person's name without."""
    return screen_name if " " in screen_name or screen_name.startswith("@") else f"@{screen_name}"


def outcome_content(finished: Outcome) -> dict[str, Any]:
    """Return the JSON of a grant; raises the error of any other outcome."""
    failure = authorization.outcome_error(finished.record)
    if failure is not None:
        failure.is_counted = True
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
    content = problem_content(error, request.id, called=request.provider_name, callback_url=request.callback_url)
    headers = {"retry-after": str(error.retry_after)} if error.retry_after is not None else {}
    if request.prefers_page:
        said = _said(request)
        if isinstance(error, WrongPin):
            return _wrong_pin(request, said, error)
        words = _page_words(request, said, error)
        called = request.provider_name
        values = {"provider": pages.isolated(called), "when": text.when(error.retry_after, said.WHEN)}
        page = pages.render(
            request.look,
            words.title.format(**values),
            words.detail.format(**values),
            language=said.LANGUAGE,
            mark=pages.DOTS if error.code == "in_progress" else pages.CROSS,
            link=_action(request, said, error, words),
            operator=(said.FOR_OPERATOR, content["detail"]) if _is_for_operator(error) else None,
            reference=said.REFERENCE.format(reference=pages.isolated(request.id)),
        )
        if error.code == "in_progress":
            pin_page_url = http_request.posted_pin_page(request)  # a posted PIN can't be asked for again
            again = f"; url={pin_page_url}" if pin_page_url else ""
            headers["refresh"] = f"{error.retry_after}{again}"  # seconds; the page looks again by itself
        return _page(request, said, error.status, page, headers)
    return _json(error.status, content, headers, content_type="application/problem+json")


def problem_content(
    error: FlowError, request_id: str, *, called: str = text.A_PROVIDER, callback_url: str = ""
) -> dict[str, Any]:
    """Return the problem details of an error, in English; ``called`` is the provider's name as people write it."""
    words = _words(text, error)
    values = {"provider": called, "when": text.when(error.retry_after)}
    detail = words.detail.format(**values)
    if isinstance(error, ProviderRejected):
        detail = text.diagnosis(error.cause, callback_url) or detail
    if isinstance(error, WrongPin):
        detail = text.ATTEMPTS_LEFT.format(left=error.attempts_left)
    content: dict[str, Any] = {
        "type": f"urn:tripod:problem:{error.code}",
        "title": words.title.format(**values),
        "status": error.status,
        "detail": error.detail or detail,
        "code": error.code,
        "request_id": request_id,
    }
    if isinstance(error, WrongPin):
        content["attempts_left"] = error.attempts_left
    return content if error.retry_after is None else {**content, "retry_after": error.retry_after}


def _said(request: HttpRequest) -> "Words":
    """Return the words of the language that a page is asked for in."""
    from tripod_flow.api import languages  # noqa: PLC0415  # a process that makes no page does without

    return languages.words(request.accept_language)


def _words(said: "Words", error: FlowError) -> Text:
    if isinstance(error, (WrongPin, NoPinLeft)):
        return said.WRONG_PIN if isinstance(error, WrongPin) else said.NO_PIN_LEFT
    if isinstance(error, ProviderRejected) and error.cause in said.ACCOUNT_PROBLEMS:
        return said.ACCOUNT_PROBLEMS[error.cause]
    return said.PROBLEMS.get(error.code) or text.LAMBDAS_PROBLEMS[error.code]


def _page_words(request: HttpRequest, said: "Words", error: FlowError) -> Text:
    """Return what a person can do about an error: what is wrong with a link, or with the app, is told to its operator."""
    if isinstance(error, BadRequest) and http_request.posted_pin_page(request):
        return said.NOT_A_PIN
    if isinstance(error, (BadRequest, UnknownProvider)):
        return said.LINK
    if isinstance(error, WrongBrowser) and not binding.has_cookie(request.cookies):
        return said.NO_COOKIE
    return _words(said, error)


def _is_for_operator(error: FlowError) -> bool:
    """Return True if the problem's detail is for whoever runs the service, and not for the user."""
    is_recognised = isinstance(error, ProviderRejected) and text.diagnosis(error.cause, "") is not None
    return is_recognised or isinstance(error, (BadRequest, UnknownProvider))


def _action(request: HttpRequest, said: "Words", error: FlowError, words: Text) -> tuple[str, str] | None:
    """Return the page's button: the same address again if that may help, else a new start."""
    may_help = error.code in ("provider_unavailable", "internal", "in_progress", "not_configured")
    if may_help and not request.posted:
        return words.action, f"?{request.query}"
    if (may_help or isinstance(error, BadRequest)) and (pin_page_url := http_request.posted_pin_page(request)):
        return words.action, pin_page_url
    action = words.action or (said.PIN_AGAIN if request.at_pin and error.code not in _NOTHING_TO_BEGIN else "")
    return (action, _start(request, error)) if action else None


def _start(request: HttpRequest, error: FlowError) -> str:
    """Return the URL that begins the same again, as far as it is known."""
    query = error.restart_query or ("pin=true" if request.at_pin else "")
    return f"{request.origin}/oauth/{quote(request.provider)}/start{'?' if query else ''}{query}"


def _page(
    request: HttpRequest,
    said: "Words",
    status: int,
    page: str,
    headers: Mapping[str, str] | None = None,
    *,
    forms_to: str = "'none'",
) -> ApiResponse:
    kind = {
        "content-type": "text/html; charset=utf-8",
        "content-language": said.LANGUAGE[0],  # without Vary: no cache keeps it
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
