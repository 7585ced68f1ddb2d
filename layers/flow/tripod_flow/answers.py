"""Answers out: an outcome or an error becomes an API Gateway answer (payload 2.0), as a page, JSON or a redirect."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from tripod_flow import authorization, binding, diagnoses, pages, return_to, text
from tripod_flow.authorization import Authorization
from tripod_flow.errors import Denied, FlowError, ProviderRejected, UnknownProvider
from tripod_flow.handshake import Begun
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
    cookies = binding.set_cookies(started.cookie, started.cookie_key, request.cookies)
    if request.prefers_page:
        return _answer(302, {**_HEADERS, "location": started.authorize_url}, cookies=cookies)
    told = {
        "authorize_url": started.authorize_url,
        "request_token": started.request_token,
        "expires_at": started.expires_at,
    }
    return _json(200, told, cookies=cookies)


def outcome(request: Request, decided: Authorization) -> Answer:
    """Tell what came of an authorization: to where the app asked for it, or to whoever stands before us."""
    failure = authorization.failure(decided)
    if decided.return_to is not None:
        word = "granted" if failure is None else "denied" if isinstance(failure, Denied) else "failed"
        told = {"outcome": word, "provider": decided.provider}
        if failure is not None and word == "failed":
            told["error"] = failure.code
        return _answer(303, {**_HEADERS, "location": return_to.with_outcome(decided.return_to, told)})
    if failure is not None:
        failure.restart = decided.restart
        return problem(request, failure)
    if request.prefers_page:
        name = f" @{decided.screen_name}" if decided.screen_name else ""
        words = text.GRANTED
        return _page(
            200,
            pages.render(words.title, words.detail.format(provider=text.provider_name(decided.provider), name=name)),
        )
    return _json(
        200,
        {
            "outcome": "granted",
            "provider": decided.provider,
            "user_id": decided.user_id,
            "screen_name": decided.screen_name,
        },
    )


def problem(request: Request, error: FlowError) -> Answer:
    """Tell what went wrong and what to do: as a page, or as problem details (RFC 9457) with a stable ``code``."""
    words = text.PROBLEMS[error.code]
    called = text.provider_name(request.provider) if not isinstance(error, UnknownProvider) else ""
    title, detail = (words.title.format(provider=called), (error.detail or words.detail).replace("{provider}", called))
    if error.detail is None and isinstance(error, ProviderRejected):
        detail = diagnoses.diagnosis(error.cause, request.callback_url) or detail
    headers = {"retry-after": str(error.retry_after)} if error.retry_after is not None else {}
    if request.prefers_page:
        page = pages.render(
            title,
            detail,
            action=_action(request, error, words),
            reference=f"{text.REFERENCE}: {request.id}",
            refresh=error.retry_after if error.code == "in_progress" else None,
        )
        return _page(error.status, page, headers)
    told = {
        "type": f"urn:tripod:problem:{error.code}",
        "title": title,
        "status": error.status,
        "detail": detail,
        "code": error.code,
        "request_id": request.id,
    }
    return _json(error.status, told, headers, content_type="application/problem+json")


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
