"""``make mutate-defences``: take one defence out of the product at a time, and see its tests notice.

``tools/defences.toml`` lists them, reviewed by hand: the text as it is (``was``), the text without the defence (``is``), and the tests
that should fail then. First all of these tests are run with every defence in place, so that a failure later means the removal. Each
worker has a copy of the tracked files, as they are in the working tree; nothing is changed there for longer than one defence's tests.

The exit code is 1 unless every defence is noticed. Ids as arguments try those alone: DEFENCES='csp hsts'.
"""

import os
import shutil
import site
import subprocess
import sys
import tempfile
import time
import tomllib
import venv
from dataclasses import dataclass
from pathlib import Path

from tools import trials

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "tools/defences.toml"
WORKERS = 2


@dataclass(frozen=True)
class Defence:
    """One entry of the list."""

    id: str
    file: str
    was: str
    without: str  # ``is`` in the list
    tests: tuple[str, ...]
    why: str


def main() -> int:
    """Try every defence, or those that are named; return the exit code."""
    defences, began = read_list(), time.monotonic()
    if unknown := set(sys.argv[1:]) - {one.id for one in defences}:
        print(f"there is no defence {', '.join(sorted(unknown))} in {LIST.relative_to(ROOT)}")
        return 1
    chosen = {f"{one.id}: {one.why}": one for one in defences if one.id in sys.argv[1:] or not sys.argv[1:]}
    with tempfile.TemporaryDirectory() as folder:
        copies = [copy_to(Path(folder).resolve() / str(number)) for number in range(WORKERS)]
        tests = sorted({test for one in chosen.values() for test in one.tests})
        if not trials.all_pass(interpreter(copies[0]), copies[0], tests, WORKERS):
            print("the tests must pass with every defence in place")
            return 1
        print(f"with every defence in place the tests pass ({time.monotonic() - began:.0f} s)", flush=True)
        return trials.summarize(chosen, trials.make_all(chosen, copies, without), began)


def read_list() -> list[Defence]:
    """Return the list's entries."""
    entries = tomllib.loads(LIST.read_text())["defence"]
    return [Defence(one["id"], one["file"], one["was"], one["is"], tuple(one["tests"]), one["why"]) for one in entries]


def copy_to(folder: Path) -> Path:
    """Copy the tracked files; raises ``RuntimeError`` unless the copy's layers and command are the ones that are imported there."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    ours = (folder / "layers/tripod", folder / "layers/flow", folder / "cli", *filter(os.path.isdir, site.getsitepackages()))
    venv.create(folder / ".venv", symlinks=True)
    (places,) = (folder / ".venv").glob("lib/python*/site-packages")
    (places / "copy.pth").write_text("\n".join(map(str, ours)))
    where = "import tripod, tripod_flow.app, tripod_cli; print(tripod.__file__, tripod_flow.__file__, tripod_cli.__file__)"
    command = [interpreter(folder), "-P", "-s", "-c", where]  # as a worker of the sandbox is started
    imported = subprocess.run(command, env={}, check=True, capture_output=True, text=True).stdout.split()
    if not all(Path(name).is_relative_to(folder) for name in imported):
        raise RuntimeError(f"not imported from the copy: {imported}")
    return folder


def interpreter(folder: Path) -> str:
    """Return the copy's Python, which the sandbox starts its workers with too: there the working tree's packages are not installed."""
    return str(folder / ".venv/bin/python")


def without(folder: Path, defence: Defence) -> str:
    """Take a defence out of the copy, run its tests, and put it back; return what that shows."""
    path = folder / defence.file
    content = path.read_text()
    path.write_text(content.replace(defence.was, defence.without))
    try:
        return trials.result(interpreter(folder), folder, defence.tests)
    finally:
        path.write_text(content)


if __name__ == "__main__":
    sys.exit(main())
