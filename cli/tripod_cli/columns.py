"""Which column of somebody else's file is which field of ours: by the names that X, its libraries and web frameworks use.

docs/importing.md has the list. Names are compared without case, blanks, hyphens and underscores, and without "twitter" before them.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from tripod_flow.edges.token_row import FIELDS, UnfitRow, is_missing

# A user's id that only the provider can have given; beside one of these, "user_id" is the app's own.
_CERTAIN_IDS = (
    *("uid", "provideruid", "provideruserid", "provideraccountid"),
    *("twitterid", "twitteruid", "twitteruserid", "xid", "xuserid"),
)
_NAMES: dict[str, tuple[str, ...]] = {
    "user_id": ("userid", *_CERTAIN_IDS),
    "screen_name": ("screenname", "username", "nickname", "handle", "login"),
    "oauth_token": ("oauthtoken", "accesstoken", "token", "accesstokenkey"),
    "oauth_token_secret": ("oauthtokensecret", "accesstokensecret", "tokensecret", "secret", "accesssecret"),
    "consumer_key": ("consumerkey", "apikey", "appkey"),
    "subject": ("subject",),
    "labels": ("labels",),
    "granted_at": ("grantedat", "createdat"),
    "expires_at": ("expiresat",),
    "extra": ("extra",),
    "provider": ("provider",),
}
# Taken where there is no other column for the field; an "id" may be a row's number, so only where something proves it.
_WEAK = {"user_id": ("id",), "oauth_token": ("key",)}


class UnknownColumns(Exception):
    """The file's columns don't say what is needed; the text says what to do."""


class Columns:
    """Reads rows; ``chosen`` says for fields which column they are, in JSON also a path with dots.

    ``may_guess``: a column "id" may be taken for the user's, since the token or the provider proves it. ``spellings`` are how the column
    "provider" may call this one.
    """

    def __init__(self, chosen: Mapping[str, str], *, may_guess: bool, spellings: frozenset[str]) -> None:
        self._chosen = chosen
        self._may_guess = may_guess
        self._spellings = spellings
        self._columns = lru_cache(64)(self._found)

    def values(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return a row by our names; None: it is another provider's. Raises ``UnfitRow`` where two columns contradict each other."""
        found = {name: at(row, path) for name, path in self._chosen.items()}
        for field, columns in self._columns(tuple(row)).items():
            if field not in found:
                found[field] = _agreed(row, columns)
        provider = found.pop("provider", None)
        if not is_missing(provider) and str(provider).casefold() not in self._spellings:
            return None
        return found

    def check(self, names: tuple[str, ...]) -> dict[str, list[str]]:
        """Return the columns of each field; raises ``UnknownColumns`` where what every row needs is missing."""
        columns = {**self._columns(names), **{field: [path] for field, path in self._chosen.items()}}
        missing = [field for field in ("oauth_token", "oauth_token_secret") if field not in columns]
        if missing:
            raise UnknownColumns(
                f"no column is known for {' and '.join(missing)}: name it, as in --column {missing[0]}=COLUMN. Known names: "
                "docs/importing.md"
            )
        if "user_id" not in columns and not self._may_guess:
            raise UnknownColumns(
                "no column is known for user_id: name it, as in --column user_id=COLUMN, or have the provider asked with --verify"
            )
        return columns

    def _found(self, names: tuple[str, ...]) -> dict[str, list[str]]:
        bare = {name: _bare(name) for name in names}
        columns = {field: [name for name in names if bare[name] in known] for field, known in _NAMES.items()}
        certain = [name for name in columns["user_id"] if bare[name] in _CERTAIN_IDS]
        if certain and len(certain) < len(columns["user_id"]):
            columns["subject"] = columns["subject"] or [name for name in columns["user_id"] if name not in certain]
            columns["user_id"] = certain
        for field, weak in _WEAK.items():
            if not columns[field] and (field != "user_id" or self._may_guess):
                columns[field] = [name for name in names if bare[name] in weak]
        return {field: found for field, found in columns.items() if found}


def at(row: Mapping[str, Any], path: str) -> Any:
    """Return what is in a row's column, or at a path with dots in its JSON, which a column may have as text."""
    if path in row:
        return row[path]
    value: Any = row
    for name in path.split("."):
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                return None
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def chosen(options: tuple[str, ...]) -> dict[str, str]:
    """Return what ``--column FIELD=COLUMN`` says; raises ValueError."""
    pairs = [option.partition("=")[::2] for option in options]
    for field, column in pairs:
        if field not in (*FIELDS, "provider") or not column:
            raise ValueError(f"--column takes FIELD=COLUMN; the fields are {', '.join((*FIELDS, 'provider'))}")
    return dict(pairs)


def _agreed(row: Mapping[str, Any], columns: list[str]) -> Any:
    """Return the value of the columns that have one; empty where one is empty, None where none is there."""
    said = {column: row[column] for column in columns if not is_missing(row.get(column))}
    if len({str(value) for value in said.values()}) > 1:
        raise UnfitRow(f"its columns {' and '.join(said)} say different things: choose one with --column")
    return next(iter(said.values()), "" if "" in map(row.get, columns) else None)


def _bare(name: str) -> str:
    bare = re.sub(r"[^a-z0-9]", "", name.casefold())
    return bare if bare in _CERTAIN_IDS else bare.removeprefix("twitter")
