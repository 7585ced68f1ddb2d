"""``tripod export``: into a file that only its owner reads, and with which everything can be imported again."""

import json
import stat
from pathlib import Path

import pytest

import tripod
from tests.support.command import tripod as run
from tests.support.reading import reading
from tests.support.sandbox_app import SandboxApp
from tests.support.token_rows import beside, json_lines, row

USERS = [
    row("1", screen_name='a,"b"', subject="u1", labels=["x", "y"], granted_at="2026-01-02T03:04:05.678Z"),
    row("2", extra={"realm": "7"}, expires_at="2999-01-01T00:00:00Z"),
    row("3", oauth_token="=1+1;@x", oauth_token_secret=""),
]


@pytest.fixture
def filled(app: SandboxApp, tmp_path: Path) -> SandboxApp:
    """Return an app with three users, who were imported."""
    file = json_lines(tmp_path / "filled.jsonl", USERS)
    assert run(app.sandbox, "import", app.name, file, "--rate", "1000", "--no-wait").exit_code == 0
    app.sweep()
    return app


@pytest.mark.parametrize(("form", "store"), [("csv", "table"), ("jsonl", "secrets-manager")])
def test_what_is_exported_is_imported_again_to_the_last_field(filled: SandboxApp, tmp_path: Path, form: str, store: str) -> None:
    sandbox, file, again = filled.sandbox, tmp_path / f"out.{form}", tmp_path / f"again.{form}"
    assert run(sandbox, "export", filled.name, "--to", str(file)).exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    other = beside(filled, store=store)
    assert run(sandbox, "import", other.name, str(file), "--rate", "1000", "--no-wait").exit_code == 0
    other.sweep()
    exported = run(sandbox, "export", other.name, "--to", str(again), "--json")
    assert exported.rows == [{"provider": other.name, "file": str(again), "written": 3, "already": 0, "incomplete": 0}]
    assert again.read_text() == file.read_text()
    with reading(sandbox):
        for name in (filled.name, other.name):
            tokens = [tripod.user_tokens(name, user_id=user_id) for user_id in "123"]
            assert [one.oauth_token for one in tokens] == ["1-t1", "2-t2", "=1+1;@x"]
            assert (tokens[1].expires_at, tokens[1].extra, tokens[2].oauth_token_secret) == (32472144000, {"realm": "7"}, "")
            (first, *_) = tripod.users(name)
            assert (first.subject, first.labels, first.granted_at) == ("u1", ("x", "y"), 1767323045.678)
            assert first.screen_name == 'a,"b"'
    assert "1-t1" not in exported.out + exported.err


def test_an_export_that_was_interrupted_goes_on_and_none_goes_to_the_terminal(filled: SandboxApp, tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"

    def export(*options: str, to: str = str(file)) -> tuple[int, str]:
        ran = run(filled.sandbox, "export", filled.name, "--to", to, *options)
        assert "1-t1" not in ran.out + ran.err
        return ran.exit_code, ran.err

    assert export(to="-") == (2, "tripod: tokens go into a file that only you may read, not to the terminal: --to FILE\n")
    assert export() == (0, "")
    whole = file.read_text()
    assert "--resume" in export()[1]
    first, second, _ = whole.splitlines(keepends=True)
    file.write_text(first + second[:20])  # as one that was killed leaves it
    assert export("--resume") == (0, "")
    assert file.read_text() == whole


def test_users_whose_tokens_cannot_be_read_are_named(filled: SandboxApp, tmp_path: Path) -> None:
    filled.sandbox.client("secretsmanager").delete_secret(SecretId=f"{filled.sandbox.prefix}/user/{filled.name}/2")
    file = tmp_path / "out.jsonl"
    ran = run(filled.sandbox, "export", filled.name, "--to", str(file), "--state", "connected")
    assert (ran.exit_code, [json.loads(line)["user_id"] for line in file.read_text().splitlines()]) == (1, ["1", "3"])
    assert "2: the secret is scheduled for deletion" in ran.err
    server, theirs = filled.sandbox.aws_server, f"/user/{filled.name}/"
    read = len(server.called("secretsmanager", "GetSecretValue", theirs))
    refused = run(filled.sandbox, "export", filled.name, "--to", str(tmp_path / "none.csv"), "--state", "refused")
    assert refused.exit_code == 0
    assert (tmp_path / "none.csv").read_text().count("\n") == 1
    assert len(server.called("secretsmanager", "GetSecretValue", theirs)) == read  # of nobody who is not asked for
