"""Whom a move concerns: the users who are connected at a provider, and those who have a secret there. No function needs it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tripod import names

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient


class Roster:
    """Lists the user ids of the stack of ``prefix``, whose table is ``table``."""

    def __init__(self, dynamodb: "DynamoDBClient", secretsmanager: "SecretsManagerClient", *, prefix: str, table: str) -> None:
        self._dynamodb = dynamodb
        self._secretsmanager = secretsmanager
        self._prefix = prefix
        self._table = table

    def connected(self, provider: str) -> Iterator[str]:
        """Yield who is connected, ordered by user id; the index lags a new grant by moments."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="connections",
            KeyConditionExpression="connected_to = :provider",
            ExpressionAttributeValues={":provider": {"S": provider}},
        )
        for page in pages:
            for item in page["Items"]:
                yield item["user_id"]["S"]

    def count(self, provider: str) -> int:
        """Return how many are connected, the refused included."""
        return self._count("connections", "connected_to", provider)

    def count_refused(self, provider: str) -> int:
        """Return of how many the provider refuses the tokens."""
        return self._count("refused", "refused_by", provider)

    def _count(self, index: str, key: str, provider: str) -> int:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=index,
            KeyConditionExpression=f"{key} = :provider",
            ExpressionAttributeValues={":provider": {"S": provider}},
            Select="COUNT",
        )
        return sum(page["Count"] for page in pages)

    def with_secret(self, provider: str) -> Iterator[str]:
        """Yield who has a secret that is not deleted; the list lags a change by up to minutes."""
        beginning = names.user_secret(self._prefix, provider, "")
        pages = self._secretsmanager.get_paginator("list_secrets").paginate(Filters=[{"Key": "name", "Values": [beginning]}])
        for page in pages:
            for secret in page["SecretList"]:
                yield unquote(secret["Name"].removeprefix(beginning).replace("=", "%"))
