"""The commands that the README shows first."""

import json
import re
import subprocess
import sys

from sandbox.repository import TEMPLATE


def demo(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "sandbox.demo", *arguments],
        cwd=TEMPLATE.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def assert_told(finished: "subprocess.CompletedProcess[str]") -> None:
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert '"posted": 201' in finished.stdout
    assert "authorization.granted" in finished.stdout
    assert finished.stdout.rstrip().endswith("All of it worked.")


def test_the_demo_shows_every_leg_and_masks_every_secret() -> None:
    finished = demo()
    assert_told(finished)
    assert "Secrets Manager" in finished.stdout
    assert '"oauth_token": "2244…"' in finished.stdout


def test_the_demo_tells_the_same_with_the_tokens_sealed_in_the_table() -> None:
    finished = demo("table")
    assert_told(finished)
    assert "Secrets Manager" not in finished.stdout
    (shown,) = (line for line in finished.stdout.splitlines() if "sealed_tokens" in line)
    kept = json.loads(shown)
    assert (kept["user_id"], kept["screen_name"]) == ("2244994945", "ada")
    assert re.fullmatch(r".{4}… \(\d+ bytes\)", kept["sealed_tokens"])
    assert "oauth_token_secret" not in finished.stdout


def test_the_demo_says_which_stores_there_are() -> None:
    finished = demo("cellar")
    assert finished.returncode == 2
    assert "secrets-manager" in finished.stderr
    assert "table" in finished.stderr
