"""One word for one thing: no two classes of one name."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = {
    "Finding": "what a look has found: check's of a user's tokens, doctor's of the stack, which never meet",
}


def test_no_two_classes_have_one_name() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for folder in ("layers", "functions", "cli", "sandbox", "tests", "tools", "examples", "docs"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if {"build", "node_modules"} & set(path.parts):
                continue
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.ClassDef):
                    places[node.name].append(str(path.relative_to(ROOT)))
    shared = {name: files for name, files in places.items() if len(files) > 1}
    assert {name: files for name, files in shared.items() if name not in SHARED} == {}
    assert shared.keys() == SHARED.keys()  # an exception that is none any more goes
