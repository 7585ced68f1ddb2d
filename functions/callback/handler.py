"""Leg 3: the browser is back with a verifier or the user's refusal; exchange or record it, store the tokens, show the outcome."""

from collections.abc import Mapping
from typing import Any

from tripod_flow.api import http_request, invocation, responses
from tripod_flow.api.http_request import HttpRequest
from tripod_flow.api.responses import ApiResponse
from tripod_flow.app import App
from tripod_flow.flows.finish import Outcome

app = App()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer ``GET /oauth/{provider}/callback``, ``GET`` and ``POST /oauth/{provider}/pin``, or a Lambda with its own user's PIN."""
    if invocation.is_direct(event) or not invocation.is_from_api(context):
        return app.respond_directly(event, context, _pin_directly)
    if not event["routeKey"].endswith("/pin"):
        return app.respond(event, context, _callback)
    return app.respond(event, context, lambda request: _pin(request) if request.posted else _pin_page(request))


def _callback(request: HttpRequest) -> ApiResponse:
    returned = http_request.provider_return(request)
    finished = app.finish.come_back(
        request.provider,
        returned.request_token,
        returned.verifier,
        request.cookies,
        is_refusal=returned.is_refusal,
        brought=returned.others,
    )
    return responses.outcome(request, finished)


def _pin_page(request: HttpRequest) -> ApiResponse:
    found = app.finish.pin_prompt(request.provider, http_request.pin_page_token(request), request.cookies)
    return responses.outcome(request, found) if isinstance(found, Outcome) else responses.pin_page(request, found)


def _pin(request: HttpRequest) -> ApiResponse:
    request_token, pin = http_request.posted_pin(request)
    return responses.outcome(request, app.finish.pin(request.provider, request_token, pin, cookies=request.cookies))


def _pin_directly(event: Mapping[str, Any]) -> dict[str, Any]:
    provider, request_token, pin, subject = invocation.read(event, "provider", "request_token", "pin", "subject")
    return responses.outcome_content(app.finish.pin(provider, request_token, pin, subject=subject))


app.prepare()
