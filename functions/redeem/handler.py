"""Redeem a ticket, with the secret of the user's session, for the proof of who signed in. Invoked by other Lambdas only."""

from collections.abc import Mapping
from typing import Any

from tripod_flow.api import invocation
from tripod_flow.app import App
from tripod_flow.edges import telemetry

app = App()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer ``{"ticket", "secret"}`` with ``{"provider", "user_id", "screen_name", "subject", "return_to"}``."""
    return app.respond_directly(event, context, _redeem)


def _redeem(event: Mapping[str, Any]) -> dict[str, Any]:
    ticket, secret = invocation.read(event, "ticket", "secret")
    record = app.finish.redeem(ticket, secret)
    telemetry.count("redeemed")
    telemetry.log().info("redeemed", extra={"provider": record.provider, "authorization": record.log_id})
    return {
        "provider": record.provider,
        "user_id": record.user_id,
        "screen_name": record.screen_name,
        "subject": record.subject,
        "return_to": record.return_to,
    }


app.prepare()
