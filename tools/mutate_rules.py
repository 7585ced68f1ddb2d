"""``make mutate-rules``: change one expression of the rules at a time, and see their tests notice.

mutmut makes the mutants and runs ``tests/unit/rules`` against each. It expects the package in ``src``, so it works on a copy of
that shape in ``.mutants``. Which files and tests it takes is in pyproject.toml. A survivor must be in ``tests/unit/rules/survivors.toml``
with its reason, and what is listed there must survive: else the exit code is 1. ``mutmut browse`` in ``.mutants`` shows them all.

mutmut changes what is inside functions. Constants, class attributes, fields' defaults, patterns and properties it leaves as they are:
the tables name their values (seconds, codes, states) instead. Test modules are imported once for all mutants, so what a test calls a rule
for must be made inside the test, or in a lambda of its table.
"""

import collections
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".mutants"
REVIEWED = ROOT / "tests/unit/rules/survivors.toml"
MUTMUT = Path(sys.executable).with_name("mutmut")
NOTICED = {"killed", "timeout"}  # a suite that hangs has noticed

Survivor = tuple[str, str, str]  # function, the lines as they are, the lines as the mutant has them


def main() -> int:
    """Make the copy, run mutmut on it, and compare what survives with what may."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    copy("layers/flow/tripod_flow", "src/tripod_flow")
    for name in ("tests/unit/rules", "tests/support", "docs/architecture.md", "pyproject.toml"):
        copy(name, name)
    print("mutmut's own progress is in .mutants/run.log; it takes about four minutes on two cores", flush=True)
    with (FOLDER / "run.log").open("w") as log:
        if subprocess.run([MUTMUT, "run"], cwd=FOLDER, check=False, stdout=log, stderr=log).returncode:
            print("mutmut could not run; the end of its log says why")
            return 1
    status = dict(re.findall(r"^\s*(\S+): (.+)$", mutmut("results", "--all", "true"), re.M))
    for word, number in collections.Counter(status.values()).most_common():
        print(f"{number:5} {word}")
    survivors = {survivor(name) for name, word in status.items() if word not in NOTICED}
    reviewed = {(one["function"], one["was"], one["is"]) for one in tomllib.loads(REVIEWED.read_text())["survivor"]}
    for heading, found in (("NEW SURVIVOR", survivors - reviewed), ("LISTED, BUT NOTICED", reviewed - survivors)):
        for function, was, new in sorted(found):
            print(f"\n{heading}: {function}\n- {was}\n+ {new}")
    modules = {path.stem for path in (FOLDER / "src/tripod_flow/rules").glob("[a-z]*.py")}
    unmutated = modules - {name.split(".")[2] for name in status}
    if unmutated:
        print(f"\nNO MUTANT in {', '.join(sorted(unmutated))}")
    print(f"\n{len(status)} mutants, {len(survivors)} survivors, {len(survivors & reviewed)} of them reviewed")
    return 1 if unmutated or survivors != reviewed else 0


def copy(name: str, to: str) -> None:
    """Copy a file or folder into the working folder."""
    source, target = ROOT / name, FOLDER / to
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def mutmut(*arguments: str) -> str:
    """Return what a command of mutmut's prints."""
    return subprocess.run([MUTMUT, *arguments], cwd=FOLDER, check=True, capture_output=True, text=True).stdout


def survivor(name: str) -> Survivor:
    """Return a mutant by what it changes, since its number changes with each edit of the function."""
    diff = [line for line in mutmut("show", name).splitlines() if line[:1] in "-+" and line[:3] not in ("---", "+++")]
    was, new = (" ".join(line[1:].strip() for line in diff if line[0] == sign) for sign in "-+")
    function = (
        name.removeprefix("tripod_flow.rules.")
        .rpartition("__mutmut_")[0]
        .replace("x_", "", 1)
        .replace("xǁ", "")
        .replace("ǁ", ".")
    )
    return function, was, new


if __name__ == "__main__":
    sys.exit(main())
