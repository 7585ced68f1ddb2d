"""A table's stream as DynamoDB keeps it: no record of a write that changed nothing or was rolled back.

Source: DynamoDB's developer guide, "Change data capture for DynamoDB Streams". moto 5.2.5 records every write, and
rolls a transaction back by putting a copy of the table in its place, which existing iterators do not read.
"""

import copy
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import StreamShard
from moto.dynamodbstreams.models import dynamodbstreams_backends

from sandbox.aws.request import AwsRequest


class Shard(StreamShard):
    """A table's one shard."""

    def __new__(cls, *_: Any, **__: Any) -> "Shard":
        """Make one that moto does not keep for ever: every transaction copies a shard."""
        return object.__new__(cls)

    def add(self, old: Any, new: Any) -> None:
        """Record a change of an item; None is no item."""
        if old is None or new is None or old.to_json() != new.to_json():
            super().add(old, new)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Shard":
        """Copy the table but not the records, which don't change: moto copies everything at each transaction."""
        memo[id(self)] = copied = copy.copy(self)
        copied.table, copied.items = copy.deepcopy(self.table, memo), list(self.items)
        return copied


def install(request: AwsRequest) -> None:
    """Replace the shard of a table that CreateTable has just made, if it has a stream."""
    table = dynamodb_backends[request.account][request.region].tables[request.parameters["TableName"]]
    if table.stream_shard:
        table.stream_shard = Shard(request.account, table)


def refresh(request: AwsRequest) -> None:
    """Point the iterator of a GetRecords to the table's present shard."""
    streams = dynamodbstreams_backends[request.account][request.region]
    iterator = streams.shard_iterators.get(str(request.parameters.get("ShardIterator")))
    table = iterator and dynamodb_backends[request.account][request.region].tables.get(iterator.stream_shard.table.name)
    if iterator and table and table.stream_shard:
        iterator.stream_shard = table.stream_shard
