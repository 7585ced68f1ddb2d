"""moto's stream of a table where it differs from DynamoDB's: no record of a write that changed nothing, and none that was rolled back.

Source: DynamoDB's developer guide, "Change data capture for DynamoDB Streams". Of moto 5.2.5: it records every write, and
rolls a transaction back by putting a copy of the table in its place, of which iterators that exist already know nothing.
"""

import copy
from typing import TYPE_CHECKING, Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import StreamShard
from moto.dynamodbstreams.models import dynamodbstreams_backends

if TYPE_CHECKING:
    from sandbox.aws import Request


class Shard(StreamShard):
    """A table's one shard."""

    def add(self, old: Any, new: Any) -> None:
        """Record a change of an item; None stands for no item."""
        if old is None or new is None or old.to_json() != new.to_json():
            super().add(old, new)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Shard":
        """Copy the table but not the records, which don't change: moto copies everything at each transaction."""
        memo[id(self)] = copied = copy.copy(self)
        copied.table, copied.items = copy.deepcopy(self.table, memo), list(self.items)
        return copied


def install(request: "Request") -> None:
    """Give the table that a CreateTable has made, if it has a stream, a shard of ours."""
    table = dynamodb_backends[request.account][request.region].tables[request.parameters["TableName"]]
    if table.stream_shard:
        table.stream_shard = Shard(request.account, table)


def refresh(request: "Request") -> None:
    """Let the iterator that a GetRecords names read the shard of the table as it is now."""
    streams = dynamodbstreams_backends[request.account][request.region]
    iterator = streams.shard_iterators.get(str(request.parameters.get("ShardIterator")))
    table = iterator and dynamodb_backends[request.account][request.region].tables.get(iterator.stream_shard.table.name)
    if iterator and table and table.stream_shard:
        iterator.stream_shard = table.stream_shard
