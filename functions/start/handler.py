"""Leg 1: get a request token, bind it to this browser, and send the browser to the provider."""

from collections.abc import Mapping
from typing import Any

from tripod_flow.api import http_request, invocation, responses
from tripod_flow.api.http_request import HttpRequest
from tripod_flow.api.responses import ApiResponse
from tripod_flow.app import App
from tripod_flow.edges import telemetry
from tripod_flow.flows.start import BegunAuthorization, StartRequest
from tripod_flow.rules.errors import FlowError

app = App()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer ``GET /oauth/{provider}/start``, or another Lambda that begins an authorization for its own user."""
    if invocation.is_direct(event) or not invocation.is_from_api(context):
        return app.respond_directly(event, context, _start_directly)
    return app.respond(event, context, _start, _problem)


def _start(request: HttpRequest) -> ApiResponse:
    asked, ignored = http_request.start_request(request)
    begun = _begin(asked, request.callback_url, browser=True)
    if ignored:
        telemetry.log().info("ignored", extra={"provider": asked.provider, "names": ignored})
    if asked.pin and request.prefers_page:
        return responses.redirect_to_pin_page(request, begun)
    return responses.begun(request, begun, ignored)


def _problem(request: HttpRequest, error: FlowError) -> ApiResponse:
    """Send a browser back to the app, where the app said how and that is allowed; answer anything else here."""
    return_to = http_request.asked_return_to(request)
    if request.prefers_page and return_to is not None and app.may_return_to(return_to):
        return responses.start_failed(return_to, request.provider, error)
    return responses.problem(request, error)


def _start_directly(event: Mapping[str, Any]) -> dict[str, Any]:
    asked = invocation.start_request(event)
    return responses.begun_content(_begin(asked, app.callback_url(asked.provider), browser=False))


def _begin(asked: StartRequest, callback_url: str, *, browser: bool) -> BegunAuthorization:
    begun = app.start.begin(asked, callback_url=callback_url, browser=browser)
    telemetry.count("started")
    telemetry.log().info("started", extra={"provider": asked.provider, "authorization": begun.log_id})
    return begun


app.prepare()
