"""How every command ends: by a sentence and an exit code, whatever stops it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.world import Sandbox
from tests.support.command import started, tripod
from tests.support.sandbox_app import SandboxApp
from tests.support.token_rows import csv_file, row

INTERRUPTS_ITSELF = """
import builtins, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
load = builtins.__import__
def slow(name, *rest, **more):
    if name == "requests" and "tripod_cli" in sys.modules:
        os.kill(os.getpid(), signal.SIGINT)
    return load(name, *rest, **more)
builtins.__import__ = slow
from tripod_cli.__main__ import run
run()
"""


def test_ctrl_c_while_the_command_is_still_loaded_is_no_traceback() -> None:
    ended = subprocess.run([sys.executable, "-c", INTERRUPTS_ITSELF], capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stderr) == (130, "")


def test_ctrl_c_at_a_question_is_interrupted_as_anywhere(sandbox: Sandbox) -> None:
    with started(sandbox, "disconnect", "x", "1") as command:
        stderr = command.stderr
        assert stderr
        asked = "".join(iter(lambda: stderr.read(1), "]"))
        command.send_signal(signal.SIGINT)
        _, said = command.communicate(timeout=60)
    assert asked.endswith("[y/N")
    assert (command.returncode, said.splitlines()[-1].partition(".")[0]) == (130, "tripod: interrupted")


@pytest.mark.parametrize("typed", ["n\n", ""])
def test_a_question_that_nobody_says_yes_to_tells_how_a_script_does(sandbox: Sandbox, typed: str) -> None:
    ran = tripod(sandbox, "disconnect", "x", "1", typed=typed)
    assert (ran.exit_code, ran.out) == (1, "")
    assert "--yes says so" in ran.err


def test_a_file_that_cannot_be_written_is_a_sentence(app: SandboxApp, tmp_path: Path) -> None:
    users = csv_file(tmp_path / "users.csv", [row("1"), {**row("2"), "oauth_token": ""}])
    none = tripod(app.sandbox, "import", app.name, users, "--dry-run", "--report", str(tmp_path / "none" / "report"))
    assert (none.exit_code, none.err) == (2, "tripod: the report can't be written: No such file or directory\n")
    full = tripod(app.sandbox, "import", app.name, users, "--dry-run", "--report", "/dev/full")
    assert (full.exit_code, full.err) == (1, "tripod: No space left on device\n")
