"""Taking things out one at a time and seeing the tests notice: what ``mutate_template`` and ``remove_defences`` have in common.

Each worker has a copy of the project, in which one trial after the other is made. Only a test that fails, or hangs, has noticed: where
the tests could not be run at all, nothing was shown.
"""

import queue
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

LIMIT = 120  # seconds for one trial's tests; a suite that hangs has noticed
ALL_LIMIT = 900  # seconds for the tests of all
PASSED, FAILED = 0, 1  # pytest's exit codes; another means that the tests could not be run

NOTICED, UNNOTICED, NOT_RUN = "noticed", "NOT NOTICED", "TESTS CAN'T BE RUN"

Subject = TypeVar("Subject")
Workplace = TypeVar("Workplace")


def make_all(
    subjects: Mapping[str, Subject], workplaces: Sequence[Workplace], trial: Callable[[Workplace, Subject], str]
) -> dict[str, str]:
    """Make a trial of every subject, one at a time in each workplace, and return the result of each by the subject's name.

    A worker that raises ends, and what it took has no result: ``summarize`` counts that as a failure.
    """
    waiting: queue.Queue[tuple[str, Subject]] = queue.Queue()
    for item in subjects.items():
        waiting.put(item)
    results: dict[str, str] = {}

    def work(workplace: Workplace) -> None:
        while True:
            try:
                name, subject = waiting.get_nowait()
            except queue.Empty:
                return
            results[name] = trial(workplace, subject)
            print(f"{results[name]:18} {name}", flush=True)

    threads = [threading.Thread(target=work, args=(one,)) for one in workplaces]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def summarize(subjects: Mapping[str, Subject], results: Mapping[str, str], began: float) -> int:
    """Print the totals and what was not noticed; return the exit code: 0 where there were trials, and all were noticed."""
    noticed = [name for name in subjects if results.get(name) == NOTICED]
    for name in sorted(subjects.keys() - set(noticed)):
        print(f"{results.get(name, 'NOT TRIED')}: {name}")
    print(f"{len(subjects)} tried, {len(noticed)} noticed, {time.monotonic() - began:.0f} s")
    return 0 if noticed and len(noticed) == len(subjects) else 1


def result(python: str, folder: Path, tests: Sequence[str]) -> str:
    """Run tests in a folder from which something was taken, and return what that shows."""
    code = run_tests(python, folder, tests, LIMIT, "-x", "-p", "no:cacheprovider")
    return UNNOTICED if code == PASSED else NOTICED if code == FAILED else NOT_RUN


def all_pass(python: str, folder: Path, tests: Sequence[str], workers: int) -> bool:
    """Return whether the tests pass with everything in place; what fails may be tried once more on its own, for some measure time."""
    together = ("-n", str(workers), "--dist", "loadfile")
    codes = (run_tests(python, folder, tests, ALL_LIMIT, *options) for options in (together, ("--last-failed", "-v")))
    return any(code == PASSED for code in codes)


def run_tests(python: str, folder: Path, tests: Sequence[str], limit: float, *options: str) -> int:
    """Run tests in a folder and return pytest's exit code."""
    command = [python, "-m", "pytest", "-q", "--tb=no", "--no-header", *options, *tests]
    try:
        ended = subprocess.run(command, cwd=folder, timeout=limit, check=False, capture_output=True, text=True)
    except subprocess.TimeoutExpired:
        return FAILED
    if ended.returncode not in (PASSED, FAILED) or (ended.returncode and "-x" not in options):
        print(ended.stdout[-4000:], ended.stderr[-1000:], flush=True)
    return ended.returncode
