"""The commands that the README shows first."""

import subprocess
import sys

from sandbox.repository import TEMPLATE


def test_the_demo_shows_every_leg_and_masks_every_secret() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "sandbox.demo"], cwd=TEMPLATE.parent, capture_output=True, text=True, timeout=60, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert '"posted": [201, 200]' in finished.stdout
    assert "authorization.granted" in finished.stdout
    assert finished.stdout.rstrip().endswith("All of it worked.")
    assert '"oauth_token": "2244…"' in finished.stdout
