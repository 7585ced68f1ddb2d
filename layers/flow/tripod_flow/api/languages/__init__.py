"""The language of a page: of those that there are, the one that the browser likes best (``Accept-Language``: RFC 9110, section 12.5.4).

Imported with the first page that a process makes: JSON and redirects need none of it. Each language is a module here, with the names
of ``text``, and is imported with the first page in it.
"""

import re
from importlib import import_module
from typing import Protocol, cast

from tripod.provider_errors import Cause
from tripod_flow.api import text
from tripod_flow.api.text import Text

MODULES = ("de", "fr", "es", "pt", "it", "pl", "ja", "zh", "ko", "ar", "he")  # each named as browsers name the language
MAX_LENGTH = 512  # characters of the header that are looked at; browsers send about 50

_ENGLISH = "en"
_FORMER_NAMES = {"iw": "he"}
_TRADITIONAL = {"hant", "tw", "hk", "mo"}  # of Chinese: other characters than these pages'
_PART = re.compile(r"(\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*)(?:[ \t]*;[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?")


class Words(Protocol):
    """What each language says: a module with these names."""

    LANGUAGE: tuple[str, str]
    GRANTED: Text
    CONSENTED: Text
    DENIED: Text
    PROBLEMS: dict[str, Text]
    LINK: Text
    FOR_OPERATOR: str
    NO_COOKIE: Text
    NO_PIN_LEFT: Text
    ACCOUNT_PROBLEMS: dict[Cause, Text]
    PIN: Text
    PIN_LINK: str
    PIN_NEW_TAB: str
    PIN_LABEL: str
    PIN_AGAIN: str
    NOT_A_PIN: Text
    ATTEMPTS_LEFT: str
    WRONG_PIN: Text
    REFERENCE: str
    WHEN: dict[int, str]


def words(accept_language: str) -> Words:
    """Return the words of the language that fits a browser's ``Accept-Language`` best; English where none does."""
    name = _best(_weights(accept_language))
    return text if name == _ENGLISH else cast(Words, import_module(f"{__name__}.{name}"))


def _best(weights: dict[str, float]) -> str:
    """Return the language of the highest weight, the first of those that share it; ``*`` stands for any that has none of its own."""
    anything = weights.pop("*", 0.0)
    name = max(weights, key=weights.__getitem__, default=_ENGLISH)
    if weights.get(name, 0.0) >= anything:
        return name if weights.get(name) else _ENGLISH
    return next((other for other in (_ENGLISH, *MODULES) if other not in weights), name)


def _weights(accept_language: str) -> dict[str, float]:
    """Return the languages that a browser accepts, with their weights, 0 for those that it refuses; what can't be read is ignored."""
    found: dict[str, float] = {}
    parts = accept_language[:MAX_LENGTH].lower().split(",")
    for part in parts[:-1] if len(accept_language) > MAX_LENGTH else parts:  # the last one may have been cut
        if read := _PART.fullmatch(part.strip(" \t")):
            name, weight = _language(read[1]), float(read[2] or 1)
            if name is not None and (weight or "-" not in read[1]):  # who refuses a country's form does not refuse the language
                found[name] = max(weight, found.get(name, 0.0))
    return found


def _language(accepted: str) -> str | None:
    """Return which of the languages ``accepted`` is a form of, such as ``de-at``; None where it is none of them."""
    name, *parts = accepted.split("-")
    name = _FORMER_NAMES.get(name, name)
    if name == "zh" and "hans" not in parts and not _TRADITIONAL.isdisjoint(parts):
        return None
    return name if name in ("*", _ENGLISH, *MODULES) else None
