"""Connections: the users who have granted access, and ending one."""

from collections.abc import Iterator
from dataclasses import dataclass

from tripod import functions, names, process
from tripod.errors import ConsumerNotFound, TokenNotFound, TripodUnavailable


@dataclass(frozen=True, slots=True)
class Connection:
    """The lasting fact that this user of this provider has granted access.

    ``subject`` is the app's own user id, where the authorization was begun for one; ``granted_at`` is in epoch seconds.
    """

    provider: str
    user_id: str
    screen_name: str | None
    subject: str | None
    granted_at: float


def users(provider: str) -> Iterator[Connection]:
    """Iterate the users who are connected at ``provider``, by user id; pages are read as they are needed.

    Raises ``TripodUnavailable`` at the first one where there is no stack of this prefix.
    """
    this = process.this()
    pages = (
        this.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=this.table,
            IndexName="connections",
            KeyConditionExpression="connected_to = :provider",
            ExpressionAttributeValues={":provider": {"S": provider}},
        )
    )
    for page in pages:
        for item in page["Items"]:
            yield Connection(
                provider=provider,
                user_id=item["user_id"]["S"],
                screen_name=item.get("screen_name", {}).get("S"),
                subject=item.get("subject", {}).get("S"),
                granted_at=float(item["granted_at"]["N"]),
            )


def disconnect(provider: str, *, user_id: str) -> None:
    """End a connection: the token is invalidated at the provider, the secret deleted, and this process forgets it.

    Raises ``TokenNotFound`` where nothing is kept for the user, ``ConsumerNotFound`` for an unknown provider, and
    ``TripodUnavailable`` where it could not be done; with ``retry_after`` it is worth another try.
    """
    this = process.this()
    secret = names.user_secret(this.prefix, provider, user_id)
    known = {
        "token_not_found": lambda: TokenNotFound(secret),
        "unknown_provider": lambda: ConsumerNotFound(names.consumer_secret(this.prefix, provider)),
    }
    try:
        answer = functions.invoke("revoke", {"provider": provider, "user_id": user_id}, known)
    finally:
        this.secret_reader.forget_user(provider, user_id)  # whatever happened: reading again costs little, and is right
    if answer.text("outcome") != "revoked":
        raise TripodUnavailable(f"{answer.name} gave an outcome that is unknown: is it of the same version as the layer?")
