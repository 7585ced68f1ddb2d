"""The users of a provider: how many are connected, and how many of them the provider refuses."""

from collections.abc import Iterator
from typing import Any

from tripod_cli.doctor.finding import Finding, warning
from tripod_cli.stack import Stack


def look(stack: Stack, provider: str) -> Iterator[Finding]:
    """Yield how many users are connected and refused; most of them refused is more than some who have revoked access."""
    refused, connected = _count(stack, "refused", "refused_by", provider), _count(stack, "connections", "connected_to", provider)
    at = f"users of {provider}"
    if not refused:
        yield Finding(at, f"{connected} connected, none refused")
        return
    text = f"{connected} connected, of whom the provider refuses {refused}"
    if refused * 2 <= connected:
        yield Finding(at, f"{text} (tripod users {provider} --state refused)")
    else:
        to_do = f"Was the app renewed, suspended, or its permissions changed? The causes: tripod users {provider} --state refused"
        yield warning(at, text, to_do)


def _count(stack: Stack, index: str, key: str, provider: str) -> int:
    asked: dict[str, Any] = {
        "TableName": stack.settings.table,
        "IndexName": index,
        "Select": "COUNT",
        "KeyConditionExpression": f"{key} = :provider",
        "ExpressionAttributeValues": {":provider": {"S": provider}},
    }
    return sum(page["Count"] for page in stack.client("dynamodb").get_paginator("query").paginate(**asked))
