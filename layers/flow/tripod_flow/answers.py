"""Answers out: an outcome or an error becomes an API Gateway answer (payload 2.0), as a page, JSON or a redirect."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from tripod_flow import authorization, binding, diagnoses, pages, return_to, text
from tripod_flow.errors import Denied, FlowError, ProviderRejected, UnknownProvider, WrongPin
from tripod_flow.handshake import Outcome, Waiting
from tripod_flow.start import Begun
from tripod_flow.text import Text
from tripod_flow.web import Request

Answer = dict[str, Any]


def _policy(style: str = "", forms_to: str = "'none'") -> str:
    """Return a Content-Security-Policy: no script, nothing from elsewhere, no frame; the one stylesheet, and the one form's targets."""
    styles = f"; style-src '{style}'" if style else ""
    return f"default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action {forms_to}{styles}"


_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "content-security-policy": _policy(),
}


def begun(request: Request, started: Begun) -> Answer:
    """Send a browser on to the provider; tell anyone else where to."""
    cookies = binding.set_cookies(started.cookie, started.cookie_key or "", request.cookies)
    if request.prefers_page:
        return _answer(302, {**_HEADERS, "location": started.authorize_url}, cookies=cookies)
    return _json(200, begun_content(started), cookies=cookies)


def to_the_pin(request: Request, started: Begun) -> Answer:
    """Send a browser on to the page that asks for the PIN: that one can be reloaded, start would begin anew."""
    cookies = binding.set_cookies(started.cookie, started.cookie_key or "", request.cookies)
    return _answer(303, {**_HEADERS, "location": request.pin_page(started.request_token)}, cookies=cookies)


def pin(request: Request, waiting: Waiting) -> Answer:
    """Show where the PIN comes from and where it goes; tell a program the same."""
    record, called = waiting.record, text.provider_name(request.provider)
    if not request.prefers_page:
        told = {"authorize_url": waiting.authorize_url, "request_token": record.request_token}
        return _json(200, {**told, "expires_at": int(record.expires_at)})
    page = pages.render(
        request.look,
        text.PIN.title.format(provider=called),
        text.PIN.detail.format(provider=called),
        link=(text.PIN_LINK.format(provider=called), waiting.authorize_url),
        new_tab=text.PIN_NEW_TAB,
        form=_pin_form(request, record.request_token),
    )
    return _page(request, 200, page, forms_to=_form_targets(record.return_to))


def _wrong_pin(request: Request, error: WrongPin) -> Answer:
    """Ask for the PIN once more."""
    called = text.provider_name(request.provider)
    page = pages.render(
        request.look,
        text.WRONG_PIN.title,
        text.WRONG_PIN.detail.format(provider=called),
        form=_pin_form(request, error.request_token, text.ATTEMPTS_LEFT.format(left=error.attempts_left)),
        again=(text.WRONG_PIN.action, _start(request, error)),
    )
    return _page(request, error.status, page, forms_to=_form_targets(error.return_to))


def _pin_form(request: Request, request_token: str, wrong: str = "") -> pages.PinForm:
    action = f"{request.origin}/oauth/{quote(request.provider)}/pin"
    return pages.PinForm(action, request_token, text.PIN_LABEL, text.PIN.action, wrong)


def _form_targets(return_to_url: str | None) -> str:
    """Return where the PIN's form may lead: here, and from here on to the app's own page, which counts as the form's target too."""
    return f"'self' {return_to.origin(return_to_url)}" if return_to_url else "'self'"


def begun_content(started: Begun) -> dict[str, Any]:
    """Return what a program is told of a begun authorization."""
    return {
        "authorize_url": started.authorize_url,
        "request_token": started.request_token,
        "expires_at": started.expires_at,
    }


def outcome(request: Request, came: Outcome) -> Answer:
    """Tell what came of an authorization: to where the app asked for it, or to whoever stands before us."""
    record, failure = came.record, authorization.failure(came.record)
    if record.return_to is not None:
        return _answer(303, {**_HEADERS, "location": return_to.with_outcome(record.return_to, _returned(came))})
    if failure is not None:
        failure.restart = record.restart
        return problem(request, failure)
    if request.prefers_page:
        name = f" @{record.screen_name}" if record.screen_name else ""
        words = text.GRANTED
        detail = words.detail.format(provider=text.provider_name(record.provider), name=name)
        return _page(request, 200, pages.render(request.look, words.title, detail))
    return _json(200, outcome_content(came))


