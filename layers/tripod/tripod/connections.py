"""Connections: list the users who have granted access, and disconnect one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

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
        state: ``"connected"``, or ``"refused"``: the provider has said that it no longer takes the tokens, and the user must sign
            in again.
        cause: why they are refused, such as ``"token_revoked"``, ``"permissions"`` or ``"token_expired"`` (docs/connections.md).
        refused_at: since when that is known, in epoch seconds.
        checked_at: when the provider was last asked and gave a clear answer, in epoch seconds; None: not since the grant.
        labels: the app's own, given when the authorization was begun directly.
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
    state: str = "connected"
    cause: str | None = None
    refused_at: float | None = None
    checked_at: float | None = None
    labels: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Checked:
    """What ``check`` has found.

    Attributes:
        state: ``"connected"``; ``"refused"``; or ``"unknown"``: the provider said nothing that would prove either.
        cause: why the tokens are refused, as in ``Connection``.
        checked_at: when the provider was asked, in epoch seconds; None where the state is unknown.

    >>> check("x", user_id="2244994945").state
    'connected'
    """

    state: str
    cause: str | None = None
    checked_at: float | None = None


def users(provider: str, *, state: str | None = None, subject: str | None = None) -> Iterator[Connection]:
    """Iterate over the users who have granted access at a provider.

    Args:
        provider: the name in the consumer secret ``{prefix}/consumer/{provider}``, such as ``"x"``.
        state: ``"connected"`` or ``"refused"``: only those; None: both.
        subject: the app's own id of a user: only the connections that were begun for it.

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
    >>> list(users("x", state="refused"))
    []
    """
    if state not in (None, "connected", "refused"):
        raise ValueError('state must be "connected" or "refused"')
    this, nobody = process.this(), subject is None and state is None
    secret = _consumer_secret(this, provider)
    query = this.client("dynamodb").get_paginator("query")
    pages = iter(query.paginate(TableName=this.table, **_asked(provider, state, subject)))
    while True:
        with process.in_reach("DynamoDB"):
            page = next(pages, None)
        if page is None:
            break
        for item in page["Items"]:
            nobody = False
            found = _connection(provider, item)
            if state in (None, found.state):
                yield found
    if nobody:
        _look_for(this, secret)


def check(provider: str, *, user_id: str | int) -> Checked:
    """Ask the provider whether it still takes a user's tokens, and record what it says.

    ``user_session`` has this done when a request is refused; Tripod publishes ``connection.refused`` or ``connection.restored`` when
    the state changes. A connection that was checked within the last minute is not asked about again: what was found is returned.

    Args:
        provider: the name in the consumer secret ``{prefix}/consumer/{provider}``, such as ``"x"``.
        user_id: the provider's id of the user, as ``users`` lists it, or as an integer; X's are decimal digits.

    Returns:
        What was found. It is ``"unknown"`` at a provider that can't be asked whose a token is (docs/providers.md).

    Raises:
        TokenNotFound: the user is not connected.
        ConsumerNotFound: there is no consumer secret of this name under this prefix.
        TripodUnavailable: the provider can't be reached (``provider_unavailable``), or Tripod could not do it; try again, after
            ``retry_after`` seconds where that is set. Or there is no stack of this prefix (``not_configured``).

    Needs the managed policy ``CheckUsers``, ``ReadTokens`` or ``ReadTokensOfOneProvider``.

    >>> check("x", user_id="2244994945").state
    'connected'
    """
    response = _invoke("check", provider, names.user_id_text(user_id))
    checked_at = response.content.get("checked_at")
    if not isinstance(checked_at, int | float | None):
        raise TripodUnavailable(f"{response.name} gave an answer that can't be read: is it of the same version as the layer?")
    return Checked(response.text("state"), response.text_or_none("cause"), checked_at)


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
    text = names.user_id_text(user_id)
    try:
        response = _invoke("revoke", provider, text)
    finally:
        process.this().secret_reader.forget_user(provider, text)  # after a failure too: the tokens may be invalid by now
    if response.text("outcome") != "revoked":
        raise TripodUnavailable(f"{response.name} gave an outcome that is unknown: is it of the same version as the layer?")


def _invoke(function: str, provider: str, user_id: str) -> functions.FunctionResponse:
    """Invoke a function about one user, and return its response."""
    this = process.this()
    secret, consumer_secret = names.user_secret(this.prefix, provider, user_id), _consumer_secret(this, provider)
    errors = {"token_not_found": lambda: TokenNotFound(secret), "unknown_provider": lambda: ConsumerNotFound(consumer_secret)}
    return functions.invoke(function, {"provider": provider, "user_id": user_id}, errors)


def _asked(provider: str, state: str | None, subject: str | None) -> dict[str, Any]:
    """Return the arguments of the query that finds the connections."""
    index, key, value = "connections", "connected_to", provider
    if subject is not None:
        index, key, value = "subjects", "subject_of", names.subject_key(provider, subject)
    elif state == "refused":
        index, key, value = "refused", "refused_by", provider
    return {
        "IndexName": index,
        "KeyConditionExpression": f"{key} = :value",
        "ExpressionAttributeValues": {":value": {"S": value}},
    }


def _connection(provider: str, item: Mapping[str, Any]) -> Connection:
    is_refused = "refused_by" in item
    return Connection(
        provider=provider,
        user_id=item["user_id"]["S"],
        screen_name=item.get("screen_name", {}).get("S"),
        subject=item.get("subject", {}).get("S"),
        granted_at=float(item["granted_at"]["N"]),
        expires_at=int(item["token_expires_at"]["N"]) if "token_expires_at" in item else None,
        state="refused" if is_refused else "connected",
        cause=item["cause"]["S"] if is_refused else None,
        refused_at=float(item["refused_at"]["N"]) if is_refused else None,
        checked_at=float(item["checked_at"]["N"]) if "checked_at" in item else None,
        labels=tuple(label["S"] for label in item.get("labels", {}).get("L", [])),
        extra={name: value["S"] for name, value in item.get("extra", {}).get("M", {}).items()},
    )


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
