"""A stack in memory, and the AWS clients by which the layer reaches it, for ``tripod.testing``. It needs neither boto3 nor an account.

The clients have what the layer calls of boto3's and raise as those do, so that the layer's own code runs above them.
"""

import io
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from tripod import challenges, names
from tripod.credentials import Consumer, UserTokens

TICKET_LIFETIME = 300  # seconds from the sign-in, as the functions have it
TICKET_REPEAT = 60  # seconds in which a redemption is repeated, likewise
MAX_USER_ID = 512  # bytes, likewise

Item = Mapping[str, Mapping[str, Any]]  # as DynamoDB's client has it


class ClientError(Exception):
    """What AWS refuses, as botocore's ``ClientError``."""

    def __init__(self, message: str = "") -> None:
        name = type(self).__name__
        super().__init__(f"{name}: {message}")
        self.response = {"Error": {"Code": name, "Message": message}}


class ResourceNotFoundException(ClientError):
    """There is no such secret or function."""


class InvalidRequestException(ClientError):
    """The secret is scheduled for deletion."""


class ParameterNotFound(ClientError):
    """There is no such parameter."""


_EXCEPTIONS = SimpleNamespace(
    ClientError=ClientError,
    ResourceNotFoundException=ResourceNotFoundException,
    InvalidRequestException=InvalidRequestException,
    ParameterNotFound=ParameterNotFound,
)


@dataclass
class _Ticket:
    """A ticket that was handed out: its challenge, and what redeeming it proves. Times in epoch seconds."""

    challenge: str
    sign_in: Mapping[str, str | None]
    issued_at: float
    redeemed_at: float | None = None


