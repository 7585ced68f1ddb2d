"""Disconnect a user: invalidate the tokens at the provider, and delete them here."""

from collections.abc import Mapping
from typing import Any

from tripod_flow import answers, direct, service, web
from tripod_flow.answers import Answer
from tripod_flow.web import Request


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer ``POST /oauth/{provider}/users/{user_id}/revoke`` (IAM-authorized), or ``{"provider", "user_id"}`` from another Lambda."""
    if direct.is_direct(event):
        return service.answer_direct(event, context, _revoke_directly)
    return service.answer(event, context, lambda request: _revoke(request, web.user_id(event)))


def _revoke(request: Request, user_id: str) -> Answer:
    return answers.revoked(_revoked(request.provider, user_id))


def _revoke_directly(event: Mapping[str, Any]) -> dict[str, Any]:
    provider, user_id = direct.read(event, "provider", "user_id")
    return _revoked(provider, user_id)


def _revoked(provider: str, user_id: str) -> dict[str, Any]:
    invalidated = service.revocation().revoke(provider, user_id)
    return {"outcome": "revoked", "provider": provider, "user_id": user_id, "invalidated": invalidated}


service.prepare()
