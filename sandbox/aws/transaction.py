"""DynamoDB transactions that copy, for the roll-back, only the items that they name; moto 5.2.5 copies whole tables.

moto changes items in place.
"""

import copy
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

from sandbox.aws.request import AwsRequest


class QuickTable(Table):
    """A table without a sort key; ``touched`` are the partition keys that the transaction under way names."""

    touched: frozenset[DynamoType] = frozenset()

    def __new__(cls, *_: Any, **__: Any) -> "QuickTable":
        """Make one that moto does not keep for ever: every transaction copies a table."""
        return object.__new__(cls)

    def __deepcopy__(self, memo: dict[int, Any]) -> "QuickTable":
        """Copy the table, and of its items those that are about to change."""
        memo[id(self)] = copied = copy.copy(self)
        copied.items = copy.copy(self.items)
        for key in self.touched.intersection(self.items):
            copied.items[key] = copy.deepcopy(self.items[key], memo)
        copied.stream_shard = copy.deepcopy(self.stream_shard, memo)
        return copied


def install(request: AwsRequest) -> None:
    """Make a table that CreateTable has just made a QuickTable."""
    table = dynamodb_backends[request.account][request.region].tables[request.parameters["TableName"]]
    if table.range_key_attr is None:
        table.__class__ = QuickTable  # type: ignore[type-abstract]  # of CloudFormation's methods, which nobody calls


def begin(request: AwsRequest) -> None:
    """Tell the tables in a TransactWriteItems call which items it names."""
    tables = dynamodb_backends[request.account][request.region].tables
    named: dict[str, set[DynamoType]] = {}
    for part in request.parameters.get("TransactItems", []):
        for operation in part.values():
            table = tables.get(str(operation.get("TableName")))
            key = operation.get("Key") or operation.get("Item") or {}
            if isinstance(table, QuickTable) and table.hash_key_attr in key:
                named.setdefault(table.name, set()).add(DynamoType(key[table.hash_key_attr]))
                table.touched = frozenset(named[table.name])
