"""Tables in a test's text, and the arrows of the state diagrams in docs/architecture.md."""

import re
from pathlib import Path

ARCHITECTURE = Path(__file__).parents[2] / "docs/architecture.md"
Arrow = tuple[str, str, str]  # (from, to, name)


def cells(table: str) -> list[tuple[str, str, str]]:
    """Return (row, column, text) of each cell; columns are two blanks or more apart."""
    head, *rows = [re.split(r"\s{2,}", line.strip()) for line in table.strip().splitlines()]
    return [(row, column, text) for row, *texts in rows for column, text in zip(head, texts, strict=True)]


def arrows(module: str) -> set[Arrow]:
    """Return the arrows of the first state diagram after ``module`` is named."""
    diagram = ARCHITECTURE.read_text().partition(f"`layers/flow/tripod_flow/rules/{module}.py`")[2]
    drawn = diagram.partition("stateDiagram-v2\n")[2].partition("```")[0]
    found = [re.fullmatch(r"(\S+) --> (\S+): (\w+)", line.strip()) for line in drawn.splitlines()]
    assert all(found), "each line is an arrow"
    return {(one[1], one[2], one[3]) for one in found if one}
