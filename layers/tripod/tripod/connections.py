"""Connections: list the users who have granted access, and disconnect one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tripod import functions, names, process
from tripod.errors import ConsumerNotFound, TokenNotFound, TripodUnavailable
from tripod.process import Process


@dataclass(frozen=True, slots=True)
class Connection:
    """A user who has granted access, as ``users`` lists them.

    Attributes:
        provider: the provider's name, such as ``"x"``.
        user_id: the provider's id of the user; X's are decimal digits.
        screen_name: the user's name at the provider at the time of the grant; None where the provider gave none.
        subject: the app's own id of the user; None where the authorization was not begun for one.
        granted_at: when the newest grant was made, in epoch seconds.
        expires_at: when its tokens end, in epoch seconds; None where the provider sets no end, as X.
        extra: further fields of the provider's answers, as text, where its definition keeps any (docs/providers.md).

    >>> next(users("x")).user_id
    '2244994945'
    """

    provider: str
    user_id: str
    screen_name: str | None
    subject: str | None
    granted_at: float
    expires_at: int | None = None
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)


def users(provider: str) -> Iterator[Connection]:
    """Iterate over the users who are connected at a provider.

    Args:
        provider: the name in the consumer secret ``{prefix}/consumer/{provider}``, such as ``"x"``.

    Yields:
        Connections, ordered by user id as a string. Each page (1 MB at most) is read from DynamoDB when it is needed, from
        an index that lags a new grant by moments.

    Raises:
        ConsumerNotFound: nobody is connected, because there is no consumer secret of this name under this prefix.
        TripodUnavailable: there is no stack of this prefix (``not_configured``). Both are raised at the first user, not by the
            call.

    Needs the managed policy ``ListUsers``.

    >>> [user.screen_name for user in users("x")]
    ['ada']
    """
    this, nobody = process.this(), True
    secret = _consumer_secret(this, provider)
    query = this.client("dynamodb").get_paginator("query")
    pages = iter(
        query.paginate(
            TableName=this.table,
            IndexName="connections",
            KeyConditionExpression="connected_to = :provider",
            ExpressionAttributeValues={":provider": {"S": provider}},
        )
    )
    while True:
        with process.in_reach("DynamoDB"):
            page = next(pages, None)
        if page is None:
            break
        for item in page["Items"]:
            nobody = False
            yield Connection(
                provider=provider,
                user_id=item["user_id"]["S"],
                screen_name=item.get("screen_name", {}).get("S"),
                subject=item.get("subject", {}).get("S"),
                granted_at=float(item["granted_at"]["N"]),
                expires_at=int(item["token_expires_at"]["N"]) if "token_expires_at" in item else None,
                extra={name: value["S"] for name, value in item.get("extra", {}).get("M", {}).items()},
            )
    if nobody:
        _look_for(this, secret)


def disconnect(provider: str, *, user_id: str | int) -> None:
    """Disconnect a user: end the connection, delete the secret, and have the provider invalidate the token.

    The user is disconnected whatever the provider does; one that can't be reached is asked again for a day.

    This process drops the tokens from its cache at once; in another they stay for five minutes at most. Tripod publishes the
    event ``connection.revoked``.

    Args:
        provider: the name in the consumer secret ``{prefix}/consumer/{provider}``, such as ``"x"``.
        user_id: the provider's id of the user, as ``users`` lists it, or as an integer; X's are decimal digits.

    Raises:
        TokenNotFound: the user is not connected.
        ConsumerNotFound: there is no consumer secret of this name under this prefix.
        TripodUnavailable: the user may still be connected; try again, after ``retry_after`` seconds where that is set. Or there
            is no stack of this prefix (``not_configured``).

    Needs the managed policy ``DisconnectUsers``.

    >>> disconnect("x", user_id="2244994945")
    >>> disconnect("x", user_id="2244994945")
    Traceback (most recent call last):
        ...
    tripod.errors.TokenNotFound: there is no secret tripod/user/x/2244994945: the user has not granted access
    """
    this, text = process.this(), names.user_id_text(user_id)
    secret, consumer_secret = names.user_secret(this.prefix, provider, text), _consumer_secret(this, provider)
    errors = {"token_not_found": lambda: TokenNotFound(secret), "unknown_provider": lambda: ConsumerNotFound(consumer_secret)}
    try:
        response = functions.invoke("revoke", {"provider": provider, "user_id": text}, errors)
    finally:
        this.secret_reader.forget_user(provider, text)  # after a failure too: the tokens may be invalid by now
    if response.text("outcome") != "revoked":
        raise TripodUnavailable(f"{response.name} gave an outcome that is unknown: is it of the same version as the layer?")


def _consumer_secret(this: Process, provider: str) -> str:
    """Return the name of the consumer secret of ``provider``. Raises ConsumerNotFound where no provider has such a name."""
    secret = names.consumer_secret(this.prefix, provider)
    if not names.is_provider(provider):
        raise ConsumerNotFound(secret)
    return secret


def _look_for(this: Process, secret: str) -> None:
    """Raise ConsumerNotFound where there is no consumer secret of this name. A role that may not look is told nothing."""
    client = this.client("secretsmanager")
    try:
        with process.in_reach("Secrets Manager"):
            described = client.describe_secret(SecretId=secret)
    except client.exceptions.ResourceNotFoundException:
        raise ConsumerNotFound(secret) from None
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
    else:
        if "DeletedDate" in described:
            raise ConsumerNotFound(secret)
