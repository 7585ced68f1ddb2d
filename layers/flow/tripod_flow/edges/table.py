"""The table: every request to DynamoDB. It applies the transitions that the rules return."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, ConditionBase, ConditionExpressionBuilder
from botocore.exceptions import ClientError

from tripod_flow.edges import items
from tripod_flow.edges.items import Record
from tripod_flow.rules import outbox
from tripod_flow.rules.authorization import Authorization
from tripod_flow.rules.connection import ConnectionRecord
from tripod_flow.rules.transitions import IfAbsent, Transition

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DuplicateKey(Exception):
    """There is an item of this key already."""


@dataclass(frozen=True, slots=True)
class Update:
    """The result of an authorization's transition: whether it is applied, and the record as it now is (None: there is none)."""

    applied: bool
    record: Authorization | None


@dataclass(frozen=True, slots=True)
class ConnectionUpdate:
    """The result of a connection's transition: whether it is applied, and the record as it was before (None: there was none)."""

    applied: bool
    previous: ConnectionRecord | None


@dataclass(frozen=True, slots=True)
class StoredUpdate:
    """The result of ``update_with_connection``: whether it is applied, and if not, whether another grant or a revocation is current.

    Neither: the authorization's record has changed meanwhile.
    """

    applied: bool
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """What the outbox's index says of an item: since when something is owed, and when the relay tries next; both in epoch seconds."""

    pk: str
    since: float
    due: float


