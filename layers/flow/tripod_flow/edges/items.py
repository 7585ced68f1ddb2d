"""Records as DynamoDB's API has them, and back."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from decimal import Decimal
from typing import Any, TypeVar

from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer

from tripod.credentials import AccessToken
from tripod.provider_errors import Cause
from tripod.sealed_tokens import SealedTokens
from tripod_flow.rules.authorization import Authorization, State
from tripod_flow.rules.connection import ConnectionRecord, PendingEvent

Record = TypeVar("Record", Authorization, ConnectionRecord)

_ATTRIBUTES: dict[type, frozenset[str]] = {
    kind: frozenset(one.name for one in fields(kind)) for kind in (Authorization, ConnectionRecord)
}

_INTEGERS = {"failed_pins", "outbox_tries", "token_expires_at"}
_TOKENS = {"pending_tokens", "pending_invalidation"}

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def of(record: Authorization) -> dict[str, Any]:
    """Return a record as an item."""
    return attributes({name: getattr(record, name) for name in _ATTRIBUTES[type(record)]})


def attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by name as DynamoDB's API has them, without those that are None."""
    return {name: attribute(value) for name, value in values.items() if value is not None}


def attribute(value: Any) -> Any:
    """Return a value as DynamoDB's API has it; text, which most are, without boto3's look at its type."""
    return {"S": value} if type(value) is str else _serialize(plain(value))


def plain(value: Any) -> Any:
    """Return a value as DynamoDB's types have it: numbers decimal, times to the millisecond."""
    if isinstance(value, (AccessToken, SealedTokens, PendingEvent)):
        return {name: plain(one) for name, one in asdict(value).items() if one not in (None, {}, ())}
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    return Decimal(f"{value:.3f}") if isinstance(value, float) else value


def read(item: Mapping[str, Any], kind: type[Record]) -> Record:
    """Return the record that an item, as DynamoDB's API has it, holds."""
    values = {name: _known(_deserialize(value)) for name, value in item.items() if name in _ATTRIBUTES[kind]}
    for name in _INTEGERS & values.keys():
        values[name] = int(values[name])
    for name in _TOKENS & values.keys():
        values[name] = _token(values[name])
    if "pending_events" in values:
        values["pending_events"] = tuple(PendingEvent(**each) for each in values["pending_events"])
    if "state" in values:
        values["state"] = State(values["state"])
    if "cause" in values:
        values["cause"] = Cause(values["cause"])
    return kind(**values)


def _token(content: dict[str, Any]) -> AccessToken | SealedTokens:
    kind = SealedTokens if "ciphertext" in content else AccessToken
    expires_at = content.get("expires_at")
    return kind(**content | {"expires_at": None if expires_at is None else int(expires_at)})


def _known(value: Any) -> Any:
    """Return a value as the records have it: the inverse of ``plain``."""
    if isinstance(value, list):
        return tuple(map(_known, value))
    if isinstance(value, dict):
        return {name: _known(one) for name, one in value.items()}
    if isinstance(value, Binary):
        return value.value  # type: ignore[attr-defined]  # boto3's stubs leave it out
    return float(value) if isinstance(value, Decimal) else value
