"""The table: all that Tripod says to DynamoDB. The rules of ``authorization`` and ``connection`` are carried out here."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from boto3.dynamodb.conditions import Attr, ConditionBase, ConditionExpressionBuilder
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from tripod.refusals import Cause
from tripod_flow import connection
from tripod_flow.authorization import Authorization, State
from tripod_flow.connection import Connection
from tripod_flow.transition import Transition

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Record = TypeVar("Record", Authorization, Connection)

_ATTRIBUTES: dict[type, frozenset[str]] = {
    kind: frozenset(one.name for one in fields(kind)) for kind in (Authorization, Connection)
}

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


class KeyTaken(Exception):
    """There is an item of this key already."""


class Table:
    """The DynamoDB table ``name``, through ``client``."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def add(self, new: Authorization) -> None:
        """Put a new authorization; raises ``KeyTaken`` rather than replace one."""
        item = {name: getattr(new, name) for name in _ATTRIBUTES[Authorization]}
        try:
            self._client.put_item(
                TableName=self._name,
                Item=_item(item),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **_expression(Attr("pk").not_exists()),
            )
        except ClientError as error:
            standing = _standing(error, Authorization)
            if standing is None or _identity(standing) != _identity(new):  # equal: put before, and the answer lost
                raise KeyTaken from None

    def authorization(self, pk: str) -> Authorization | None:
        """Return the authorization as it stands now, or None."""
        answer = self._client.get_item(TableName=self._name, Key={"pk": {"S": pk}}, ConsistentRead=True)
        return read(answer["Item"], Authorization) if "Item" in answer else None

    def move(self, transition: Transition, held: Authorization | None = None) -> tuple[bool, Authorization | None]:
        """Make the transition of an authorization; returns whether it was made, and the record as it now stands.

        ``held``: the record as its holder knows it. Nobody else changes it under the claim, so it isn't read back.
        """
        try:
            answer = self._client.update_item(
                TableName=self._name,
                ReturnValues="NONE" if held else "ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **_update(transition),
            )
        except ClientError as error:
            standing = _standing(error, Authorization)
            return _is_done(transition, standing), standing
        return True, replace(held, **transition.changes) if held else read(answer["Attributes"], Authorization)

    def connect(self, transition: Transition) -> tuple[bool, Connection | None]:
        """Make the transition of a connection; returns whether it was made, and the record as it was before, if any."""
        try:
            answer = self._client.update_item(
                TableName=self._name,
                ReturnValues="ALL_OLD",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **_update(transition),
            )
        except ClientError as error:
            standing = _standing(error, Connection)
            return _is_done(transition, standing), standing
        return True, read(answer["Attributes"], Connection) if "Attributes" in answer else None

    def connection(self, pk: str) -> Connection | None:
        """Return the connection as it stands now, or None."""
        answer = self._client.get_item(TableName=self._name, Key={"pk": {"S": pk}}, ConsistentRead=True)
        return read(answer["Item"], Connection) if "Item" in answer else None

    def owed(self, shard: str) -> Iterator[str]:
        """Yield the keys of what is owed in one shard of the index, the oldest first."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._name,
            IndexName="owed",
            KeyConditionExpression="#o = :s",
            ExpressionAttributeNames={"#o": "owed"},
            ExpressionAttributeValues={":s": {"S": shard}},
        )
        for page in pages:
            for item in page["Items"]:
                yield item["pk"]["S"]

    def settle(self, transition: Transition, grant: Authorization) -> tuple[bool, Connection | None]:
        """Make ``transition`` if the connection still speaks of ``grant``, in one step.

        Returns whether it was made, and how the connection stands where that stood in the way. Neither: the record has moved on.
        """
        check = {
            "TableName": self._name,
            "Key": {"pk": {"S": connection.key(grant.provider, grant.user_id or "")}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **_expression(connection.names(grant)),
        }
        try:
            self._client.transact_write_items(
                TransactItems=[{"Update": {"TableName": self._name, **_update(transition)}}, {"ConditionCheck": check}]  # type: ignore[typeddict-item]  # built above
            )
        except self._client.exceptions.TransactionCanceledException as error:
            reasons = error.response["CancellationReasons"]
            if reasons[1].get("Code") == "ConditionalCheckFailed" and reasons[1].get("Item"):
                return False, read(reasons[1]["Item"], Connection)
            if "ConditionalCheckFailed" not in (reasons[0].get("Code"), reasons[1].get("Code")):
                raise
            return False, None
        return True, None


def _identity(record: Authorization) -> tuple[str | None, ...]:
    return record.browser, record.request_secret, record.subject, record.challenge


def _update(transition: Transition) -> dict[str, Any]:
    """Return the arguments of an update: key, update expression, condition."""
    expression = _expression(transition.condition)
    names, values = expression["ExpressionAttributeNames"], expression.setdefault("ExpressionAttributeValues", {})
    sets, removes = [], []
    for number, (name, value) in enumerate(transition.changes.items()):
        names[f"#u{number}"] = name
        if value is None:
            removes.append(f"#u{number}")
        else:
            sets.append(f"#u{number} = :u{number}")
            values[f":u{number}"] = _written(value)
    parts = [f"SET {', '.join(sets)}" if sets else "", f"REMOVE {', '.join(removes)}" if removes else ""]
    return {"Key": {"pk": {"S": transition.pk}}, "UpdateExpression": " ".join(filter(None, parts)), **expression}


def _expression(condition: ConditionBase) -> dict[str, Any]:
    built = ConditionExpressionBuilder().build_expression(condition)
    expression: dict[str, Any] = {
        "ConditionExpression": built.condition_expression,
        "ExpressionAttributeNames": dict(built.attribute_name_placeholders),
    }
    if built.attribute_value_placeholders:
        expression["ExpressionAttributeValues"] = _item(built.attribute_value_placeholders)
    return expression


def _item(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _written(value) for name, value in values.items() if value is not None}


def _written(value: Any) -> Any:
    """Return a value as DynamoDB's API has it; strings, which most are, without boto3's asking what they may be (0.02 ms a callback)."""
    return {"S": str(value)} if isinstance(value, str) else _serialize(_plain(value))


def _plain(value: Any) -> Any:
    """Return a value as DynamoDB's types have it: numbers decimal, times to the millisecond."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return Decimal(f"{value:.3f}") if isinstance(value, float) else value


def read(item: Mapping[str, Any], kind: type[Record]) -> Record:
    """Return the record that an item, as DynamoDB's API has it, holds."""
    values = {
        name: value["S"] if "S" in value else _known(_deserialize(value))
        for name, value in item.items()
        if name in _ATTRIBUTES[kind]
    }
    if "attempts" in values:
        values["attempts"] = int(values["attempts"])
    if "state" in values:
        values["state"] = State(values["state"])
    if "cause" in values:
        values["cause"] = Cause(values["cause"])
    return kind(**values)


def _known(value: Any) -> Any:
    """Return a value as the records have it: the contrary of ``_plain``."""
    if isinstance(value, list):
        return tuple(map(float, value))
    return float(value) if isinstance(value, Decimal) else value


def _standing(error: ClientError, kind: type[Record]) -> Record | None:
    """Return the item that a refused condition met, or None where there was none; any other error is raised again."""
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error
    item: Any = error.response.get("Item")
    return read(item, kind) if item else None


def _is_done(transition: Transition, standing: Authorization | Connection | None) -> bool:
    """Tell whether the item is what the transition makes it: it was made before, and its answer lost."""
    return standing is not None and all(
        _plain(getattr(standing, name)) == _plain(value) for name, value in transition.changes.items()
    )
