"""The examples of docs/testing.md: one file of tests, which pytest runs where there is no boto3."""

import re
import subprocess
import sys
from pathlib import Path

import tripod
from tripod import testing

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "testing.md").read_text()
WITHOUT_AWS = """
import sys
for name in ("boto3", "botocore", "moto"):
    sys.modules[name] = None
"""


def blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)


def test_every_example_passes_without_aws(tmp_path: Path) -> None:
    (signing_in,) = (block for block in blocks((DOCS / "reading-tokens.md").read_text()) if "tickets.new_secret" in block)
    examples = "\n".join((signing_in, *blocks(PAGE)))
    (tmp_path / "conftest.py").write_text(WITHOUT_AWS)
    (tmp_path / "test_page.py").write_text(examples)
    pytest = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command = [*pytest, f"--rootdir={tmp_path}", "test_page.py"]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert finished.returncode == 0, finished.stdout
    assert f"{examples.count('def test_')} passed" in finished.stdout


def test_the_page_tells_of_every_name_and_method() -> None:
    names = [*testing.__all__, *(name for name in vars(testing.FakeTripod) if not name.startswith("_"))]
    assert [name for name in names if name not in PAGE] == ["Answer", "FakeTripod", "FakeUser", "Providers"]


def test_the_page_tells_what_becomes_of_every_function() -> None:
    functions = [name for name in tripod.__all__ if name[0].islower() and name not in ("tickets", "invalidate_app_token")]
    assert [name for name in functions if f"`{name}`" not in PAGE.partition("## The first test")[0]] == []
