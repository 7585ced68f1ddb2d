"""Answers out: an outcome or an error becomes an API Gateway answer (payload 2.0), as a page, JSON or a redirect."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from tripod_flow import authorization, binding, diagnoses, pages, return_to, text
from tripod_flow.errors import Denied, FlowError, ProviderRejected, UnknownProvider
from tripod_flow.handshake import Outcome
from tripod_flow.start import Begun
from tripod_flow.text import Text
from tripod_flow.web import Request

Answer = dict[str, Any]

_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}
_PAGE_HEADERS = {
    **_HEADERS,
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": f"{_HEADERS['content-security-policy']}; style-src '{pages.STYLE_HASH}'",
}


def begun(request: Request, started: Begun) -> Answer:
    """Send a browser on to the provider; tell anyone else where to."""
    cookies = binding.set_cookies(started.cookie, started.cookie_key or "", request.cookies)
    if request.prefers_page:
        return _answer(302, {**_HEADERS, "location": started.authorize_url}, cookies=cookies)
    return _json(200, begun_content(started), cookies=cookies)


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
        return _page(200, pages.render(words.title, words.detail.format(provider=text.provider_name(record.provider), name=name)))
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
        page = pages.render(
            told["title"],
            told["detail"],
            action=_action(request, error, text.PROBLEMS[error.code]),
            reference=f"{text.REFERENCE}: {request.id}",
            refresh=error.retry_after if error.code == "in_progress" else None,
        )
        return _page(error.status, page, headers)
    return _json(error.status, told, headers, content_type="application/problem+json")


def problem_content(error: FlowError, request_id: str, *, provider: str = "", callback_url: str = "") -> dict[str, Any]:
    """Return the problem details of an error; ``provider`` is what the request named."""
    words = text.PROBLEMS[error.code]
    called = text.provider_name(provider) if not isinstance(error, UnknownProvider) else ""
    detail = (error.detail or words.detail).replace("{provider}", called or text.A_PROVIDER)
    if error.detail is None and isinstance(error, ProviderRejected):
        detail = diagnoses.diagnosis(error.cause, callback_url) or detail
    told: dict[str, Any] = {
        "type": f"urn:tripod:problem:{error.code}",
        "title": words.title.format(provider=called or text.A_PROVIDER),
        "status": error.status,
        "detail": detail,
        "code": error.code,
        "request_id": request_id,
    }
    return told if error.retry_after is None else {**told, "retry_after": error.retry_after}


def _action(request: Request, error: FlowError, words: Text) -> tuple[str, str] | None:
    """Return the page's button: the same address again where that may help, else a new start."""
    if not words.action:
        return None
    if error.code == "provider_unavailable":
        return words.action, f"?{request.query}"
    start = f"/oauth/{quote(request.provider)}/start"
    return words.action, f"{request.origin}{start}?{error.restart}" if error.restart else f"{request.origin}{start}"


def _page(status: int, page: str, headers: Mapping[str, str] | None = None) -> Answer:
    return _answer(status, {**_PAGE_HEADERS, **(headers or {})}, page)


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
