"""Logs Insights over what the functions print: StartQuery and GetQueryResults, which moto answers without filtering.

A query's results come with the second look, as on AWS they take a moment.

Source: CloudWatch Logs' API reference.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.aws import insights
from sandbox.aws.faults import AwsError
from sandbox.aws.insights import Line, MalformedQueryError
from sandbox.aws.request import AwsRequest
from sandbox.aws.response import AwsResponse

Groups = Callable[[str], list[tuple[float, str]] | None]


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
        try:
            self._results[query] = insights.run(parameters["queryString"], lines)
        except MalformedQueryError as error:
            raise _RefusedError("MalformedQueryException", f"the sandbox knows no such query: {error}") from None
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
            "results": [[{"field": name, "value": _text(value)} for name, value in row.items()] for row in rows],
            "statistics": {"recordsMatched": float(len(rows))},
        }


class _RefusedError(Exception):
    """AWS's code and message."""


def _parsed(at: float, text: str) -> Line:
    """Return a line's fields: those that CloudWatch adds, and the top level of its JSON."""
    moment = datetime.fromtimestamp(at, UTC).isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")
    line = {"@timestamp": moment, "@message": text}
    try:
        content = json.loads(text)
    except ValueError:
        return line
    told = content if isinstance(content, dict) else {}
    return line | told


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