class FakeStack:
    """What a deployed Tripod keeps, in memory: secrets, connections and tickets. Thread-safe."""

    def __init__(self, prefix: str, consumers: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep a consumer secret of each provider, by its content. Raises ValueError where that is no consumer secret's."""
        self.prefix = prefix
        self.consumers = {name: Consumer.from_json(json.dumps(content), name) for name, content in consumers.items()}
        self._secrets = {names.consumer_secret(prefix, name): json.dumps(content) for name, content in consumers.items()}
        self._deleted: set[str] = set()
        self._connections: dict[tuple[str, str], Item] = {}
        self._tickets: dict[str, _Ticket] = {}
        self._refused: set[str] = set()  # access tokens that the providers no longer accept
        self._problems: dict[str, Mapping[str, Any]] = {}  # of a function, for its next invocation
        self._count = 0
        self._lock = threading.RLock()

    def client(self, service: str) -> Any:
        """Return the client for one of the services that the layer calls."""
        return {"secretsmanager": _SecretsManager, "dynamodb": _DynamoDb, "ssm": _Ssm, "lambda": _Lambda}[service](self)

    def sign_in(
        self,
        provider: str,
        user_id: str,
        *,
        screen_name: str | None,
        subject: str | None,
        labels: Sequence[str],
        expires_at: int | None,
        extra: Mapping[str, str],
    ) -> None:
        """Store tokens of a user's that are new, in place of those before. A subject or labels stay where there are no others."""
        with self._lock:
            before = self._connections.get((provider, user_id), {})
            subject = subject or before.get("subject", {}).get("S")
            labels = labels or [label["S"] for label in before.get("labels", {}).get("L", [])]
            self._refuse(provider, user_id)
            tokens = UserTokens(
                provider=provider,
                user_id=user_id,
                screen_name=screen_name,
                oauth_token=self.new("access-token"),
                oauth_token_secret=self.new("access-token-secret"),
                consumer_key=self.consumers[provider].consumer_key,
                expires_at=expires_at,
                extra=extra,
            )
            secret = names.user_secret(self.prefix, provider, user_id)
            self._secrets[secret] = tokens.to_json()
            self._deleted.discard(secret)
            item: dict[str, Mapping[str, Any]] = {
                "connected_to": {"S": provider},
                "user_id": {"S": user_id},
                "granted_at": {"N": str(time.time())},
                "extra": {"M": {name: {"S": value} for name, value in extra.items()}},
            }
            item |= {name: {"S": text} for name, text in (("screen_name", screen_name), ("subject", subject)) if text}
            item |= {"subject_of": {"S": names.subject_key(provider, subject)}} if subject else {}
            item |= {"labels": {"L": [{"S": label} for label in labels]}} if labels else {}
            item |= {"token_expires_at": {"N": str(expires_at)}} if expires_at is not None else {}
            self._connections[provider, user_id] = item

    def revoke(self, provider: str, user_id: str) -> None:
        """Let the provider refuse a user's tokens, which stay where they are. Raises LookupError."""
        with self._lock:
            self._connection(provider, user_id)
            self._refuse(provider, user_id)

    def is_refused(self, token: str) -> bool:
        """Return True for an access token that its provider no longer accepts."""
        with self._lock:
            return token in self._refused

    def ticket(self, provider: str, user_id: str, *, challenge: str, return_to: str | None) -> str:
        """Return a ticket of a user who has just signed in. Raises LookupError."""
        with self._lock:
            item = self._connection(provider, user_id)
            told = {name: item.get(name, {}).get("S") for name in ("screen_name", "subject")}
            sign_in = {"provider": provider, "user_id": user_id, **told, "return_to": return_to}
            ticket = f"{provider}.{self.new('request-token')}.{secrets.token_urlsafe(32)}"
            self._tickets[ticket] = _Ticket(challenge, sign_in, time.time())
            return ticket

    def fail(self, function: str, problem: Mapping[str, Any]) -> None:
        """Let the next invocation of a function answer this problem."""
        with self._lock:
            self._problems[function] = problem

    def new(self, kind: str) -> str:
        """Return a text that nothing else of this stack is, such as ``access-token-3``."""
        with self._lock:
            self._count += 1
            return f"{kind}-{self._count}"

    def secret(self, name: str) -> str:
        """Return a secret's content. Raises as Secrets Manager's client."""
        with self._lock:
            if name in self._deleted:
                raise InvalidRequestException("the secret was marked for deletion")
            if name not in self._secrets:
                raise ResourceNotFoundException("there is no such secret")
            return self._secrets[name]

    def items(self) -> list[Item]:
        """Return the connections' items, ordered by user id as a string."""
        with self._lock:
            return sorted(self._connections.values(), key=lambda item: str(item["user_id"]["S"]).encode())

    def invoke(self, function: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a function's answer. Raises as Lambda's client."""
        functions: Mapping[str, Callable[..., Mapping[str, Any]]] = {
            "redeem": self._redeem,
            "disconnect": self._disconnect,
            "check": self._check,
        }
        name = {"revoke": "disconnect"}.get(function, function)
        if name not in functions:
            raise ResourceNotFoundException("there is no such function")
        with self._lock:
            if event.get("reported") and name in self._problems:  # nobody reads what a report is answered
                return self._problems[name]
            return self._problems.pop(name, None) or functions[name](**event)

    def _redeem(self, ticket: str, secret: str) -> Mapping[str, Any]:
        found, now = self._tickets.get(ticket), time.time()
        if found is None or not secret.isprintable():
            return {"code": "ticket_rejected"}
        provider, return_to = str(found.sign_in["provider"]), found.sign_in["return_to"] or ""
        if challenges.challenge(secret, provider=provider, return_to=return_to) != found.challenge:
            return {"code": "ticket_rejected"}
        since, lasts = (found.issued_at, TICKET_LIFETIME) if found.redeemed_at is None else (found.redeemed_at, TICKET_REPEAT)
        if since + lasts <= now:
            return {"code": "ticket_rejected"}
        found.redeemed_at = found.redeemed_at or now
        return found.sign_in

    def _disconnect(self, provider: str, user_id: str) -> Mapping[str, Any]:
        if problem := self._problem_with(provider, user_id):
            return {"code": problem}
        self._refuse(provider, user_id)
        del self._connections[provider, user_id]
        self._deleted.add(names.user_secret(self.prefix, provider, user_id))
        return {"outcome": "revoked", "provider": provider, "user_id": user_id, "invalidated": True}

    def _check(self, provider: str, user_id: str, *, reported: bool = False) -> Mapping[str, Any]:  # noqa: ARG002  # each is made at once
        if problem := self._problem_with(provider, user_id):
            return {"code": problem}
        now, item = time.time(), dict(self._connections[provider, user_id])
        refused_at = item.get("refused_at", {"N": str(now)})
        cause = "token_revoked" if self._token(provider, user_id) in self._refused else None
        if "token_expires_at" in item and float(item["token_expires_at"]["N"]) <= now:
            cause = "token_expired"
        for name in ("refused_by", "refused_at", "cause"):
            item.pop(name, None)
        item["checked_at"] = {"N": str(now)}
        if cause is not None:
            item |= {"refused_by": {"S": provider}, "refused_at": refused_at, "cause": {"S": cause}}
        self._connections[provider, user_id] = item
        state = "connected" if cause is None else "refused"
        return {"provider": provider, "user_id": user_id, "state": state, "cause": cause, "checked_at": now}

    def _problem_with(self, provider: str, user_id: str) -> str | None:
        """Return the code of what a function says of a user who is not connected; None for one who is."""
        if not user_id.isprintable() or not 0 < len(user_id.encode()) <= MAX_USER_ID:
            return "bad_request"
        if provider not in self.consumers:
            return "unknown_provider"
        return None if (provider, user_id) in self._connections else "token_not_found"

    def _connection(self, provider: str, user_id: str) -> Item:
        if (provider, user_id) not in self._connections:
            raise LookupError(f"no user {user_id!r} of {provider} is connected: sign them in first")
        return self._connections[provider, user_id]

    def _refuse(self, provider: str, user_id: str) -> None:
        if (provider, user_id) in self._connections:
            self._refused.add(self._token(provider, user_id))

    def _token(self, provider: str, user_id: str) -> str:
        return UserTokens.from_json(self._secrets[names.user_secret(self.prefix, provider, user_id)]).oauth_token


class _FakeClient:
    exceptions = _EXCEPTIONS

    def __init__(self, stack: FakeStack) -> None:
        self._stack = stack


class _SecretsManager(_FakeClient):
    def get_secret_value(self, *, SecretId: str) -> dict[str, Any]:
        return {"SecretString": self._stack.secret(SecretId)}

    def describe_secret(self, *, SecretId: str) -> dict[str, Any]:
        self._stack.secret(SecretId)
        return {"Name": SecretId}


class _DynamoDb(_FakeClient):
    def get_paginator(self, _operation: str) -> "_DynamoDb":
        return self

    def paginate(self, *, KeyConditionExpression: str, ExpressionAttributeValues: Item, **_: str) -> Iterator[dict[str, Any]]:
        """Yield the one page of a query by a key of an index, ``name = :value``."""
        name, _equals, value = KeyConditionExpression.split()
        yield {"Items": [item for item in self._stack.items() if item.get(name) == ExpressionAttributeValues[value]]}


class _Ssm(_FakeClient):
    def get_parameter(self, *, Name: str) -> dict[str, Any]:
        if Name != f"/{self._stack.prefix}/table":
            raise ParameterNotFound("there is no such parameter")
        return {"Parameter": {"Value": f"{self._stack.prefix}-in-memory"}}


class _Lambda(_FakeClient):
    def invoke(self, *, FunctionName: str, Payload: bytes, InvocationType: str = "RequestResponse") -> dict[str, Any]:
        answer = self._stack.invoke(FunctionName.removeprefix(f"{self._stack.prefix}-"), json.loads(Payload))
        if InvocationType == "Event":
            return {"StatusCode": 202, "Payload": io.BytesIO()}
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(answer).encode())}
