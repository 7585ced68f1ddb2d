"""How far a round of checks is: one item of the table, and the index of connections, page by page."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tripod import names

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY = "checks"
LEASE = 600  # seconds; longer than the function's timeout
REST = 240  # seconds from one beginning to the next; less than the schedule's five minutes, and nobody who may invoke makes it faster
PAGE = 50  # connections


@dataclass(frozen=True, slots=True)
class Progress:
    """When the current round began (epoch seconds), and where it goes on; ``cursor`` is empty at its beginning, None at its end.

    It goes through the connections of all providers, and then again through those of ``left_out``, until nobody is: ``again`` are the
    providers whose turn that is.
    """

    began_at: float
    cursor: dict[str, Any] | None
    left_out: frozenset[str] = frozenset()
    again: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Listed:
    """A connection as the index has it."""

    provider: str
    user_id: str
    checked_at: float | None

    @property
    def key(self) -> dict[str, Any]:
        """The cursor after which the next connection comes."""
        pk = names.connection_key(self.provider, self.user_id)
        return {"connected_to": {"S": self.provider}, "user_id": {"S": self.user_id}, "pk": {"S": pk}}


class CheckProgress:
    """The item, through ``client``, in the DynamoDB table ``name``."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def lease(self, *, now: float) -> Progress | None:
        """Return how far the round is, and let nobody else go on with it; None where somebody else does."""
        try:
            answer = self._client.update_item(
                TableName=self._name,
                Key={"pk": {"S": KEY}},
                UpdateExpression="SET lease_until = :until",
                ConditionExpression="attribute_not_exists(lease_until) OR lease_until <= :now",
                ExpressionAttributeValues={":until": {"N": f"{now + LEASE:.3f}"}, ":now": {"N": f"{now:.3f}"}},
                ReturnValues="ALL_NEW",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        item = answer["Attributes"]
        cursor = item.get("cursor", {}).get("M")
        left_out, again = (frozenset(one["S"] for one in item.get(name, {}).get("L", ())) for name in ("left_out", "again"))
        began_at = float(item.get("began_at", {}).get("N", "0"))
        return Progress(began_at, None if cursor is None else dict(cursor), left_out, again)

    def save(self, progress: Progress, *, leased_at: float) -> None:
        """Keep how far the round is; nobody goes on with it until ``REST`` seconds after ``leased_at``."""
        kept = {
            "began_at": {"N": f"{progress.began_at:.3f}"},
            "lease_until": {"N": f"{leased_at + REST:.3f}"},
            "cursor": {"NULL": True} if progress.cursor is None else {"M": progress.cursor},
            "left_out": _texts(progress.left_out),
            "again": _texts(progress.again),
        }
        self._client.update_item(
            TableName=self._name,
            Key={"pk": {"S": KEY}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in kept),
            ExpressionAttributeNames={f"#{name}": name for name in kept},
            ExpressionAttributeValues={f":{name}": value for name, value in kept.items()},
        )

    def page(self, cursor: dict[str, Any] | None) -> tuple[list[Listed], dict[str, Any] | None]:
        """Return the connections after ``cursor``, and the cursor after them; None: there are no more."""
        start: dict[str, Any] = {"ExclusiveStartKey": cursor} if cursor else {}
        answer = self._client.scan(TableName=self._name, IndexName="connections", Limit=PAGE, **start)
        found = [
            Listed(
                item["connected_to"]["S"],
                item["user_id"]["S"],
                float(item["checked_at"]["N"]) if "checked_at" in item else None,
            )
            for item in answer["Items"]
        ]
        return found, answer.get("LastEvaluatedKey")


def _texts(values: frozenset[str]) -> Any:
    return {"L": [{"S": value} for value in sorted(values)]}  # a set could not be empty
