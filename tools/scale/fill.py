"""moto's table, filled directly with what sign-ins would have left there. The records are made by the rules that make the real ones."""

import base64
import time
from collections.abc import Mapping
from enum import Enum
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from sandbox.template.intrinsics import REGION
from sandbox.world import Sandbox
from tests.support.authorizations import done
from tests.support.conditions import create, item
from tools.scale.windowed_table import WindowedTable
from tripod import names
from tripod.credentials import AccessToken
from tripod_flow.edges import items
from tripod_flow.edges.secret_writer import SecretWriter, version_of
from tripod_flow.edges.token_sealer import TokenSealer
from tripod_flow.rules import connection, transitions
from tripod_flow.rules.authorization import Authorization, Identity

PROVIDER = "x"
READ = 200  # users whose tokens are really there, to be read; all others' cost the table as much, and are of no use
AGO = 60.0  # seconds since the sign-ins: leases that they had are over
FIRST = 10**18  # a user id; X's have 19 digits at most


class KeptIn(Enum):
    """Where users' tokens are kept, as a consumer secret says it, and as the page names it."""

    SECRETS = "secrets-manager", "Secrets Manager"
    TABLE = "table", "the table"

    @property
    def word(self) -> str:
        return self.value[0]

    @property
    def title(self) -> str:
        return self.value[1]


def user_id(number: int) -> str:
    return str(FIRST + number)


def connections(sandbox: Sandbox, store: KeptIn, count: int) -> None:
    """Connect so many users; the tokens of the first ``READ`` of them can be read. The others are the last of those under other names."""
    _table(sandbox).__class__ = WindowedTable
    writer = SecretWriter(sandbox.client("secretsmanager"), sandbox.prefix)
    sealer = TokenSealer(lambda: sandbox.client("kms"), sandbox.prefix, sandbox.token_key)
    now, attributes = time.time() - AGO, {}
    for number in range(min(count, READ)):
        granted = _granted(number, now, store)
        tokens = granted.user_tokens()
        if store is KeptIn.TABLE:
            made = create(connection.connect(granted, None, sealer.seal(tokens)))
        else:
            writer.store(tokens, expected=False)
            made = create(connection.connect(granted, version_of(tokens)))
        assert made is not None
        attributes = _put(sandbox, item(made))
    for number in range(READ, count):
        named = {
            "pk": names.connection_key(PROVIDER, user_id(number)),
            "user_id": user_id(number),
            "screen_name": f"user_{number}",
        }
        _keep(sandbox, attributes | {name: DynamoType({"S": value}) for name, value in named.items()})


def owed(sandbox: Sandbox, store: KeptIn, first: int, count: int) -> list[str]:
    """Let so many grants be committed of which neither tokens are stored nor events published; return their keys."""
    keys = []
    for number in range(first, first + count):
        granted = _granted(number, time.time() - AGO, store)
        _put(sandbox, item(granted))
        keys.append(granted.pk)
    return keys


def forget_owed(sandbox: Sandbox) -> int:
    """Remove the items that still owe something; return how many there were."""
    items = _table(sandbox).items
    owing = [key for key, one in items.items() if "outbox" in one.attrs]
    for key in owing:
        del items[key]
    return len(owing)


def stored(sandbox: Sandbox) -> int:
    """Return how many connections have their tokens where they are kept, for certain."""
    return sum("stored_grant_id" in one.attrs for one in _table(sandbox).items.values())


def _granted(number: int, now: float, store: KeptIn) -> Authorization:
    """Return a grant that has just been committed."""
    user = Identity(user_id(number), f"user_{number}")
    token = AccessToken(oauth_token=f"{user.user_id}-{number:031}", oauth_token_secret=f"{number:045}", consumer_key="k" * 25)
    begun = transitions.begin(PROVIDER, f"token-{number:021}", "s" * 32, cookie_digest="browser", now=now)
    digests: dict[str, Any] = {"verifier_digest": "v" * 64, "ticket_digest": "t" * 64, "ticket_salt": "s" * 22}
    claim = transitions.claim(begun.pk, cookie_digest="browser", claim_id=f"{number:022}", now=now, **digests)
    held = done(begun, claim)
    return done(held, transitions.grant(held, token, user, store=True, to_seal=store is KeptIn.TABLE, sent_at=now, now=now))


def _table(sandbox: Sandbox) -> Any:
    return dynamodb_backends[sandbox.aws_server.account][REGION].tables[sandbox.table]


def _put(sandbox: Sandbox, attributes: Mapping[str, Any]) -> dict[str, DynamoType]:
    """Put an item, and return its attributes as moto has them."""
    content = {name: DynamoType(_as_sent(value)) for name, value in items.attributes(attributes).items()}
    _keep(sandbox, content)
    return content


def _keep(sandbox: Sandbox, content: dict[str, DynamoType]) -> None:
    made = Item(content["pk"], None, {})
    dict.update(made.attrs, content)  # moto's own way adds up the item's size for each attribute
    _table(sandbox).items[content["pk"]] = made


def _as_sent(value: dict[str, Any]) -> dict[str, Any]:
    """Return an attribute as it comes over HTTP: what is binary in base64."""
    return {"B": base64.b64encode(bytes(value["B"])).decode()} if "B" in value else value
