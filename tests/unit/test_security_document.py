import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text()
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ") and "::" in line]
NAMED = re.findall(r"`(tests/[^`:]+\.py)::([^`]+)`", TEXT)
ATTACKS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests/security").glob("test_*.py"))


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_test_that_the_table_names_exists(path: str, name: str) -> None:
    assert name in names_in(path)


def test_each_row_names_its_proof_and_nothing_else_in_the_last_column() -> None:
    assert len(ROWS) > 20
    for row in ROWS:
        cells = [cell.strip() for cell in row.strip("|").split(" | ")]
        assert len(cells) == 4, row
        assert re.fullmatch(r"`tests/\S+::\w+`(, `tests/\S+::\w+`)*", cells[3]), row


@pytest.mark.parametrize("path", ATTACKS)
def test_each_attack_that_is_tested_is_in_the_table(path: str) -> None:
    assert names_in(path) == {name for named, name in NAMED if named == path}


def test_reports_go_through_github_and_no_address_is_invented() -> None:
    assert "private vulnerability reporting" in TEXT
    assert not re.search(r"\S+@\S+\.\w+", TEXT)
