"""Reads plays.toml: the providers that the sandbox can play beside X."""

import tomllib
import types
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from sandbox.provider import play
from sandbox.provider.failures import ProviderFailure, Refusals
from sandbox.provider.play import Endpoint, Play, VaryingName
from sandbox.provider.token_forms import TokenForms

FILE = Path(__file__).with_name("plays.toml")
LEGS = ("request_token", "authorize", "authenticate", "access_token", "identity", "api", "invalidate_token")
REQUIRED = LEGS[0], LEGS[1], LEGS[3]
TYPES = {
    "text": "text/plain;charset=utf-8",
    "html": "text/html;charset=utf-8",
    "json": "application/json;charset=utf-8",
    "xml": "application/xml;charset=utf-8",
    "form": "application/x-www-form-urlencoded",
}
SURE = ("src", "lib", "code", "mem", "guess")


class FlawedPlayError(ValueError):
    """An entry of plays.toml says something that no play can be made of."""


def names() -> list[str]:
    """Return the names of all plays beside X."""
    return list(_all())


def of(name: str) -> Play:
    """Return a play; raise LookupError where there is none of that name."""
    if name == play.X.name:
        return play.X
    if name not in _all():
        raise LookupError(f"the sandbox can't play {name}")
    return _all()[name]


@cache
def _all() -> dict[str, Play]:
    return read(FILE.read_text())


def read(text: str) -> dict[str, Play]:
    """Return the plays that a file describes, by name. Raise :class:`FlawedPlayError` at the first flaw."""
    described = tomllib.loads(text)
    return {name: _play(name, _whole(described, name)) for name in described}


def _whole(described: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return an entry with what it has from another (``same_as``)."""
    own = dict(described[name])
    other = own.pop("same_as", None)
    if other is None:
        return own
    if other not in described:
        raise FlawedPlayError(f"{name}.same_as names no entry")
    return {**_whole(described, other), **own}


def _play(name: str, entry: dict[str, Any]) -> Play:
    legs = {leg: entry.pop(leg) for leg in LEGS if leg in entry}
    missing = [leg for leg in REQUIRED if leg not in legs]
    if missing:
        raise FlawedPlayError(f"{name} has no {', '.join(missing)}")
    errors = _failures(f"{name}.errors", entry.pop("errors", {}))
    if "not_authenticated" not in errors:
        raise FlawedPlayError(f"{name}.errors has no not_authenticated")
    sure = entry.get("sure", {})
    if not sure or not set(sure) <= set(SURE):
        raise FlawedPlayError(f"{name}.sure must say which of it is {', '.join(SURE)}")
    told: dict[str, Any] = {
        "name": name,
        "endpoints": tuple(_endpoint(f"{name}.{leg}", leg, content) for leg, content in legs.items()),
        "places": _places(f"{name}.places", entry.pop("places", {})),
        "forms": TokenForms(**_checked(f"{name}.forms", TokenForms, entry.pop("forms", {}))),
        "refusals": _refusals(errors),
        "api_refusals": _failures(f"{name}.api_errors", entry.pop("api_errors", {})),
    }
    if entry.get("no") == "never":
        del entry["no"]
        told["no"] = None
    return Play(**told, **_checked(name, Play, entry))


def _endpoint(at: str, leg: str, content: dict[str, Any]) -> Endpoint:
    content = dict(content)
    url = content.pop("url", [])
    urls = tuple([url] if isinstance(url, str) else url)
    if not urls or not all(one.startswith("https://") for one in urls):
        raise FlawedPlayError(f"{at}.url must be https")
    told: dict[str, Any] = {"leg": leg, "urls": urls, "refusals": _failures(f"{at}.errors", content.pop("errors", {}))}
    return Endpoint(**told, **_checked(at, Endpoint, content))


def _places(at: str, told: Mapping[str, Any]) -> dict[str, VaryingName]:
    return {name: VaryingName(**_checked(f"{at}.{name}", VaryingName, content)) for name, content in told.items()}


def _refusals(errors: dict[str, ProviderFailure]) -> Refusals:
    """Return all refusals; one that isn't described is that of a call which is not authenticated."""
    otherwise = {"expired_request_token": "unknown_request_token", "missing_callback": "malformed", "no_agent": "malformed"}
    told = {}
    for one in fields(Refusals):
        kind = one.name if one.name in errors else otherwise.get(one.name, "")
        told[one.name] = errors.get(kind, errors["not_authenticated"])
    return Refusals(**told)


def _failures(at: str, errors: Mapping[str, Any]) -> dict[str, ProviderFailure]:
    _known(at, errors, {one.name for one in fields(Refusals)})
    return {kind: _failure(f"{at}.{kind}", told) for kind, told in errors.items()}


def _failure(at: str, told: Mapping[str, Any]) -> ProviderFailure:
    """Return a refusal, of its status and its body, whose key says what type it has."""
    status, *others = told.get("status"), *(key for key in told if key != "status")
    if not isinstance(status, int) or len(others) != 1 or others[0] not in TYPES:
        raise FlawedPlayError(f"{at} must have a status, and one of {', '.join(TYPES)}")
    return ProviderFailure(status, told[others[0]], TYPES[others[0]])


def _known(at: str, told: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(told) - known)
    if unknown:
        raise FlawedPlayError(f"{at} knows no {', '.join(unknown)}")


def _checked(at: str, kind: type, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``told`` as a dataclass takes it: lists as tuples, each value of its field's type."""
    hints = get_type_hints(kind)
    _known(at, told, set(hints))
    values = {name: _frozen(value) for name, value in told.items()}
    wrong = [name for name, value in values.items() if not _fits(value, hints[name])]
    if wrong:
        raise FlawedPlayError(f"{at}.{wrong[0]} is {values[wrong[0]]!r}, which is no {hints[wrong[0]]}")
    return values


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    return {key: _frozen(one) for key, one in value.items()} if isinstance(value, dict) else value


def _fits(value: Any, hint: Any) -> bool:
    """Return True if ``value`` is of the type that a field declares."""
    origin, of_what = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin is Literal:
        return value in of_what
    if origin in (Union, types.UnionType):
        return any(_fits(value, one) for one in of_what)
    if origin is tuple and of_what[-1] is Ellipsis:
        return isinstance(value, tuple) and all(_fits(one, of_what[0]) for one in value)
    if origin is tuple:
        return isinstance(value, tuple) and len(value) == len(of_what) and all(map(_fits, value, of_what))
    if origin is Mapping:
        return isinstance(value, dict) and all(_fits(one, of_what[1]) for one in value.values())
    return isinstance(value, hint) and isinstance(value, bool) == (hint is bool)
