"""The packages that a release has wheels of, built by the setuptools that requirements-dev.txt pins."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from sandbox.repository import ROOT
from tools.release import archive

PACKAGES = ("layers/tripod", "cli")  # each a folder with a pyproject.toml
SOURCES = ("layers/tripod", "layers/flow", "cli")  # the command's wheel brings the layers' packages along, from beside it
# What pip would call, without pip: a quarter of the time, and nothing is asked for or downloaded.
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
NO_SOURCES = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")  # what an earlier build has left would go in


def built(package: str) -> tuple[str, bytes]:
    """Return a wheel's file name and content; the sources are copied first, so that nothing is written beside them."""
    with tempfile.TemporaryDirectory() as folder:
        copy, into = Path(folder, "copy"), Path(folder, "wheel")
        for source in SOURCES:
            shutil.copytree(ROOT / source, copy / source, ignore=NO_SOURCES)
        into.mkdir()
        environment = {
            **os.environ,
            "PYTHONDONTWRITEBYTECODE": "",
        }  # with it setuptools warns that it leaves out what no wheel has
        subprocess.run(
            [sys.executable, "-c", BUILD, into], cwd=copy / package, env=environment, check=True, stdout=subprocess.DEVNULL
        )
        (wheel,) = into.iterdir()
        return wheel.name, archive.repacked(wheel.read_bytes())
