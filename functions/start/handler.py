"""Leg 1: get a request token, bind it to this browser, and send the browser to the provider."""

from collections.abc import Mapping
from typing import Any

from tripod_flow import answers, direct, service, telemetry, web
from tripod_flow.answers import Answer
from tripod_flow.start import Begun, StartRequest
from tripod_flow.web import Request


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer ``GET /oauth/{provider}/start``, or another Lambda that begins an authorization for its own user."""
    if direct.is_direct(event):
        return service.answer_direct(event, context, _start_directly)
    return service.answer(event, context, _start)


def _start(request: Request) -> Answer:
    asked = web.start_request(request)
    begun = _begin(asked, request.callback_url, browser=True)
    if asked.pin and request.prefers_page:
        return answers.to_the_pin(request, begun)
    return answers.begun(request, begun)


def _start_directly(event: Mapping[str, Any]) -> dict[str, Any]:
    asked = direct.start_request(event)
    callback_url = f"{service.api_origin()}/oauth/{asked.provider}/callback"
    return answers.begun_content(_begin(asked, callback_url, browser=False))


def _begin(asked: StartRequest, callback_url: str, *, browser: bool) -> Begun:
    begun = service.start().begin(asked, callback_url=callback_url, browser=browser)
    telemetry.count("started")
    telemetry.log().info("started", extra={"provider": asked.provider, "authorization": begun.label})
    return begun


service.prepare()
