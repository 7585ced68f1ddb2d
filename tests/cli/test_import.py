"""``tripod import``: tokens that somebody else has kept, taken once, never over what is newer."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import tripod
from sandbox.provider.faults import ProviderFault
from tests.support.command import Ran, started
from tests.support.command import tripod as run
from tests.support.harness import Harness
from tests.support.reading import reading, revoke, who
from tests.support.sandbox_app import SandboxApp, make_app
from tests.support.token_rows import beside, csv_file, json_lines, row
from tests.support.waiting import eventually
from tripod_cli.commands import transfer
from tripod_flow.edges.token_row import TokenRow
from tripod_flow.flows import importing
from tripod_flow.flows.importing import Import, Plan, ReadRow
from tripod_flow.rules.errors import NotConfigured
from tripod_flow.rules.importing import ImportResult

SUMMARY = -1  # the last line of --json


def imported(app: SandboxApp, path: str, *options: str, typed: str = "") -> Ran:
    return run(app.sandbox, "import", app.name, path, "--rate", "1000", "--no-wait", "--json", *options, typed=typed)


def counts(ran: Ran) -> dict[str, int]:
    """Return how many rows there were of each result that there is."""
    names = ("taken", "already_there", "kept", "disconnected", "skipped", "refused", "failed")
    return {name: ran.rows[SUMMARY][name] for name in names if ran.rows[SUMMARY][name]}


def reasons(ran: Ran) -> list[tuple[int, str, str]]:
    return [(one["line"], one["result"], one["reason"]) for one in ran.rows[:SUMMARY] if "line" in one]


def keys(app: SandboxApp) -> list[str]:
    """Return the keys of the app's items."""
    mine: dict[str, Any] = {
        "ProjectionExpression": "pk",
        "FilterExpression": "contains(pk, :name)",
        "ExpressionAttributeValues": {":name": {"S": f"#{app.name}#"}},
    }
    pages = app.sandbox.client("dynamodb").get_paginator("scan").paginate(TableName=app.sandbox.table, **mine)
    return [item["pk"]["S"] for page in pages for item in page["Items"]]


def test_rows_become_users_who_can_be_read_once_however_often_they_are_imported(app: SandboxApp, tmp_path: Path) -> None:
    rows = [row(str(n), screen_name=f"ada{n}", subject=f"u{n}", labels="a,b", extra='{"realm": "7"}') for n in (1, 2, 3)]
    path = csv_file(tmp_path / "users.csv", rows)
    first = imported(app, path)
    assert (first.exit_code, counts(first)) == (0, {"taken": 3})
    for _ in range(2):  # on their way, and stored
        assert counts(imported(app, path)) == {"already_there": 3}
        app.sweep()
    with reading(app.sandbox):
        tokens = tripod.user_tokens(app.name, user_id="2")
        assert (tokens.oauth_token, tokens.oauth_token_secret, tokens.screen_name) == ("2-t2", "s2", "ada2")
        assert (tokens.consumer_key, tokens.extra) == (app.consumer.key, {"realm": "7"})
        (found,) = tripod.users(app.name, subject="u2")
        assert (found.user_id, found.labels) == ("2", ("a", "b"))
        assert abs(found.granted_at - os.stat(path).st_mtime) < 0.002
    assert app.events() == []
    assert "2-t2" not in first.out + first.err


def test_tokens_for_the_table_are_sealed_before_they_are_written(app: SandboxApp, tmp_path: Path) -> None:
    app.change_consumer(store="table")
    imported(app, json_lines(tmp_path / "users.jsonl", [row("1")]))
    pages = app.sandbox.client("dynamodb").get_paginator("scan").paginate(TableName=app.sandbox.table)
    items = [item for page in pages for item in page["Items"]]
    assert any("pending_tokens" in item for item in items)
    assert "1-t1" not in str(items)
    app.sweep()
    with reading(app.sandbox):
        assert tripod.user_tokens(app.name, user_id="1").oauth_token == "1-t1"


