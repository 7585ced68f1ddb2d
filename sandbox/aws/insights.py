"""Logs Insights' query language, as far as Tripod's queries go; anything else is refused.

``fields`` with ``coalesce`` and ``as``; ``filter`` with ``and``, ``or``, ``=``, ``!=``, ``<``, ``>``, ``in``, ``like`` a text,
``ispresent``; ``sort`` by one field; ``limit``; ``stats count(*)``. A field of a JSON array's element is ``name.0``.

Source: CloudWatch Logs' user guide, "CloudWatch Logs Insights language query syntax".
"""

import json
import operator
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

Line = dict[str, Any]

LIMIT = 10_000  # rows, where a query names no limit

_COMMAND = re.compile(r'(?:[^|"]|"(?:[^"\\]|\\.)*")+')
_WORD = re.compile(r'\s*("(?:[^"\\]|\\.)*"|\d+(?:\.\d+)?|[@\w.]+|!=|[\[\](),=<>*])')
_STATS = ["count", "(", "*", ")", "as"]


class MalformedQueryError(Exception):
    """The query is none, or more than is known here; the text says what."""


def run(query: str, lines: list[Line]) -> list[Line]:
    """Return a query's rows, each with those of the query's fields that it has. Raises MalformedQueryError."""
    rows, shown, limit = [_flat(line) for line in lines], list[str](), LIMIT
    for command in _COMMAND.findall(query):
        verb, _, rest = command.strip().partition(" ")
        words = _words(rest)
        if verb == "fields":
            for expression, name in _named(words):
                _value(expression, {})  # refused where no line is, too
                shown.append(name)
                rows = [row | _computed(expression, name, row) for row in rows]
        elif verb == "filter":
            _value(words, {})  # likewise
            rows = [row for row in rows if _value(words, row)]
        elif verb == "sort" and len(words) == 2 and words[1] in ("asc", "desc"):
            rows = sorted(rows, key=_order_by(words[0]), reverse=words[1] == "desc")
        elif verb == "limit" and len(words) == 1:
            limit = int(words[0])
        elif verb == "stats" and words[:5] == _STATS and words[6:7] == ["by"]:
            shown = [words[5], *(word for word in words[7:] if word != ",")]
            groups = Counter(tuple(row.get(name) for name in shown[1:]) for row in rows)
            rows = [dict(zip(shown, (times, *group), strict=True)) for group, times in groups.items()]
        else:
            raise MalformedQueryError(command.strip())
    return [{name: row[name] for name in shown if row.get(name) is not None} for row in rows[:limit]]


def _flat(line: Mapping[str, Any]) -> Line:
    elements = {f"{name}.{at}": one for name, value in line.items() if isinstance(value, list) for at, one in enumerate(value)}
    return {**line, **elements}


def _words(text: str) -> list[str]:
    words, at = [], 0
    while at < len(text.rstrip()):
        found = _WORD.match(text, at)
        if not found:
            raise MalformedQueryError(text[at:])
        words.append(found[1])
        at = found.end()
    return words


def _named(words: list[str]) -> list[tuple[list[str], str]]:
    """Return each expression of ``fields`` with its name: what stands behind ``as``, or the field itself."""
    parts: list[list[str]] = [[]]
    depth = 0
    for word in words:
        depth += (word == "(") - (word == ")")
        if word == "," and not depth:
            parts.append([])
        else:
            parts[-1].append(word)
    return [(part[:-2], part[-1]) if "as" in part else (part, part[0]) for part in parts if part]


def _computed(expression: list[str], name: str, row: Line) -> Line:
    value = _value(expression, row)
    return {} if value is None else {name: value}


def _order_by(name: str) -> Callable[[Line], tuple[bool, float, str]]:
    def order(row: Line) -> tuple[bool, float, str]:
        value = row.get(name)
        try:
            return value is not None, float(value), ""  # type: ignore[arg-type]  # None is a TypeError
        except (TypeError, ValueError):
            return value is not None, 0.0, str(value)

    return order


def _value(words: list[str], row: Line) -> Any:
    """Return what an expression is for a row."""
    expression = _Expression(words, row)
    try:
        return expression.value()
    except (IndexError, ValueError):
        raise MalformedQueryError(" ".join(words)) from None


class _Expression:
    """One expression over one row, computed while it is read: or, and, comparison, operand.

    An IndexError or ValueError: it is malformed.
    """

    def __init__(self, words: list[str], row: Line) -> None:
        self._words = list(words)
        self._row = row

    def value(self) -> Any:
        found = self._any()
        if self._words:
            raise ValueError
        return found

    def _next(self, word: str) -> bool:
        if self._words[:1] != [word]:
            return False
        self._words.pop(0)
        return True

    def _any(self) -> Any:
        found = self._all()
        while self._next("or"):
            found = self._all() or found
        return found

    def _all(self) -> Any:
        found = self._compared()
        while self._next("and"):
            other = self._compared()
            found = found and other
        return found

    def _compared(self) -> Any:
        left = self._operand()
        if self._next("="):
            return left == self._operand()
        if self._next("!="):
            return left != self._operand()
        if self._next("in"):
            return left in self._list("[", "]")
        if self._next("like"):
            return str(self._operand()) in str(left or "")
        for sign, compare in ((">", operator.gt), ("<", operator.lt)):
            if self._next(sign):
                right = self._operand()
                return left is not None and compare(float(left), right)
        return left

    def _operand(self) -> Any:
        word = self._words.pop(0)
        if word == "ispresent":
            (found,) = self._list("(", ")")
            return found is not None
        if word == "coalesce":
            return next((each for each in self._list("(", ")") if each is not None), None)
        if word.startswith('"'):
            return json.loads(word)
        if word[0].isdigit():
            return float(word)
        if not re.fullmatch(r"[@\w.]+", word):
            raise ValueError
        return self._row.get(word)

    def _list(self, begin: str, end: str) -> list[Any]:
        if not self._next(begin):
            raise ValueError
        found = [self._operand()]
        while self._next(","):
            found.append(self._operand())
        if not self._next(end):
            raise ValueError
        return found
