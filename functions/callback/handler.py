"""Leg 3: the browser is back with a verifier, or with the user's no; exchange the one, note the other, store and tell."""

from collections.abc import Mapping
from typing import Any

from tripod_flow import answers, direct, service, web
from tripod_flow.answers import Answer
from tripod_flow.errors import FlowError
from tripod_flow.handshake import Outcome
from tripod_flow.web import Request


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer ``GET /oauth/{provider}/callback``, ``GET`` and ``POST /oauth/{provider}/pin``, or a Lambda with its own user's PIN."""
    if direct.is_direct(event):
        return service.answer_direct(event, context, _pin_directly)
    if not event["routeKey"].endswith("/pin"):
        return service.answer(event, context, _callback)
    return service.answer(event, context, lambda request: _pin(request, event) if request.posted else _pin_page(request))


def _callback(request: Request) -> Answer:
    returned = web.returned(request)
    handshake = service.handshake()
    if returned.verifier is None:
        return answers.outcome(request, handshake.deny(request.provider, returned.request_token, request.cookies))
    came = handshake.callback(request.provider, returned.request_token, returned.verifier, request.cookies)
    return answers.outcome(request, came)


def _pin_page(request: Request) -> Answer:
    stands = service.handshake().look(request.provider, web.pin_asked_for(request), request.cookies)
    return answers.outcome(request, stands) if isinstance(stands, Outcome) else answers.pin(request, stands)


def _pin(request: Request, event: Mapping[str, Any]) -> Answer:
    request_token, pin = web.pin(event)
    try:
        return answers.outcome(request, service.handshake().pin(request.provider, request_token, pin, cookies=request.cookies))
    except FlowError as error:
        error.again = request.pin_page(request_token)  # what was posted can't be asked for again
        raise


def _pin_directly(event: Mapping[str, Any]) -> dict[str, Any]:
    provider, request_token, pin, subject = direct.read(event, "provider", "request_token", "pin", "subject")
    return answers.outcome_content(service.handshake().pin(provider, request_token, pin, subject=subject))


service.prepare()
