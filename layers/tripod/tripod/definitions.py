"""Providers' definitions: what ``"provider"`` in a consumer secret means. X's own is at hand; the others' are in the catalogue."""

import re
from collections.abc import Mapping
from typing import Any

from tripod.x import X

Definition = Mapping[str, Any]  # by the names of the keys of "provider" (docs/providers.md)

# Patterns, not compiled at a cold start: few need them.
_SITE = r"[Hh][Tt][Tt][Pp][Ss]?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?(/[A-Za-z0-9._~!$&'()*+,;=:-]+)*/?"
_ACCOUNT = r"[A-Za-z0-9]{1,32}([_-][A-Za-z0-9]{1,32})?"  # NetSuite's: 1234567, 1234567_SB1


def resolve(given: object, called: str) -> Definition:
    """Return the definition that ``"provider"`` in the consumer secret called ``called`` means.

    ``given`` is a name of the catalogue, an object that describes a provider, or an object with ``"like"``: a name of the catalogue,
    whose keys are replaced by the object's (null removes one). Where it is missing or empty, the secret's own name is looked up; the
    definition is empty where the catalogue does not have it. Raises ValueError.
    """
    if not given and (given is None or isinstance(given, dict)):
        return X if called == "x" else _of_the_catalogue(called, None) or {}
    if isinstance(given, str):
        return _named(given.strip().lower(), None)
    if not isinstance(given, dict):
        raise ValueError('"provider" must be a name, or an object')
    if "like" not in given:
        if "site" in given:
            raise ValueError('"provider.site" needs "provider.like", the name of a provider that Tripod knows')
        return given
    like, site = given["like"], given.get("site")
    if not isinstance(like, str):
        raise ValueError('"provider.like" must be a name')
    changes = {key: value for key, value in given.items() if key not in ("like", "site")}
    known = {**_named(like.strip().lower(), site), **changes}
    return {key: value for key, value in known.items() if value is not None}


def _named(name: str, site: object) -> Definition:
    if name == "x" and site is None:
        return X
    found = _of_the_catalogue(name, site)
    if found is None:  # quoted only if it looks like a name: a credential may have been put there
        shown = f'"{name}"' if re.fullmatch(r"[a-z][a-z-]{0,31}", name) else "that name"
        raise ValueError(f"{shown} is no provider that Tripod knows: see docs/providers.md, or describe it")
    return found


def _of_the_catalogue(name: str, site: object) -> Definition | None:
    from tripod.catalogue import CATALOGUE  # noqa: PLC0415  # only for who asks: X needs none of it

    entry = CATALOGUE.get(name)
    if entry is None:
        return None
    return _at_site(entry.definition, _site_values(name, entry.site, site if site is not None else entry.usual_site))


def _site_values(name: str, kind: str, site: object) -> dict[str, str]:
    """Return what stands for ``{site}`` (and ``{SITE}``) in an entry's definition; raises ValueError that says what is wrong."""
    if not kind:
        if site is not None:
            raise ValueError(f'"provider.site" has no meaning for {name}')
        return {}
    if kind == "account":
        if not isinstance(site, str) or not re.fullmatch(_ACCOUNT, site):
            raise ValueError(f'{name} needs "provider.site": the account\'s name, such as 1234567 or 1234567_SB1')
        return {"{site}": site.lower().replace("_", "-"), "{SITE}": site.upper().replace("-", "_")}
    if not isinstance(site, str) or not re.fullmatch(_SITE, site) or "/." in site:
        raise ValueError(
            f'{name} needs "provider.site": the address of its site, such as https://www.example.org, without a query'
        )
    return {"{site}": site[:8].lower() + site[8:].rstrip("/")}


def _at_site(definition: Definition, values: Mapping[str, str]) -> Definition:
    if not values:
        return definition
    return {key: _filled(value, values) for key, value in definition.items()}


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_filled(each, values) for each in value]
    if isinstance(value, str):
        for mark, text in values.items():
            value = value.replace(mark, text)
    return value
