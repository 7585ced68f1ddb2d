"""A table's stream, read as Lambda's poller reads it: records in order, each as a function gets it.

Sources: the API reference of DynamoDB Streams; Lambda's developer guide, "Using AWS Lambda with Amazon DynamoDB".
"""

import base64
from collections.abc import Iterator
from typing import Any

PAGE = 1000  # records in a response: DynamoDB Streams' quota

Record = dict[str, Any]  # as in a function's event


class Stream:
    """One stream: ``unread`` yields what was written since the last call.

    ``from_start`` is StartingPosition TRIM_HORIZON; otherwise it skips the records that exist already.
    """

    def __init__(self, client: Any, arn: str, *, from_start: bool) -> None:
        self.arn = arn
        self._client = client
        self._iterators: dict[str, str | None] = {}  # by shard; None at the end of one that is closed
        self._find_shards("TRIM_HORIZON" if from_start else "LATEST")

    def unread(self) -> Iterator[tuple[str, list[Record]]]:
        """Yield each shard's name and its new records, in order; a shard without any is left out."""
        if not all(self._iterators.values()):  # a shard that is closed has children, which follow it
            self._find_shards("TRIM_HORIZON")
        for shard in self._iterators:
            if records := list(self._read(shard)):
                yield shard, records

    def _find_shards(self, begin: str) -> None:
        for shard in self._client.describe_stream(StreamArn=self.arn)["StreamDescription"]["Shards"]:
            name = shard["ShardId"]
            if name not in self._iterators:
                answer = self._client.get_shard_iterator(StreamArn=self.arn, ShardId=name, ShardIteratorType=begin)
                self._iterators[name] = answer["ShardIterator"]

    def _read(self, shard: str) -> Iterator[Record]:
        while iterator := self._iterators[shard]:
            answer = self._client.get_records(ShardIterator=iterator, Limit=PAGE)
            self._iterators[shard] = answer.get("NextShardIterator")
            yield from (self._as_in_an_event(record) for record in answer["Records"])
            if len(answer["Records"]) < PAGE:
                break

    def _as_in_an_event(self, record: dict[str, Any]) -> Record:
        change = dict(record["dynamodb"])
        change["ApproximateCreationDateTime"] = int(change["ApproximateCreationDateTime"].timestamp())
        for part in {"Keys", "NewImage", "OldImage"} & change.keys():
            change[part] = _plain(change[part])
        return {
            "eventID": record["eventID"],
            "eventName": record["eventName"],
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": record["awsRegion"],
            "dynamodb": change,
            "eventSourceARN": self.arn,
        }


def _plain(value: Any) -> Any:
    """Return DynamoDB's typed values as JSON has them: bytes in base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
