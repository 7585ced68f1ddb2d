"""Logs Insights on one machine, as far as the template's saved queries go: fields, filter, sort, limit, stats count(*) by.

Source: CloudWatch Logs' user guide, "CloudWatch Logs Insights language query syntax". A field of a JSON array's element is ``name.0``.
"""

import operator
import re
from collections import Counter
from typing import Any

Line = dict[str, Any]

TOKEN = re.compile(r'\s*("[^"]*"|\d+(?:\.\d+)?|[@\w.]+|[\[\](),=<>])')
FUNCTIONS = {"ispresent", "coalesce"}


def run(query: str, lines: list[Line]) -> list[Line]:
    """Return the rows of a query over lines of its log groups."""
    rows = [{"@timestamp": line.get("timestamp", line.get("time", "")), **_flat(line)} for line in lines]
    shown: list[str] = []
    for command in query.strip().split("\n| "):
        name, _, rest = command.partition(" ")
        match name:
            case "fields":
                for written in _split(rest):
                    expression, _, alias = written.partition(" as ")
                    shown.append(alias or expression)
                    for row in rows:
                        row[shown[-1]] = _Expression(expression, row).value()
            case "filter":
                rows = [row for row in rows if _Expression(rest, row).value()]
            case "sort":
                field, _, direction = rest.partition(" ")
                rows.sort(key=lambda row, by=field: _order(row[by]), reverse=direction == "desc")  # type: ignore[misc]  # mypy: a default
            case "limit":
                rows = rows[: int(rest)]
            case "stats":
                rows, shown = _counted(rest, rows)
            case _:
                raise ValueError(f"not known here: {command}")
    return [{field: row.get(field) for field in shown} for row in rows]


def names(query: str) -> set[str]:
    """Return the fields of log lines that a query reads: every word that is no command, function, text or alias."""
    plain = re.sub(r'"[^"]*"', "", query)
    aliases = set(re.findall(r" as (\w+)", plain))
    commands = set(re.findall(r"^(?:\| )?(\w+)", plain, re.MULTILINE))
    words = {word for word in re.findall(r"[@\w.]+", plain) if not word[0].isdigit()}
    return words - aliases - commands - FUNCTIONS - {"as", "by", "count", "in", "or", "and", "like", "asc", "desc", "@timestamp"}


def _flat(line: Line) -> Line:
    return {
        **line,
        **{f"{name}.{at}": one for name, value in line.items() if isinstance(value, list) for at, one in enumerate(value)},
    }


def _split(text: str) -> list[str]:
    """Split at the commas outside parentheses."""
    return [part.strip() for part in re.split(r",(?![^(]*\))", text)]


def _order(value: Any) -> tuple[bool, float, str]:
    try:
        return value is not None, float(value), ""
    except (TypeError, ValueError):
        return value is not None, 0.0, str(value)


def _counted(text: str, rows: list[Line]) -> tuple[list[Line], list[str]]:
    counted = re.fullmatch(r"count\(\*\) as (\w+) by (.+)", text)
    assert counted, text
    fields = _split(counted[2])
    groups = Counter(tuple(row.get(field) for field in fields) for row in rows)
    return [dict(zip(fields, group, strict=True)) | {counted[1]: times} for group, times in groups.items()], [counted[1], *fields]


class _Expression:
    """One expression over one row, parsed while it is computed: or, and, comparison, value."""

    def __init__(self, text: str, row: Line) -> None:
        self._tokens = TOKEN.findall(text)
        self._row = row

    def value(self) -> Any:
        found = self._any()
        assert not self._tokens, self._tokens
        return found

    def _next(self, *wanted: str) -> bool:
        if self._tokens and self._tokens[0] in wanted:
            self._tokens.pop(0)
            return True
        return False

    def _any(self) -> Any:
        found = self._all()
        while self._next("or"):
            other = self._all()
            found = found or other
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
        token = self._tokens.pop(0)
        if token == "ispresent":
            (found,) = self._list("(", ")")
            return found is not None
        if token == "coalesce":
            return next((each for each in self._list("(", ")") if each is not None), None)
        if token.startswith('"'):
            return token[1:-1]
        return float(token) if token[0].isdigit() else self._row.get(token)

    def _list(self, begin: str, end: str) -> list[Any]:
        assert self._next(begin)
        found = [self._operand()]
        while self._next(","):
            found.append(self._operand())
        assert self._next(end)
        return found
