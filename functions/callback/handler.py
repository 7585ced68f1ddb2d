"""Leg 3: the browser is back with a verifier, or with the user's no; exchange the one, note the other, store and tell."""

from typing import Any

from tripod_flow import answers, service, web
from tripod_flow.answers import Answer
from tripod_flow.web import Request


def handler(event: dict[str, Any], context: object) -> Answer:  # noqa: ARG001  # Lambda's own signature
    """Answer ``GET /oauth/{provider}/callback``."""
    return service.answer(event, _callback)


def _callback(request: Request) -> Answer:
    returned = web.returned(request)
    handshake = service.handshake()
    if returned.verifier is None:
        decided = handshake.deny(request.provider, returned.request_token, request.cookies)
    else:
        decided = handshake.callback(request.provider, returned.request_token, returned.verifier, request.cookies)
    return answers.outcome(request, decided)
