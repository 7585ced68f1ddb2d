"""Logs Insights over what the functions print: StartQuery and GetQueryResults, which moto answers without filtering.

The language is the part that is used here, and anything else is refused: ``fields``, ``filter`` with ``and``, ``or``, ``=``, ``in`` and
``ispresent``, ``sort`` by one field, ``limit``. A query's results come with the second look, as on AWS they take a moment.

Sources: CloudWatch Logs' API reference, and its user guide, "Logs Insights query syntax".
"""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.aws.faults import AwsError
from sandbox.aws.request import AwsRequest
from sandbox.aws.response import AwsResponse

Groups = Callable[[str], list[tuple[float, str]] | None]
Line = dict[str, str]

LIMIT = 10_000  # rows, where a query names no limit

_WORDS = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[@\w.]+|[=(),\[\]])')


class LogQueries:
    """The queries so far."""

    def __init__(self) -> None:
        self._results: dict[str, list[Line]] = {}
        self._looked: set[str] = set()

    def answer(self, request: AwsRequest, groups: Groups) -> AwsResponse | None:
        """Return the response to a call about queries; None where it is about anything else."""
        if request.service != "logs" or request.operation not in ("StartQuery", "GetQueryResults"):
            return None
        try:
            content = (
                self._start(request.parameters, groups) if request.operation == "StartQuery" else self._look(request.parameters)
            )
        except _RefusedError as refused:
            return AwsResponse.refusing(AwsError(*refused.args))
        return AwsResponse(200, [("content-type", "application/x-amz-json-1.1")], json.dumps(content).encode())

    def _start(self, parameters: Mapping[str, Any], groups: Groups) -> dict[str, Any]:
        lines: list[Line] = []
        for group in parameters.get("logGroupNames", []):
            found = groups(group)
            if found is None:
                raise _RefusedError("ResourceNotFoundException", f"Log group '{group}' does not exist")
            begin, end = parameters["startTime"], parameters["endTime"]
            lines += [_parsed(at, text) for at, text in found if begin <= at < end + 1]
        query = str(uuid.uuid4())
        self._results[query] = run(parameters["queryString"], lines)
        return {"queryId": query}

    def _look(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        query = parameters.get("queryId")
        if query not in self._results:
            raise _RefusedError("ResourceNotFoundException", "There is no such query")
        if query not in self._looked:
            self._looked.add(query)
            return {"status": "Running", "results": []}
        rows = self._results[query]
        return {
            "status": "Complete",
            "results": [[{"field": name, "value": value} for name, value in row.items()] for row in rows],
            "statistics": {"recordsMatched": float(len(rows))},
        }


def run(query: str, lines: list[Line]) -> list[Line]:
    """Return a query's rows, each with those of its fields that the line has; raises ``_RefusedError``."""
    names: list[str] = []
    limit = LIMIT
    for command in (each.strip() for each in query.split("|")):
        verb, _, rest = command.partition(" ")
        words = _words(rest)
        if verb == "fields":
            names += [word for word in words if word != ","]
        elif verb == "filter":
            lines = [line for line in lines if _holds(words, line)]
        elif verb == "sort" and len(words) == 2 and words[1] in ("asc", "desc"):
            lines = sorted(lines, key=lambda line, by=words[0]: line.get(by, ""), reverse=words[1] == "desc")  # type: ignore[misc]  # mypy: a default
        elif verb == "limit" and len(words) == 1:
            limit = int(words[0])
        else:
            raise _malformed(command)
    return [{name: line[name] for name in names if name in line} for line in lines[:limit]]


class _RefusedError(Exception):
    """AWS's code and message."""


def _malformed(what: str) -> _RefusedError:
    return _RefusedError("MalformedQueryException", f"the sandbox knows no such query: {what}")


def _parsed(at: float, text: str) -> Line:
    """Return a line's fields, all text: those that CloudWatch adds, and the top level of its JSON."""
    moment = datetime.fromtimestamp(at, UTC).isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")
    line = {"@timestamp": moment, "@message": text}
    try:
        content = json.loads(text)
    except ValueError:
        return line
    told = content.items() if isinstance(content, dict) else ()
    return line | {name: value if isinstance(value, str) else json.dumps(value) for name, value in told if value is not None}


def _words(text: str) -> list[str]:
    words, at = [], 0
    while at < len(text.rstrip()):
        found = _WORDS.match(text, at)
        if not found:
            raise _malformed(text[at:])
        words.append(found[1])
        at = found.end()
    return words


def _holds(words: list[str], line: Line) -> bool:
    """Return whether a filter's expression holds for a line: ``or`` binds least, then ``and``; no parentheses around them."""
    return any(all(_true(term, line) for term in _split(part, "and")) for part in _split(words, "or"))


def _split(words: list[str], at: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in words:
        if word == at:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def _true(term: list[str], line: Line) -> bool:
    match term:
        case ["ispresent", "(", name, ")"]:
            return name in line
        case [name, "=", value] if value.startswith('"'):
            return line.get(name) == str(json.loads(value))
        case [name, "in", "[", *values, "]"] if values:
            return line.get(name) in [json.loads(value) for value in values if value != ","]
    raise _malformed(" ".join(term))
