"""The documents name every metric and every field of the log."""

import ast
import re
from collections.abc import Iterator

from sandbox.repository import TEMPLATE

ROOT = TEMPLATE.parent
SOURCES = [*ROOT.glob("layers/flow/tripod_flow/**/*.py"), *ROOT.glob("functions/*/handler.py")]
POWERTOOLS = {"level", "location", "message", "timestamp", "service", "correlation_id"}


def calls() -> Iterator[ast.Call]:
    for path in SOURCES:
        yield from (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def keys(node: ast.AST) -> set[str]:
    dictionaries = [each for each in ast.walk(node) if isinstance(each, ast.Dict)]
    return {
        key.value for each in dictionaries for key in each.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }


def section(page: str, heading: str) -> str:
    """Return a page's text below a heading, up to the next."""
    return re.split(r"^## ", (ROOT / "docs" / page).read_text().partition(f"## {heading}\n")[2], flags=re.MULTILINE)[0]


def test_every_metric_is_in_the_operators_page() -> None:
    counted = {
        call.args[0].value
        for call in calls()
        if ast.unparse(call.func) in {"count", "telemetry.count"} and isinstance(call.args[0], ast.Constant)
    }
    assert {"started", "abandoned"} <= counted
    named = set(re.findall(r"`(\w+)`", section("operating.md", "Metrics")))
    assert {name for name in counted if name not in named} == set()


def test_every_field_of_the_log_is_in_the_page_of_errors() -> None:
    logged = set(POWERTOOLS)
    for call in calls():
        logged |= {name for keyword in call.keywords if keyword.arg == "extra" for name in keys(keyword.value)}
        if called(call) == "failure":
            logged |= {keyword.arg for keyword in call.keywords if keyword.arg}
    logged |= keys(ast.parse((ROOT / "layers/flow/tripod_flow/edges/telemetry.py").read_text()))
    assert {"authorization", "aws_operation", "frames", "reason", "beginning", "outcome"} <= logged
    named = set(re.findall(r"`(\w+)`", section("errors.md", "What a line of the log holds")))
    assert {name for name in logged if name not in named} == set()