def outcome_content(came: Outcome) -> dict[str, Any]:
    """Return what a program is told of a grant; raises what it failed with otherwise."""
    failure = authorization.failure(came.record)
    if failure is not None:
        raise failure
    told = {
        "outcome": "granted",
        "provider": came.record.provider,
        "user_id": came.record.user_id,
        "screen_name": came.record.screen_name,
    }
    return told if came.ticket is None else {**told, "ticket": came.ticket}


def revoked(told: Mapping[str, Any]) -> Answer:
    """Tell that a user was disconnected."""
    return _json(200, told)


def _returned(came: Outcome) -> dict[str, str]:
    """Return what is added to ``return_to``."""
    failure = authorization.failure(came.record)
    if failure is None:
        told = {"outcome": "granted", "provider": came.record.provider}
        return told if came.ticket is None else {**told, "ticket": came.ticket}
    if isinstance(failure, Denied):
        return {"outcome": "denied", "provider": came.record.provider}
    return {"outcome": "failed", "provider": came.record.provider, "error": failure.code}


def problem(request: Request, error: FlowError) -> Answer:
    """Tell what went wrong and what to do: as a page, or as problem details (RFC 9457) with a stable ``code``."""
    told = problem_content(error, request.id, provider=request.provider, callback_url=request.callback_url)
    headers = {"retry-after": str(error.retry_after)} if error.retry_after is not None else {}
    if request.prefers_page:
        if isinstance(error, WrongPin):
            return _wrong_pin(request, error)
        page = pages.render(
            request.look,
            told["title"],
            told["detail"],
            link=_action(request, error, text.PROBLEMS[error.code]),
            reference=f"{text.REFERENCE}: {request.id}",
        )
        if error.code == "in_progress":
            again = f"; url={error.again}" if error.again else ""
            headers["refresh"] = f"{error.retry_after}{again}"  # seconds; the page looks again by itself
        return _page(request, error.status, page, headers)
    return _json(error.status, told, headers, content_type="application/problem+json")


def problem_content(error: FlowError, request_id: str, *, provider: str = "", callback_url: str = "") -> dict[str, Any]:
    """Return the problem details of an error; ``provider`` is what the request named."""
    words = text.PROBLEMS[error.code]
    called = text.provider_name(provider) if not isinstance(error, UnknownProvider) else ""
    detail = (error.detail or words.detail).replace("{provider}", called or text.A_PROVIDER)
    if error.detail is None and isinstance(error, ProviderRejected):
        detail = diagnoses.diagnosis(error.cause, callback_url) or detail
    if isinstance(error, WrongPin):
        words, detail = text.WRONG_PIN, text.ATTEMPTS_LEFT.format(left=error.attempts_left)
    told: dict[str, Any] = {
        "type": f"urn:tripod:problem:{error.code}",
        "title": words.title.format(provider=called or text.A_PROVIDER),
        "status": error.status,
        "detail": detail,
        "code": error.code,
        "request_id": request_id,
    }
    if isinstance(error, WrongPin):
        told["attempts_left"] = error.attempts_left
    return told if error.retry_after is None else {**told, "retry_after": error.retry_after}


def _action(request: Request, error: FlowError, words: Text) -> tuple[str, str] | None:
    """Return the page's button: the same address again where that may help, else a new start."""
    if error.code in ("provider_unavailable", "internal"):
        if not request.posted:
            return words.action, f"?{request.query}"
        if error.again:
            return words.action, error.again
    action = words.action or (text.PIN_AGAIN if request.posted and error.code != "in_progress" else "")
    return (action, _start(request, error)) if action else None


def _start(request: Request, error: FlowError) -> str:
    """Return the address that begins the same again, as far as it is known."""
    query = error.restart or ("pin=true" if request.posted else "")
    return f"{request.origin}/oauth/{quote(request.provider)}/start{'?' if query else ''}{query}"


def _page(
    request: Request,
    status: int,
    page: str,
    headers: Mapping[str, str] | None = None,
    *,
    forms_to: str = "'none'",
    cookies: Sequence[str] = (),
) -> Answer:
    kind = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": _policy(pages.style_hash(request.look), forms_to),
    }
    return _answer(status, {**_HEADERS, **kind, **(headers or {})}, page, cookies=cookies)


def _json(
    status: int,
    content: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
    *,
    content_type: str = "application/json",
    cookies: Sequence[str] = (),
) -> Answer:
    return _answer(status, {**_HEADERS, **(headers or {}), "content-type": content_type}, json.dumps(content), cookies=cookies)


def _answer(status: int, headers: Mapping[str, str], body: str = "", *, cookies: Sequence[str] = ()) -> Answer:
    return {"statusCode": status, "headers": dict(headers), "cookies": list(cookies), "body": body}
