"""The template's saved queries, run over lines of logs; and the commands of the runbook that ask the table."""

import json
import re
import shlex
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sandbox.aws import insights
from sandbox.aws.insights import Line
from sandbox.repository import ROOT
from tests.support.sandbox_app import PARAMETERS
from tests.support.translated import stack

QUERIES = {one["Name"].partition("/")[2]: one for one in stack(**PARAMETERS).resources("AWS::Logs::QueryDefinition").values()}
FUNCTIONS = {"ispresent", "coalesce", "count"}
WORDS = {"as", "by", "in", "or", "and", "like", "asc", "desc"}


def rows(name: str, logs: Mapping[str, list[Line]], paste: str = "") -> list[dict[str, Any]]:
    """Return what a saved query finds in these log groups; a field that a row has not is None."""
    lines = [
        {"@timestamp": line.get("timestamp", line.get("time", "")), **line}
        for group in QUERIES[name]["LogGroupNames"]
        for line in logs[group]
    ]
    found = insights.run(QUERIES[name]["QueryString"].replace("PASTE", paste), lines)
    return [defaultdict(lambda: None, row) for row in found]


def fields_read(name: str) -> set[str]:
    """Return the fields of log lines that a query reads: every word that is no command, function, text or alias."""
    plain = re.sub(r'"[^"]*"', "", QUERIES[name]["QueryString"])
    aliases = set(re.findall(r" as (\w+)", plain))
    commands = set(re.findall(r"^(?:\| )?(\w+)", plain, re.MULTILINE))
    words = {word for word in re.findall(r"[@\w.]+", plain) if not word[0].isdigit()}
    return words - aliases - commands - FUNCTIONS - WORDS - {"@timestamp"}


def commands() -> list[dict[str, Any]]:
    """Return the parameters of each command of the page that asks the table."""
    page = (ROOT / "docs/operating.md").read_text().replace("\\\n", " ")
    found = []
    for line in re.findall(r"^\$ (aws dynamodb query .+)$", page, re.MULTILINE):
        words = shlex.split(line)[3:]
        given = {name.removeprefix("--"): value for name, value in zip(words[::2], words[1::2], strict=True)}
        assert given.pop("table-name").startswith("$(aws ssm get-parameter --name /tripod/table ")
        given.pop("query", None)  # what the command line shows of the answer
        named = {"".join(word.capitalize() for word in name.split("-")): value for name, value in given.items()}
        found.append(named | {"ExpressionAttributeValues": json.loads(named["ExpressionAttributeValues"])})
    return found
