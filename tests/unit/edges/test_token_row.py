"""A row of tokens from elsewhere: what is taken of it, and what is wrong with it, without its content."""

from typing import Any

import pytest

from tripod_flow.edges import token_row
from tripod_flow.edges.token_row import FIELDS, UnfitRow

NOW = 1_800_000_000.0
ROW = {"user_id": "42", "oauth_token": "t", "oauth_token_secret": "s"}
OF_X = {"oauth_token": "42-t", "oauth_token_secret": "s"}


def read(values: dict[str, Any], *, names_user: bool = False) -> token_row.TokenRow:
    return token_row.read(values, names_user=names_user, now=NOW)


def test_all_fields_are_taken_as_csv_and_as_json_have_them() -> None:
    csv = {
        **ROW,
        "screen_name": "ada",
        "consumer_key": "key",
        "subject": "7",
        "labels": '["a", "b"]',
        "granted_at": "2026-01-02T03:04:05.678Z",
        "expires_at": "1900000000",
        "extra": '{"realm": "9"}',
    }
    json = {
        **csv,
        "user_id": 42,
        "subject": 7,
        "labels": ["a", "b"],
        "granted_at": 1767323045678,
        "expires_at": 1.9e9,
        "extra": {"realm": "9"},
    }
    taken = read(csv)
    assert taken == read(json)
    assert csv.keys() == set(FIELDS)
    assert (taken.user_id, taken.subject, taken.labels, taken.extra) == ("42", "7", ("a", "b"), {"realm": "9"})
    assert (taken.granted_at, taken.expires_at, taken.screen_name, taken.consumer_key) == (
        1767323045.678,
        1900000000,
        "ada",
        "key",
    )
    assert read({**ROW, "labels": "a, b"}).labels == ("a", "b")


@pytest.mark.parametrize("nothing", ["", " ", "NULL", "null", "None", "\\N", None])
def test_what_databases_write_for_nothing_is_nothing(nothing: str | None) -> None:
    row = read({**dict.fromkeys(FIELDS, nothing), **ROW})
    assert row == read(ROW)
    with pytest.raises(UnfitRow, match="no oauth_token"):
        read({**ROW, "oauth_token": nothing})


def test_blanks_around_a_token_are_none_of_it() -> None:
    assert read({**ROW, "oauth_token": "\ufeff t \n"}).oauth_token == "t"


def test_a_screen_name_that_cannot_be_shown_costs_nobody_their_tokens() -> None:
    assert read({**ROW, "screen_name": "a\x00"}).screen_name is None
    assert read({**ROW, "screen_name": 257 * "a"}).screen_name is None


def test_a_token_of_x_says_whose_it_is() -> None:
    assert read(OF_X, names_user=True).user_id == "42"
    assert read({**OF_X, "user_id": 42}, names_user=True).user_id == "42"
    assert read(OF_X).user_id is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"user_id": "43"}, "another user's"),
        ({"oauth_token": "leaked"}, "none of X's"),
        ({"oauth_token": "ada-leaked"}, "none of X's"),
        ({"oauth_token": "٤٢-leaked"}, "none of X's"),
        ({"oauth_token_secret": ""}, "no oauth_token_secret"),
    ],
)
def test_what_no_row_of_x_has_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnfitRow, match=reason) as raised:
        read({**OF_X, **changes}, names_user=True)
    assert "leaked" not in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"oauth_token_secret": None}, "no oauth_token_secret"),
        ({"oauth_token_secret": "NULL"}, "no oauth_token_secret"),
        ({"oauth_token": 5}, "oauth_token is no printable"),
        ({"oauth_token": "leaked\x00"}, "oauth_token is no printable"),
        ({"oauth_token": "leaked\udc80"}, "oauth_token is no printable"),
        ({"oauth_token_secret": "leaked\u200b!"}, "oauth_token_secret is no printable"),
        ({"oauth_token": 2049 * "l"}, "2048 bytes"),
        ({"user_id": 4.2e18}, "spreadsheet"),
        ({"user_id": True}, "whole number"),
        ({"user_id": ["leaked"]}, "no text"),
        ({"user_id": "leaked\x07"}, "not printable"),
        ({"user_id": 600 * "l"}, "too long"),
        ({"subject": 257 * "l"}, "subject"),
        ({"subject": "leaked\x1b"}, "subject"),
        ({"consumer_key": ["leaked"]}, "consumer_key"),
        ({"labels": "[leaked"}, "labels is no JSON"),
        ({"labels": [1]}, "labels"),
        ({"labels": ["leaked", "leaked"]}, "labels"),
        ({"labels": "a,b,c,d,e,f"}, "labels"),
        ({"labels": "a,,b"}, "labels"),
        ({"labels": 65 * "l"}, "labels"),
        ({"extra": "leaked"}, "extra is no JSON"),
        ({"extra": {"a": 1}}, "extra"),
        ({"extra": {"a": "leaked\n!"}}, "extra"),
        ({"extra": {str(n): "a" for n in range(11)}}, "extra"),
        ({"granted_at": "Wed Oct 10 20:19:24 +0000 2018"}, "granted_at is no time"),
        ({"extra": {"leaked\x1b[2J": "a"}}, "extra"),
        ({"extra": {"leaked\udc80": "a"}}, "extra"),
        ({"extra": {65 * "l": "a"}}, "extra"),
        ({"extra": {"": "a"}}, "extra"),
        ({"extra": '{"oauth_token": "leaked"}'}, "extra"),
        ({"granted_at": True}, "granted_at is no time"),
        ({"granted_at": 10**400}, "granted_at is no time"),
        ({"expires_at": -(10**400)}, "expires_at is no time"),
        ({"granted_at": NOW + 61}, "future"),
        ({"expires_at": NOW}, "expired"),
    ],
)
def test_what_is_wrong_with_a_row_is_said_without_its_content(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnfitRow, match=reason) as raised:
        read({**ROW, **changes})
    assert "leaked" not in str(raised.value)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2026-01-02T03:04:05Z", 1767323045),
        ("2026-01-02 03:04:05", 1767323045),
        ("2026-01-02T05:04:05+02:00", 1767323045),
        ("2026-01-02", 1767312000),
        ("1767323045.5", 1767323045.5),
        (1767323045, 1767323045),
        ("1767323045000", 1767323045),
        ("0", None),
        ("-5", None),
        (10.0**300, None),
        (float("nan"), None),
        ("soon", None),
        (None, None),
    ],
)
def test_a_time_is_iso_8601_or_a_number(value: object, seconds: float | None) -> None:
    assert token_row.moment(value) == seconds


def test_a_row_hides_its_tokens() -> None:
    assert "secret-of" not in repr(read({**ROW, "oauth_token": "secret-of", "extra": '{"a": "secret-of"}'}))


def test_an_empty_secret_is_one_where_it_is_said() -> None:
    assert read({**ROW, "oauth_token_secret": ""}).oauth_token_secret == ""
