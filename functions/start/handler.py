"""Leg 1: get a request token, bind it to this browser, and send the browser to the provider."""

from typing import Any

from tripod_flow import answers, service, telemetry, web
from tripod_flow.answers import Answer
from tripod_flow.web import Request


def handler(event: dict[str, Any], context: object) -> Answer:  # noqa: ARG001  # Lambda's own signature
    """Answer ``GET /oauth/{provider}/start``."""
    return service.answer(event, _start)


def _start(request: Request) -> Answer:
    asked = web.start_request(request)
    begun = service.handshake().start(asked, callback_url=request.callback_url)
    telemetry.count("started")
    telemetry.log().info("started", extra={"provider": asked.provider, "authorization": begun.label})
    return answers.begun(request, begun)
