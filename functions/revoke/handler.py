"""Disconnect a user: delete the tokens here, and have the provider invalidate them."""

from collections.abc import Mapping
from typing import Any

from tripod_flow.api import http_request, invocation, responses
from tripod_flow.api.http_request import HttpRequest
from tripod_flow.api.responses import ApiResponse
from tripod_flow.app import App

app = App()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer ``POST /oauth/{provider}/users/{user_id}/revoke`` (IAM-authorized), or ``{"provider", "user_id"}`` from another Lambda."""
    if invocation.is_direct(event):
        return app.respond_directly(event, context, _revoke_directly)
    return app.respond(event, context, _revoke)


def _revoke(request: HttpRequest) -> ApiResponse:
    return responses.revoked(_revoke_user(request.provider, http_request.user_id(request)))


def _revoke_directly(event: Mapping[str, Any]) -> dict[str, Any]:
    provider, user_id = invocation.read(event, "provider", "user_id")
    return _revoke_user(provider, user_id)


def _revoke_user(provider: str, user_id: str) -> dict[str, Any]:
    invalidated = app.revocation.revoke(provider, user_id)
    told = "pending" if invalidated is None else invalidated
    return {"outcome": "revoked", "provider": provider, "user_id": user_id, "invalidated": told}


app.prepare()
