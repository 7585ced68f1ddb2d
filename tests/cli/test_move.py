"""``tripod move``: all tokens to the table and back, with what must be said before and after."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tripod
from tests.support.command import Ran, started
from tests.support.command import tripod as run
from tests.support.reading import reading
from tests.support.sandbox_app import SandboxApp
from tests.support.token_rows import json_lines, row
from tests.support.waiting import eventually
from tripod.credentials import UserTokens
from tripod_flow.edges.token_sealer import TokenSealer

USERS = 8


@pytest.fixture
def filled(app: SandboxApp, tmp_path: Path) -> SandboxApp:
    """Return an app with users, who were imported."""
    file = json_lines(tmp_path / "filled.jsonl", [row(str(number)) for number in range(1, USERS + 1)])
    assert run(app.sandbox, "import", app.name, file, "--rate", "1000", "--no-wait").exit_code == 0
    app.sweep()
    return app


def move(app: SandboxApp, to: str, *options: str, **typed: Any) -> Ran:
    return run(app.sandbox, "move", app.name, "--to", to, "--rate", "1000", "--cached", "0", "--json", *options, **typed)


def store(app: SandboxApp) -> str:
    client = app.sandbox.client("secretsmanager")
    content = json.loads(client.get_secret_value(SecretId=app.consumer_secret_name)["SecretString"])
    assert content["consumer_key"] == app.consumer.key
    return str(content.get("store", "secrets-manager"))


def sealed(app: SandboxApp) -> int:
    items = [app.item(f"connection#{app.name}#{number}") or {} for number in range(1, USERS + 1)]
    return sum("sealed_tokens" in item for item in items)


def test_tokens_are_moved_there_and_back_interrupted_and_resumed(filled: SandboxApp) -> None:
    app, sandbox = filled, filled.sandbox
    looked = move(app, "table", "--dry-run")
    assert (looked.rows[0]["would_move"], store(app), sealed(app)) == (USERS, "secrets-manager", 0)
    assert move(app, "table", typed="n\n").exit_code == 1
    assert store(app) == "secrets-manager"

    arguments = ("move", app.name, "--to", "table", "--rate", "3", "--cached", "2", "--yes", "--json")
    with started(sandbox, *arguments) as command:
        assert eventually(lambda: sealed(app) >= 2, seconds=60)
        command.send_signal(signal.SIGINT)
        out, err = command.communicate(timeout=60)
    assert "seconds, until" in err
    assert (command.returncode, "goes on with the rest" in err, store(app)) == (130, True, "table")
    before = json.loads(out.splitlines()[-1])["moved"]

    moved = move(app, "table", "--yes")
    assert (moved.exit_code, sealed(app)) == (0, USERS)
    assert USERS - 1 <= before + moved.rows[-1]["moved"] <= USERS
    assert move(app, "table").rows[-1]["already_there"] == USERS  # nothing is asked: the secret says it already
    with reading(sandbox):
        assert tripod.user_tokens(app.name, user_id="7").oauth_token == "7-t7"

    app.come_due()
    app.sweep()
    back = move(app, "secrets-manager", "--yes")
    assert (back.exit_code, back.rows[-1]["moved"], sealed(app), store(app)) == (0, USERS, 0, "secrets-manager")
    assert move(app, "secrets-manager").rows[-1]["already_there"] == USERS  # and nothing is asked
    with reading(sandbox):
        assert tripod.user_tokens(app.name, user_id="7").oauth_token == "7-t7"
    app.change_consumer(store="none")
    assert '"store" is "none"' in move(app, "secrets-manager", "--yes").err


def test_a_store_that_others_have_set_while_it_asks_is_left(app: SandboxApp) -> None:
    ran = move(app, "table", typed="y\n", meanwhile=lambda: app.change_consumer(store="none"))
    assert (ran.exit_code, store(app)) == (1, "none")
    assert 'says "none" now, and said "secrets-manager"' in ran.err


def test_nothing_is_changed_where_the_key_seals_nothing(app: SandboxApp) -> None:
    app.sandbox.aws_server.fault("kms", "Encrypt", "denied")
    denied = move(app, "table", "--yes")
    assert (denied.exit_code, store(app)) == (3, "secrets-manager")
    assert "may not do this: Encrypt" in denied.err
    key = app.sandbox.client("kms")
    key_id = key.list_keys()["Keys"][0]["KeyId"]
    key.disable_key(KeyId=key_id)
    try:
        disabled = move(app, "table", "--yes")
    finally:
        key.enable_key(KeyId=key_id)
    assert (disabled.exit_code, store(app)) == (3, "secrets-manager")
    assert "nothing is changed" in disabled.err
    assert "DisabledException" in disabled.err


def interrupted_at(last: str) -> Callable[[TokenSealer, str, str, bytes], UserTokens]:
    """Return the sealer's ``open``, while which the operator interrupts at a user."""
    opened = TokenSealer.open

    def open_(self: TokenSealer, provider: str, user_id: str, sealed: bytes) -> UserTokens:
        if user_id == last:
            raise KeyboardInterrupt
        return opened(self, provider, user_id, sealed)

    return open_


def test_who_cannot_be_moved_is_named_and_the_secret_says_that_readers_look_into_both(
    filled: SandboxApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert move(filled, "table", "--yes").exit_code == 0
    filled.come_due()
    filled.sweep()
    for user_id in ("3", "5"):
        filled.sandbox.client("dynamodb").update_item(
            TableName=filled.sandbox.table,
            Key={"pk": {"S": f"connection#{filled.name}#{user_id}"}},
            UpdateExpression="SET sealed_tokens = :wrong",
            ExpressionAttributeValues={":wrong": {"B": b"wrong"}},
        )
    ran = move(filled, "secrets-manager", "--yes")
    assert (ran.exit_code, ran.rows[-1]["failed"], ran.rows[-1]["moved"]) == (1, 2, USERS - 2)
    reason = "what is sealed is malformed: what is sealed can't be opened"
    named = [{"user_id": user_id, "result": "failed", "reason": reason} for user_id in ("3", "5")]
    assert sorted(ran.rows[:2], key=lambda one: one["user_id"]) == named
    assert store(filled) == "moving"

    monkeypatch.setattr(TokenSealer, "open", interrupted_at("5"))
    stopped = move(filled, "secrets-manager", "--yes")
    assert (stopped.exit_code, stopped.rows[-1]["failed"], stopped.rows[-1]["already_there"]) == (130, 1, 3)
    monkeypatch.undo()

    monkeypatch.setattr("tripod_cli.commands.move.SHOWN", 1)
    told = run(filled.sandbox, "move", filled.name, "--to", "secrets-manager", "--rate", "1000", "--cached", "0", "--yes")
    assert (told.exit_code, told.err.count(reason), told.err.count("and others, whom --json lists")) == (1, 1, 1)