def test_what_is_newer_here_is_kept_and_who_has_disconnected_stays_so(granted: SandboxApp, tmp_path: Path) -> None:
    app, mine = granted, granted.stored()
    assert mine is not None
    user_id = app.user.user_id
    old, new = row(user_id, granted_at="2020-01-01T00:00:00Z"), row(user_id)
    assert counts(imported(app, csv_file(tmp_path / "old.csv", [old]))) == {"kept": 1}
    undated = imported(app, csv_file(tmp_path / "new.csv", [new]))
    assert (counts(undated), reasons(undated)[0][2]) == (
        {"kept": 1},
        "the user is connected here, and nobody says when the row was granted",
    )
    assert app.stored() == mine
    time.sleep(0.01)
    now = str(time.time() - 0.001)
    assert counts(imported(app, str(tmp_path / "new.csv"), "--as-of", now)) == {"taken": 1}
    app.sweep()
    assert (app.stored() or {})["oauth_token"] == f"{user_id}-t{user_id}"
    tripod.disconnect(app.name, user_id=user_id)
    assert counts(imported(app, str(tmp_path / "new.csv"), "--as-of", now)) == {"disconnected": 1}
    assert app.is_deleted()


def test_a_sign_in_while_the_import_is_on_its_way_wins(app: SandboxApp, tmp_path: Path) -> None:
    browser = app.browser()
    back = app.come_back(browser)
    assert counts(imported(app, csv_file(tmp_path / "users.csv", [row(app.user.user_id)]))) == {"taken": 1}
    assert browser.get(back).status_code == 200
    app.sweep()
    assert (app.stored() or {})["oauth_token"] == app.sandbox.provider_server.valid_token(app.consumer.key, app.user)


