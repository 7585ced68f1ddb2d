"""``make mutate-defences``: take one defence out of the product at a time, and see its tests notice.

``tools/defences.toml`` lists them, reviewed by hand: the text as it is (``was``), the text without the defence (``is``), and the tests
that should fail then. First all of these tests are run with every defence in place, so that a failure later means the removal. Each
worker has a copy of the tracked files, as they are in the working tree; nothing is changed there for longer than one defence's tests.

The exit code is 1 unless every defence is noticed. Ids as arguments try those alone: DEFENCES='csp hsts'.
"""

import os
import queue
import shutil
import site
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "tools/defences.toml"
WORKERS = 2
LIMIT = 120  # seconds for one defence's tests; a suite that hangs has noticed
ALL_LIMIT = 900  # seconds for the tests of all
FAILED = 1  # pytest's exit code for tests that failed; another means that they could not be run

NOTICED, NOT_NOTICED, GONE, NOT_RUN = "noticed", "NOT NOTICED", "no longer there", "TESTS CAN'T BE RUN"


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
    chosen = [one for one in defences if one.id in sys.argv[1:] or not sys.argv[1:]]
    if unknown := set(sys.argv[1:]) - {one.id for one in defences}:
        print(f"there is no defence {', '.join(sorted(unknown))} in {LIST.relative_to(ROOT)}")
        return 1
    waiting: queue.Queue[Defence] = queue.Queue()
    for one in chosen:
        waiting.put(one)
    results: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        copies = [copy_to(Path(folder).resolve() / str(number)) for number in range(WORKERS)]
        if not all_pass(copies[0], sorted({test for one in chosen for test in one.tests})):
            print("the tests must pass with every defence in place")
            return 1
        print(f"with every defence in place the tests pass ({time.monotonic() - began:.0f} s)", flush=True)
        threads = [threading.Thread(target=work, args=(copy, waiting, results)) for copy in copies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    unnoticed = sorted(name for name, result in results.items() if result != NOTICED)
    print(f"{len(results)} defences, {len(results) - len(unnoticed)} noticed, {time.monotonic() - began:.0f} s")
    for name in unnoticed:
        print(f"{results[name]}: {name}")
    return 1 if unnoticed or len(results) != len(chosen) else 0


def read_list() -> list[Defence]:
    """Return the list's entries; raises ``ValueError`` where two have one id."""
    entries = tomllib.loads(LIST.read_text())["defence"]
    found = [Defence(one["id"], one["file"], one["was"], one["is"], tuple(one["tests"]), one["why"]) for one in entries]
    if len({one.id for one in found}) != len(found):
        raise ValueError("two defences have one id")
    return found


def copy_to(folder: Path) -> Path:
    """Copy the tracked files; raises ``RuntimeError`` unless the copy's layers are the ones that are imported there."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    ours = (folder / "layers/tripod", folder / "layers/flow", *filter(os.path.isdir, site.getsitepackages()))
    venv.create(folder / ".venv", symlinks=True)
    (places,) = (folder / ".venv").glob("lib/python*/site-packages")
    (places / "copy.pth").write_text("\n".join(map(str, ours)))
    command = [
        interpreter(folder),
        "-P",
        "-s",
        "-c",
        "import tripod, tripod_flow.app; print(tripod.__file__, tripod_flow.__file__)",
    ]
    imported = subprocess.run(
        command, env={}, check=True, capture_output=True, text=True
    ).stdout.split()  # as a worker is started
    if not all(Path(name).is_relative_to(folder) for name in imported):
        raise RuntimeError(f"not imported from the copy: {imported}")
    return folder


def interpreter(folder: Path) -> str:
    """Return the copy's Python, which the sandbox starts its workers with too: there the working tree's packages are not installed."""
    return str(folder / ".venv/bin/python")


def work(folder: Path, waiting: "queue.Queue[Defence]", results: dict[str, str]) -> None:
    """Take one defence after the other out of the copy, run its tests, and put it back."""
    while True:
        try:
            one = waiting.get_nowait()
        except queue.Empty:
            return
        path = folder / one.file
        content, result = path.read_text() if path.is_file() else "", GONE
        if content.count(one.was) == 1:
            path.write_text(content.replace(one.was, one.without))
            code = run_tests(folder, one.tests, LIMIT, "-x")
            path.write_text(content)
            result = NOT_NOTICED if code == 0 else NOTICED if code == FAILED else NOT_RUN
        results[one.id] = result
        print(f"{result:16} {one.id}: {one.why}", flush=True)


def all_pass(folder: Path, tests: list[str]) -> bool:
    """Return whether the tests pass as they are; what fails may be tried once more on its own, for some measure time."""
    together = ("-n", str(WORKERS), "--dist", "loadfile")
    return run_tests(folder, tests, ALL_LIMIT, *together) == 0 or run_tests(folder, tests, ALL_LIMIT, "--last-failed", "-v") == 0


def run_tests(folder: Path, tests: Sequence[str], limit: float, *options: str) -> int:
    """Run tests in the copy and return pytest's exit code."""
    command = [interpreter(folder), "-m", "pytest", "-q", "--tb=no", *options, *tests]
    try:
        ended = subprocess.run(command, cwd=folder, timeout=limit, check=False, capture_output=True, text=True)
    except subprocess.TimeoutExpired:
        return FAILED
    if ended.returncode and "-x" not in options:
        print(ended.stdout[-4000:], ended.stderr[-1000:])
    return ended.returncode


if __name__ == "__main__":
    sys.exit(main())
