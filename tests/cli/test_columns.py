"""The columns of other programs' files: which field each is."""

from typing import Any

import pytest

from tripod_cli import columns
from tripod_cli.columns import Columns, UnknownColumns
from tripod_flow.edges.token_row import UnfitRow

TOKENS = {"oauth_token": "t", "oauth_token_secret": "s"}
AT_X = Columns({}, may_guess=True, spellings=frozenset({"x", "twitter"}))
ELSEWHERE = Columns({}, may_guess=False, spellings=frozenset({"flickr"}))

FILES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "X's answer": (
        {"oauth_token": "t", "oauth_token_secret": "s", "user_id": "1", "screen_name": "ada"},
        {**TOKENS, "user_id": "1", "screen_name": "ada"},
    ),
    "tweepy": ({"id": "1", "access_token": "t", "access_token_secret": "s"}, {**TOKENS, "user_id": "1"}),
    "tweepy, earlier": ({"user_id": "1", "key": "t", "secret": "s"}, {**TOKENS, "user_id": "1"}),
    "python-twitter": ({"access_token_key": "t", "access_token_secret": "s"}, TOKENS),
    "passport": (
        {"id": "1", "token": "t", "tokenSecret": "s", "username": "ada"},
        {**TOKENS, "user_id": "1", "screen_name": "ada"},
    ),
    "passport, in a user's record": (
        {"_id": "9", "twitterId": "1", "twitterToken": "t", "twitterTokenSecret": "s"},
        {**TOKENS, "user_id": "1"},
    ),
    "allauth, joined": (
        {"id": "5", "uid": "1", "user_id": "9", "token": "t", "token_secret": "s", "provider": "twitter"},
        {**TOKENS, "user_id": "1", "subject": "9"},
    ),
    "Auth.js": (
        {"userId": "9", "provider": "twitter", "providerAccountId": "1", "access_token": "NULL", **TOKENS},
        {**TOKENS, "user_id": "1", "subject": "9"},
    ),
    "OmniAuth": (
        {"provider": "twitter", "uid": "1", "token": "t", "secret": "s", "nickname": "ada"},
        {**TOKENS, "user_id": "1", "screen_name": "ada"},
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_the_columns_of_the_usual_programs_are_known(name: str) -> None:
    row, expected = FILES[name]
    found = AT_X.values(row)
    assert found is not None
    assert {field: value for field, value in found.items() if value is not None} == expected


def test_a_bare_id_may_be_a_rows_number_where_nothing_proves_whose_it_is() -> None:
    row = {"id": "5", "token": "t", "token_secret": "s"}
    assert "user_id" not in (ELSEWHERE.values(row) or {})
    with pytest.raises(UnknownColumns, match="--verify"):
        ELSEWHERE.check(tuple(row))
    assert AT_X.check(tuple(row))["user_id"] == ["id"]


def test_another_providers_row_is_none() -> None:
    row = {"uid": "1", **TOKENS}
    assert ELSEWHERE.values({**row, "provider": "Flickr"})
    assert ELSEWHERE.values({**row, "provider": ""})
    assert ELSEWHERE.values({**row, "provider": "twitter"}) is None


def test_columns_that_contradict_each_other_are_refused_by_name() -> None:
    with pytest.raises(UnfitRow, match="access_token and oauth_token say different") as raised:
        AT_X.values({"access_token": "leaked", "oauth_token": "leaked too", "oauth_token_secret": "s"})
    assert "leaked" not in str(raised.value)


def test_columns_can_be_chosen_also_inside_of_json() -> None:
    chosen = columns.chosen(
        (
            "oauth_token=extra_data.access_token.oauth_token",
            "oauth_token_secret=extra_data.access_token.oauth_token_secret",
            "subject=user_id",
        )
    )
    social_auth = Columns(chosen, may_guess=False, spellings=frozenset({"twitter"}))
    nested = {"access_token": {"oauth_token": "t", "oauth_token_secret": "s"}}
    for extra_data in (nested, str(nested).replace("'", '"')):
        row = {"uid": "1", "user_id": "9", "extra_data": extra_data, "provider": "twitter"}
        assert social_auth.values(row) == {**TOKENS, "user_id": "1", "subject": "9"}
    assert (social_auth.values({"uid": "1", "extra_data": "leaked"}) or {})["oauth_token"] is None


@pytest.mark.parametrize("option", ["oauth_token", "oauth_token=", "token=a", "=a"])
def test_a_choice_names_a_field_and_a_column(option: str) -> None:
    with pytest.raises(ValueError, match="FIELD=COLUMN"):
        columns.chosen((option,))