class Table:
    """The DynamoDB table ``name``, through ``client``."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def add(self, new: Authorization) -> None:
        """Put a new authorization; raises ``DuplicateKey`` rather than replace one."""
        found = self.add_or_find(new)
        if found is not None and _fingerprint(found) != _fingerprint(new):  # equal: put before, and the answer lost
            raise DuplicateKey

    def add_or_find(self, new: Authorization) -> Authorization | None:
        """Put a new authorization, or return the one of its key that is there, unchanged; None: it is put."""
        try:
            self._client.put_item(
                TableName=self._name,
                Item=items.of(new),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **_expression(Attr("pk").not_exists()),
            )
        except ClientError as error:
            found = _found(error, Authorization)
            if found is None:
                raise DuplicateKey from None
            return found
        return None

    def authorization(self, pk: str) -> Authorization | None:
        """Return the authorization as it is now, or None."""
        answer = self._client.get_item(TableName=self._name, Key={"pk": {"S": pk}}, ConsistentRead=True)
        return items.read(answer["Item"], Authorization) if "Item" in answer else None

    def update(self, transition: Transition, held: Authorization | None = None) -> Update:
        """Apply a transition to an authorization.

        ``held``: the record as the holder of its claim knows it. Nobody else changes it under the claim, so it isn't read back.
        """
        try:
            answer = self._client.update_item(
                TableName=self._name,
                ReturnValues="NONE" if held else "ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **_update(transition),
            )
        except ClientError as error:
            found = _found(error, Authorization)
            return Update(_was_repeated(error) and _is_applied(transition, found), found)
        return Update(True, replace(held, **transition.changes) if held else items.read(answer["Attributes"], Authorization))

    def update_connection(self, transition: Transition) -> ConnectionUpdate:
        """Apply a transition to a connection."""
        try:
            answer = self._client.update_item(
                TableName=self._name,
                ReturnValues="ALL_OLD",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **_update(transition),
            )
        except ClientError as error:
            found = _found(error, ConnectionRecord)
            return ConnectionUpdate(_was_repeated(error) and _is_applied(transition, found), found)
        return ConnectionUpdate(True, items.read(answer["Attributes"], ConnectionRecord) if "Attributes" in answer else None)

    def connection(self, pk: str) -> ConnectionRecord | None:
        """Return the connection as it is now, or None."""
        answer = self._client.get_item(TableName=self._name, Key={"pk": {"S": pk}}, ConsistentRead=True)
        return items.read(answer["Item"], ConnectionRecord) if "Item" in answer else None

    def outbox(self, *, now: float) -> Iterator[OutboxEntry]:
        """Yield the entries of the outbox, shard by shard, the longest due first: all that are due, and what comes on the same page.

        A page is 1 MB, about 8,000 entries, so below that these are all. No call is made for what is not due; ``math.inf``: everything is.
        """
        query = self._client.get_paginator("query")
        for shard in range(outbox.SHARDS):
            pages = query.paginate(
                TableName=self._name,
                IndexName="outbox",
                KeyConditionExpression="outbox = :shard",
                ExpressionAttributeValues={":shard": {"S": str(shard)}},
            )
            for page in pages:
                entries = [_entry(item) for item in page["Items"]]
                yield from entries
                if entries and entries[-1].due > now:
                    break

    def postpone_unread(self, pk: str, *, due: float, since: float) -> bool:
        """Let the relay try an item again at ``due``, whatever is in it; return False if it is there since before ``since``."""
        try:
            self._client.update_item(
                TableName=self._name,
                Key={"pk": {"S": pk}},
                UpdateExpression="SET outbox_due = :due",
                ConditionExpression="outbox_since > :since",
                ExpressionAttributeValues={":due": {"N": f"{due:.3f}"}, ":since": {"N": f"{since:.3f}"}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def abandon_unread(self, pk: str) -> None:
        """Take an item out of the outbox with what it owes, tokens included, whatever else is in it."""
        pending = (
            "pending_tokens",
            "pending_event",
            "pending_events",
            "pending_invalidation",
            "outbox",
            "outbox_since",
            "outbox_due",
        )
        self._client.update_item(
            TableName=self._name,
            Key={"pk": {"S": pk}},
            UpdateExpression=f"REMOVE {', '.join(pending)}",
            ConditionExpression="attribute_exists(outbox)",
        )

    def update_with_connection(self, transition: Transition, connected: Transition) -> StoredUpdate:
        """Apply an authorization's transition and a connection's in one transaction: both, or neither."""
        updates = [{"TableName": self._name, **_update(each)} for each in (transition, connected)]
        updates[1]["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        try:
            self._client.transact_write_items(TransactItems=[{"Update": each} for each in updates])  # type: ignore[typeddict-item]  # built above
        except self._client.exceptions.TransactionCanceledException as error:
            reasons = error.response["CancellationReasons"]
            if reasons[1].get("Code") == "ConditionalCheckFailed" and reasons[1].get("Item"):
                return StoredUpdate(False, superseded=True)
            if "ConditionalCheckFailed" not in (reasons[0].get("Code"), reasons[1].get("Code")):
                raise
            return StoredUpdate(False)
        return StoredUpdate(True)


def _entry(item: Mapping[str, Any]) -> OutboxEntry:
    due = float(item["outbox_due"]["N"])
    since = float(item.get("outbox_since", {}).get("N", due))  # an item that can't be read has an entry too
    return OutboxEntry(item["pk"]["S"], since, due)


def _fingerprint(record: Authorization) -> tuple[str | None, ...]:
    return record.cookie_digest, record.request_secret, record.subject, record.challenge


def _update(transition: Transition) -> dict[str, Any]:
    """Return the arguments of an update: key, update expression, condition."""
    expression = _expression(transition.condition)
    names, values = expression["ExpressionAttributeNames"], expression.setdefault("ExpressionAttributeValues", {})
    sets, removes = [], []
    for number, (name, value) in enumerate(transition.changes.items()):
        names[f"#u{number}"] = name
        if value is None:
            removes.append(f"#u{number}")
        elif isinstance(value, IfAbsent):
            sets.append(f"#u{number} = if_not_exists(#u{number}, :u{number})")
            values[f":u{number}"] = items.attribute(value.value)
        else:
            sets.append(f"#u{number} = :u{number}")
            values[f":u{number}"] = items.attribute(value)
    parts = [f"SET {', '.join(sets)}" if sets else "", f"REMOVE {', '.join(removes)}" if removes else ""]
    return {"Key": {"pk": {"S": transition.pk}}, "UpdateExpression": " ".join(filter(None, parts)), **expression}


def _expression(condition: ConditionBase) -> dict[str, Any]:
    built = ConditionExpressionBuilder().build_expression(condition)
    expression: dict[str, Any] = {
        "ConditionExpression": built.condition_expression,
        "ExpressionAttributeNames": dict(built.attribute_name_placeholders),
    }
    if built.attribute_value_placeholders:
        expression["ExpressionAttributeValues"] = items.attributes(built.attribute_value_placeholders)
    return expression


def _found(error: ClientError, kind: type[Record]) -> Record | None:
    """Return the item that failed the condition, or None where there was none; any other error is raised again."""
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error
    item: Any = error.response.get("Item")
    return items.read(item, kind) if item else None


def _was_repeated(error: ClientError) -> bool:
    """Return True if botocore made the call more than once: only then may an earlier try of this very call be the one that wrote."""
    return int(error.response["ResponseMetadata"].get("RetryAttempts", 0)) > 0


def _is_applied(transition: Transition, found: Authorization | ConnectionRecord | None) -> bool:
    """Return True if the values are already written (a repeated write, whose first answer was lost)."""
    return found is not None and all(_is_written(getattr(found, name), value) for name, value in transition.changes.items())


def _is_written(found: Any, value: Any) -> bool:
    return found is not None if isinstance(value, IfAbsent) else items.plain(found) == items.plain(value)
