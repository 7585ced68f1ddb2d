"""The version stands in one place, and the changes begin with it."""

import re
import subprocess

from sandbox.repository import TEMPLATE
from tripod.version import VERSION

ROOT = TEMPLATE.parent


def test_the_newest_released_entry_of_the_changes_is_of_this_version() -> None:
    entries = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert next(entry for entry in entries if entry != "Unreleased") == VERSION
    assert "Unreleased" not in entries[1:]


def test_no_other_file_states_the_version() -> None:
    ours = ["template.yaml", "samconfig.toml", "Makefile", "README.md", "docs", "layers", "functions", "pyproject.toml"]
    stated = re.compile(rf"(?<![\d.=]){re.escape(VERSION)}(?![\d.])")
    found = subprocess.run(["git", "ls-files", "--", *ours], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in found if stated.search((ROOT / name).read_text())] == ["layers/tripod/tripod/version.py"]
