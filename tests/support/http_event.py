"""API Gateway's event, by hand."""

from collections.abc import Mapping
from typing import Any


def event(query: str = "", *, headers: Mapping[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    context = {"requestId": "r1", "domainName": "abc.execute-api.eu-west-1.amazonaws.com", "stage": "$default"}
    return {
        "rawQueryString": query,
        "headers": dict(headers or {}),
        "pathParameters": {"provider": "x"},
        "requestContext": {**context, **changes.pop("context", {})},
        **changes,
    }
