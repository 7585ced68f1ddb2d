"""Sign a user's request, which the caller then sends itself. Invoked by other Lambdas only; neither secret leaves Tripod."""

from collections.abc import Mapping
from typing import Any

from tripod_flow.api import invocation
from tripod_flow.app import App
from tripod_flow.edges import telemetry

app = App()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer ``{"provider", "user_id", "method", "url", "form"?}`` with ``{"authorization"}``, the header's whole value."""
    return app.respond_directly(event, context, _sign)


def _sign(event: Mapping[str, Any]) -> dict[str, Any]:
    asked = invocation.sign_request(event)
    authorization = app.sign.authorization(asked)
    telemetry.count("signed")
    telemetry.log().info(
        "signed", extra={"provider": asked.provider, "user_id": asked.user_id, "method": asked.method, "host": asked.host}
    )
    return {"authorization": authorization}


app.prepare()
