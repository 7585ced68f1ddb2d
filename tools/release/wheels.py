"""The packages that a release has wheels of, built by the setuptools that requirements-dev.txt pins."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from sandbox.repository import ROOT
from tools.release import archive

PACKAGES = ("layers/tripod",)  # each a folder with a pyproject.toml
NO_SOURCES = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")  # what an earlier build has left would go in


def built(package: str) -> tuple[str, bytes]:
    """Return a wheel's file name and content; the package is copied first, so that nothing is written beside its sources."""
    with tempfile.TemporaryDirectory() as folder:
        source, into = Path(folder, "source"), Path(folder, "wheel")
        shutil.copytree(ROOT / package, source, ignore=NO_SOURCES)
        options = ["--no-build-isolation", "--no-deps", "--no-index", "--quiet", "--disable-pip-version-check"]
        subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", into, source], check=True)
        (wheel,) = into.iterdir()
        return wheel.name, archive.repacked(wheel.read_bytes())
