"""Parameters: what a caller writes into a query, a form or JSON. The form of each value is checked here, and only here."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from tripod.credentials import BLANKS
from tripod_flow.rules import return_to, signable, tickets
from tripod_flow.rules.errors import BadRequest

MAX_VALUE = 512  # bytes of a parameter; X's tokens and verifiers have 27 to 50
MAX_TICKET = 2048  # bytes: a request token of MAX_VALUE, encoded, with its proof
MAX_PARAMETERS = 100  # in one query

_LONGEST = {
    "return_to": return_to.MAX_LENGTH,
    "ticket": MAX_TICKET,
    "url": signable.MAX_URL,
}  # bytes, of those that may be longer


def of_query(query: str, names: tuple[str, ...], *, may_be_empty: bool = False) -> tuple[dict[str, str], dict[str, str]]:
    """Return the parameters of ``names``, and the others with the values that they have, unchecked.

    Each of ``names`` may come once, must not be empty, and holds printable UTF-8 of bounded length. Where they ``may_be_empty``, one
    that is counts as missing.
    """
    found: dict[str, str] = {}
    others: dict[str, str] = {}
    for name, value in _pairs(query):
        if name not in names:
            others[name] = others.get(name) or value
        elif name in found:
            raise BadRequest(detail=f"The parameter {name} was given twice.")
        elif value or not may_be_empty:
            found[name] = checked(name, value)
    return found, others


def of_form(form: str, names: tuple[str, ...]) -> dict[str, str]:
    """Return the parameters of ``names`` as ``of_query`` does; raises ``BadRequest`` where there are others."""
    found, others = of_query(form, names)
    if others:
        raise unknown(others, names)
    return found


def unknown(others: Iterable[str], names: Iterable[str]) -> BadRequest:
    """Return the error that there are ``others`` than ``names``; it repeats those that look like names."""
    repeated = ", ".join(plain(others)) or "a name that can't be repeated"
    return BadRequest(detail=f"Not known here: {repeated}. Known are: {', '.join(names)}.")


def plain(names: Iterable[str]) -> list[str]:
    """Return those of ``names`` that look like names: what a log and an answer may repeat."""
    return [name for name in names if re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", name)]


def of_json(body: str, names: tuple[str, ...]) -> dict[str, str]:
    """Return the strings of a JSON object, which may have these names and no other, each once."""
    try:
        content = json.loads(body, object_pairs_hook=_object_without_repeats)
    except (ValueError, RecursionError):
        raise BadRequest(detail="The body is not JSON, or names something twice.") from None
    if not isinstance(content, dict):
        raise BadRequest(detail=f"The body must be an object with: {', '.join(names)}.")
    if others := [name for name in content if name not in names]:
        raise unknown(others, names)
    if not all(isinstance(value, str) for value in content.values()):
        raise BadRequest(detail="The body's values must be strings.")
    return {name: checked(name, value) for name, value in content.items()}


def checked(name: str, value: str) -> str:
    """Return a parameter's value as it is, a PIN without blanks; raises ``BadRequest`` where it is empty, too long, or not printable."""
    if name == "pin":
        from unicodedata import decimal  # noqa: PLC0415  # for a PIN alone

        value = "".join(str(decimal(one, one)) for one in value if one not in BLANKS)  # full-width and Arabic digits too
    if not value:
        raise BadRequest(detail=f"The parameter {name} is empty.")
    if not value.isprintable():  # control characters, and what is no UTF-8
        raise BadRequest(detail=f"The parameter {name} holds characters that can't be part of it.")
    if len(value.encode()) > _LONGEST.get(name, MAX_VALUE):
        raise BadRequest(detail=f"The parameter {name} is too long.")
    return value


def one_of(given: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str | None:
    """Return a parameter that has few values; raises ``BadRequest`` for any other."""
    if name in given and given[name] not in allowed:
        raise BadRequest(detail=f"The parameter {name} must be one of: {', '.join(allowed)}.")
    return given.get(name)


def challenge(text: str | None) -> str | None:
    """Return a challenge as it is; raises ``BadRequest`` where it can't be one."""
    if text is not None and not tickets.is_challenge(text):
        raise BadRequest(
            detail="The parameter challenge must have 43 characters: the SHA-256 of secret LF provider LF return_to, in base64url "
            "without padding."
        )
    return text


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, errors="surrogateescape", max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise BadRequest(detail=f"There are more than {MAX_PARAMETERS} parameters.") from None


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object none of whose names comes twice."""
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name comes twice")
    return content
