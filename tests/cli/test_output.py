"""What people see of a table, at terminals of any width."""

from typing import Any

import pytest
from rich.text import Text

from tripod_cli.output import Output, moment

ROWS: list[dict[str, Any]] = [
    {"user_id": "1", "name": "ada", "state": None, "labels": []},
    {"user_id": "22", "name": "gr[b]ace", "state": None, "labels": ["beta", "trial"]},
]
COLUMNS = ("user_id", "name", "state")


def shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int, rows: list[dict[str, Any]]
) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    Output().rows(COLUMNS, rows, empty="nobody", prose="labels")
    return capsys.readouterr().out.splitlines()


def test_a_column_without_a_value_is_left_out(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(capsys, monkeypatch, 80, ROWS) == [
        "user id  name      labels",
        "1        ada       –",
        "22       gr[b]ace  beta, trial",
    ]


def test_prose_is_below_its_row_where_there_is_no_room(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [line.rstrip() for line in shown(capsys, monkeypatch, 20, ROWS)]
    assert told == ["user id  name", "1        ada", "22       gr[b]ace", "  beta, trial"]


def test_no_value_is_broken(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    told = [line.rstrip() for line in shown(capsys, monkeypatch, 16, ROWS)]
    assert told[:5] == ["user id  1", "name     ada", "", "user id  22", "name     gr[b]ac"]


def test_a_terminal_obeys_nothing_that_others_have_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = {"user_id": "1\x1b[2J", "name": "a\nb\u202e\x9b", "labels": ["\r\x07"]}
    told = shown(capsys, monkeypatch, 80, [hostile])
    assert told[1] == "1�[2J    a�b��  ��"
    Output().fields({"name": hostile["name"]})
    assert capsys.readouterr().out.strip() == "name  a�b��"


LONG = "https://abcde12345.execute-api.eu-central-1.amazonaws.com/oauth/x/callback"


def test_a_pipe_breaks_no_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    Output().rows(("user_id",), [{"user_id": "1", "labels": [LONG, LONG]}], empty="nobody", prose="labels")
    Output().line(f"{LONG} {LONG}")
    Output().fields({"name": "ada", "callback_url": LONG})
    assert capsys.readouterr().out.splitlines() == [
        "user id  labels",
        f"1        {LONG}, {LONG}",
        f"{LONG} {LONG}",
        "name          ada",
        f"callback URL  {LONG}",
    ]


def test_doctor_has_every_character_of_what_is_to_be_copied_at_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    Output().entry(Text("wrong  "), Text(f"callback URL: {LONG}"), f"Register {LONG}")
    told = "".join(line.strip() for line in capsys.readouterr().out.splitlines())
    assert told.count(LONG) == 2


@pytest.mark.parametrize("beyond", [253_402_300_800, 1_800_000_000_000_000, 10**30, -(10**15)])
def test_a_time_that_no_calendar_has_is_shown_as_its_number(beyond: int) -> None:
    assert moment(1_800_000_000) == "2027-01-15T08:00:00Z"
    assert moment(beyond) == str(beyond)
