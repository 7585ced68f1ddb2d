"""moto's transactions where they are slow: for the roll-back, each copies its tables whole, whatever it changes of them.

With ours a transaction copies the items that it names. (Of moto 5.2.5; it changes items in place.)
"""

import copy
from typing import TYPE_CHECKING, Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

if TYPE_CHECKING:
    from sandbox.aws import Request


class QuickTable(Table):
    """A table without a sort key; ``touched`` are the partition keys that the transaction under way names."""

    touched: frozenset[DynamoType] = frozenset()

    def __deepcopy__(self, memo: dict[int, Any]) -> "QuickTable":
        """Copy the table, and of its items those that are about to change."""
        memo[id(self)] = copied = copy.copy(self)
        copied.items = copy.copy(self.items)
        for key in self.touched.intersection(self.items):
            copied.items[key] = copy.deepcopy(self.items[key], memo)
        copied.stream_shard = copy.deepcopy(self.stream_shard, memo)
        return copied


def install(request: "Request") -> None:
    """Make the table that a CreateTable has made one of ours."""
    table = dynamodb_backends[request.account][request.region].tables[request.parameters["TableName"]]
    if table.range_key_attr is None:
        table.__class__ = QuickTable  # type: ignore[type-abstract]  # of CloudFormation's methods, which nobody calls


def begin(request: "Request") -> None:
    """Tell the tables of a TransactWriteItems which items it names."""
    tables = dynamodb_backends[request.account][request.region].tables
    named: dict[str, set[DynamoType]] = {}
    for part in request.parameters.get("TransactItems", []):
        for operation in part.values():
            table = tables.get(str(operation.get("TableName")))
            key = operation.get("Key") or operation.get("Item") or {}
            if isinstance(table, QuickTable) and table.hash_key_attr in key:
                named.setdefault(table.name, set()).add(DynamoType(key[table.hash_key_attr]))
                table.touched = frozenset(named[table.name])