def test_bad_rows_are_told_by_line_and_reason_and_nothing_of_their_content(app: SandboxApp, tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_text(
        "user_id,token,secret,granted_at,expires_at\n"
        "1,good-token,good-secret,,\n"
        "2,,leak-me,,\n"
        "3,leak-me,leak-me,tomorrow,\n"
        "4,leak-me,leak-me,2999-01-01,\n"
        "5,leak-me,leak-me,,2001-01-01\n"
        '6,"leak-me"x,leak-me,,\n'
        "7,leak-me\n"
        ",leak-me,leak-me,,\n"
        "9,leak\tme,leak-me,,\n"
        "10,good-token,good-secret,,\n",
        encoding="utf-8",
    )
    report = tmp_path / "report.jsonl"
    ran = imported(app, str(path), "--report", str(report))
    assert (ran.exit_code, counts(ran)) == (1, {"taken": 2, "refused": 8})
    assert reasons(ran) == [
        (3, "refused", "it has no oauth_token"),
        (4, "refused", "its granted_at is no time: ISO 8601, or seconds since 1970"),
        (5, "refused", "its granted_at is in the future"),
        (6, "refused", "its token has expired"),
        (7, "refused", "it is no CSV: a quote that is not closed, or not doubled"),
        (8, "refused", "it has fewer fields than the first line"),
        (9, "refused", "it has no user_id"),
        (10, "refused", "its oauth_token is no printable text of 2048 bytes at most"),
    ]
    assert [json.loads(line)["line"] for line in report.read_text().splitlines()] == [3, 4, 5, 6, 7, 8, 9, 10]
    people = run(app.sandbox, "import", app.name, str(path), "--no-wait")
    assert "it has no user_id: line 9" in people.out
    assert "leak" not in ran.out + ran.err + people.out + people.err + report.read_text()


def test_a_token_of_x_says_whose_it_is(app: SandboxApp, tmp_path: Path) -> None:
    at_x = beside(app, provider="x")
    rows = [
        {"id": "", "accessToken": "42-a", "tokenSecret": "s", "provider": "twitter"},
        {"id": "43", "accessToken": "42-a", "tokenSecret": "s", "provider": "twitter"},
        {"id": "44", "accessToken": "a", "tokenSecret": "s", "provider": "twitter"},
        {"id": "45", "accessToken": "45-a", "tokenSecret": "s", "provider": "google"},
    ]
    ran = imported(at_x, csv_file(tmp_path / "users.csv", rows, delimiter=";"), "--dry-run")
    assert counts(ran) == {"taken": 1, "skipped": 1, "refused": 2}
    assert "another user's" in reasons(ran)[0][2]
    assert counts(imported(at_x, str(tmp_path / "users.csv"), "--dry-run")) == counts(ran)  # nothing was written


def test_the_provider_is_asked_about_each_row_and_tells_whose_it_is(checked: SandboxApp, tmp_path: Path) -> None:
    app, mine = beside(checked), checked.stored() or {}
    good = {"oauth_token": mine["oauth_token"], "oauth_token_secret": mine["oauth_token_secret"]}
    path = json_lines(
        tmp_path / "users.jsonl",
        [{**good, "user_id": "1"}, {**good, "user_id": app.user.user_id, "oauth_token_secret": "wrong"}, good],
    )
    ran = imported(app, path, "--verify")
    assert counts(ran) == {"taken": 1, "refused": 2}
    assert reasons(ran)[0][2] == "the provider says that the token is another user's"
    assert "its oauth_token_secret" in reasons(ran)[1][2]
    assert counts(imported(app, path, "--verify"))["already_there"] == 1
    app.sweep()
    with reading(app.sandbox):
        assert who(app, tripod.user_session(app.name, user_id=app.user.user_id)).status_code == 200
    revoke(checked)
    elsewhere = beside(checked)
    gone = imported(elsewhere, json_lines(tmp_path / "one.jsonl", [good]), "--verify")
    assert (counts(gone), reasons(gone)[0][2]) == (
        {"refused": 1},
        "the provider no longer takes its token: token_revoked",
    )
    nobody = imported(make_app(app.sandbox), path, "--verify")
    assert (nobody.exit_code, nobody.out) == (1, "")
    assert "identity_url" in nobody.err


def test_what_is_wrong_with_a_file_or_an_option_is_said_with_what_to_do(app: SandboxApp, tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text("id,token,secret\n1,t,s\n")
    unknown, never = imported(app, str(file)), imported(app, str(file), "--as-of", "2999-01-01")
    assert (unknown.exit_code, never.exit_code, unknown.out) == (2, 2, "")
    assert "--column user_id=COLUMN" in unknown.err
    assert "a time that is past" in never.err
    assert counts(imported(app, str(file), "--column", "user_id=id", "--dry-run")) == {"taken": 1}


def test_standard_input_needs_a_time_and_a_sign_in_only_app_takes_nothing(app: SandboxApp) -> None:
    typed = json.dumps(row("1")) + "\n"
    assert "--as-of" in imported(app, "-", typed=typed).err
    assert counts(imported(app, "-", "--as-of", "2026-01-01", typed=typed)) == {"taken": 1}
    app.change_consumer(store="none")
    nowhere = imported(app, "-", "--as-of", "2026-01-01", typed=typed)
    assert nowhere.exit_code == 1
    assert '"store": "none"' in nowhere.err


@contextmanager
def piped(text: str) -> Iterator[str]:
    """Return the path of a pipe, as a shell's ``<(…)`` makes one."""
    reads, writes = os.pipe()
    os.write(writes, text.encode())
    os.close(writes)
    try:
        yield f"/dev/fd/{reads}"
    finally:
        os.close(reads)


def test_a_pipe_is_read_once_and_has_no_time_either(app: SandboxApp) -> None:
    rows = "".join(json.dumps(row(user_id)) + "\n" for user_id in ("1", "2"))
    with piped(rows) as path:
        assert counts(imported(app, path, "--format", "jsonl", "--as-of", "2026-01-01", "--dry-run")) == {"taken": 2}
    with piped(rows) as path:
        undated = imported(app, path)
    assert (undated.exit_code, "--as-of" in undated.err) == (2, True)


def test_a_provider_that_cannot_answer_now_is_asked_again_and_one_that_refuses_the_app_ends_it(checked: SandboxApp) -> None:
    flows, mine = Harness(checked).flows, checked.stored() or {}
    slept: list[float] = []
    flow = Import(flows.table, flows.consumers, flows.provider_client, flows.token_sealer, sleep=slept.append)
    plan = Plan(as_of=time.time() + 1, is_dated=True, verify=True, writes=False, rate=1000)

    def ask(secret: str, rows: int = 1) -> list[ImportResult]:
        row = TokenRow(user_id=checked.user.user_id, oauth_token=mine["oauth_token"], oauth_token_secret=secret)
        return [each.result for each in flow.run(checked.name, [ReadRow(1, row)] * rows, plan)]

    checked.fault("verify_credentials", ProviderFault.RATE_LIMITED, times=1)
    assert ask(mine["oauth_token_secret"]) == [ImportResult.TAKEN]
    assert max(slept) >= 1
    checked.fault("verify_credentials", ProviderFault.SERVER_ERROR, times=importing.PATIENCE)
    assert ask(mine["oauth_token_secret"]) == [ImportResult.FAILED]
    assert ask("wrong", importing.MOST_UNBELIEVED - 1) == [ImportResult.REFUSED] * (importing.MOST_UNBELIEVED - 1)
    with pytest.raises(NotConfigured, match="refuse the app itself"):
        ask("wrong", importing.MOST_UNBELIEVED)


def test_it_waits_until_the_relay_has_stored_all_and_says_so_where_nothing_moves(
    app: SandboxApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("import", app.name, csv_file(tmp_path / "users.csv", [row("1")]))
    monkeypatch.setattr(transfer, "LOOK", 0.05)
    with monkeypatch.context() as patch:
        patch.setattr(transfer, "STALLED", 0.1)
        stalled = run(app.sandbox, *arguments)
        assert (stalled.exit_code, "1 are not stored yet" in stalled.err) == (1, True)
    relay = threading.Timer(0.3, app.sweep)
    relay.start()
    waited = run(app.sandbox, *arguments)
    assert (waited.exit_code, "1  already there" in waited.out) == (0, True)
    assert (app.item(f"connection#{app.name}#1") or {})["stored_grant_id"]["S"].startswith("import-")
    relay.join()


def test_events_are_published_for_who_asks_for_them(app: SandboxApp, tmp_path: Path) -> None:
    imported(app, csv_file(tmp_path / "users.csv", [row("1")]), "--events")
    app.sweep()
    (event,) = app.events()
    assert (event.detail_type, event.detail["user_id"]) == ("authorization.granted", "1")


def test_an_imported_record_answers_no_browser(app: SandboxApp, tmp_path: Path) -> None:
    imported(app, csv_file(tmp_path / "users.csv", [row("1")]))
    (key,) = [key for key in keys(app) if key.startswith("authorization")]
    token = key.rpartition("#")[2]
    for query in (f"oauth_token={token}&oauth_verifier=v", f"oauth_token={token}", f"denied={token}"):
        answer = app.browser().get(f"{app.sandbox.api}/oauth/{app.name}/callback?{query}")
        assert answer.status_code in (400, 404)
    assert counts(imported(app, str(tmp_path / "users.csv"))) == {"already_there": 1}


def test_an_interrupted_import_goes_on_and_takes_each_row_once(app: SandboxApp, tmp_path: Path) -> None:
    rows, sandbox = 30, app.sandbox
    path, report = csv_file(tmp_path / "users.csv", [row(str(n)) for n in range(1, rows + 1)]), tmp_path / "r"

    taken = before = 0
    for _ in range(2):
        with started(
            sandbox, "import", app.name, path, "--rate", "20", "--no-wait", "--json", "--report", str(report)
        ) as command:
            assert eventually(lambda before=before: len(keys(app)) >= before + 5, seconds=60)  # type: ignore[misc]
            command.send_signal(signal.SIGINT)
            out, err = command.communicate(timeout=60)
        assert (command.returncode, "Traceback" in err, "goes on with the rest" in err) == (130, False, True)
        before = len(keys(app))
        taken += json.loads(out.splitlines()[-1])["taken"]
    last = imported(app, path)
    taken += counts(last)["taken"]
    assert len(keys(app)) == rows
    assert rows - 2 <= taken <= rows  # the row that was being written when a command was interrupted is in, and not counted
    app.sweep()
    with reading(sandbox):
        users = [user.user_id for user in tripod.users(app.name)]
        assert sorted(users, key=int) == [str(n) for n in range(1, rows + 1)]
        for n in (1, 30, rows):
            assert tripod.user_tokens(app.name, user_id=str(n)).oauth_token == f"{n}-t{n}"
