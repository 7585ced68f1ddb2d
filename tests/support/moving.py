"""A move in this process, on clients that may die or act in the middle of any call."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.harness import Harness, Killed
from tests.support.sandbox_app import SandboxApp
from tripod_flow.edges.moved_secrets import MovedSecrets
from tripod_flow.edges.roster import Roster
from tripod_flow.edges.secret_writer import SecretWriter
from tripod_flow.edges.table import Table
from tripod_flow.edges.token_sealer import TokenSealer
from tripod_flow.flows.move import Move, Moved, MoveResult
from tripod_flow.flows.token_deletion import TokenDeletion
from tripod_flow.rules import connection


def sign_in(harness: Harness, store: str, then: str = "") -> str:
    """Let the user sign in while the app says where tokens are kept, and return the token."""
    app = harness.app
    app.change_consumer(store=store)
    here = Harness(app, clock=harness.clock)
    here.clock.now += 1
    here.callback(*here.come_back())
    app.change_consumer(store=then or store)
    return valid(app) or ""


def valid(app: SandboxApp) -> str | None:
    """Return the token that the provider takes."""
    return app.sandbox.provider_server.valid_token(app.consumer.key, app.user)


def is_sealed(app: SandboxApp) -> bool:
    return "sealed_tokens" in (app.connection() or {})


@dataclass
class Calls:
    """Counts a move's calls to AWS; ``before`` and ``after`` are told the number and the name of each."""

    before: Callable[[int, str], None] = lambda *_: None
    after: Callable[[int, str], None] = lambda *_: None
    made: list[str] = field(default_factory=list)


class _Client:
    def __init__(self, client: Any, calls: Calls) -> None:
        self._client = client
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name in ("exceptions", "get_paginator", "meta"):
            return found

        def call(**arguments: Any) -> Any:
            self._calls.made.append(name)
            number = len(self._calls.made)
            self._calls.before(number, name)
            try:
                return found(**arguments)
            finally:
                self._calls.after(number, name)

        return call


def move(harness: Harness, calls: Calls | None = None) -> Move:
    """Return a move with the harness's clock, whose calls are ``calls``."""
    sandbox, counted = harness.app.sandbox, calls or Calls()
    secrets, dynamodb, kms = (_Client(sandbox.client(name), counted) for name in ("secretsmanager", "dynamodb", "kms"))
    clients: Any = (secrets, dynamodb)
    table = Table(clients[1], sandbox.table)
    return Move(
        table,
        Roster(clients[1], clients[0], prefix=sandbox.prefix, table=sandbox.table),
        MovedSecrets(clients[0], sandbox.prefix),
        TokenSealer(lambda: kms, sandbox.prefix, sandbox.token_key),
        TokenDeletion(table, SecretWriter(clients[0], sandbox.prefix), harness.clock),
        clock=harness.clock,
        sleep=harness.clock.sleep,
    )


def run(harness: Harness, to: str, calls: Calls | None = None, rate: float = 1e6) -> list[Moved]:
    """Move the app's users ``to`` a store, and return the results."""
    moves = move(harness, calls)
    return list((moves.to_table if to == "table" else moves.to_secrets_manager)(harness.app.name, rate=rate))


def settle(harness: Harness) -> None:
    """Let the relay look at the connection, until it has nothing to look at any more."""
    for _ in range(4):
        harness.clock.now += connection.WRITING + 1
        harness.relay.relay([harness.app.connection_key], lambda: True)


def results(moved: list[Moved]) -> list[MoveResult]:
    return [each.result for each in moved]


def dying(at: int, *, after: bool) -> Calls:
    """Return calls of which the process dies in one, before it is made or before its answer is used."""

    def die(number: int, _: str) -> None:
        if number == at:
            raise Killed

    return Calls(after=die) if after else Calls(before=die)


def acting_at(at: int, act: Callable[[], object], look: Callable[[], None]) -> Calls:
    """Return calls before one of which something else happens; after each there is a look."""

    def before(number: int, _: str) -> None:
        if number == at:
            act()
            look()

    return Calls(before=before, after=lambda *_: look())
