"""What a release consists of, made from what `make build` has built."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

from sandbox.repository import ROOT, TEMPLATE
from sandbox.runtime import emulator
from tools.release import archive, bill_of_materials, packaged_template, wheels
from tripod.version import VERSION

SUMS = "SHA256SUMS"


def version(number: str, changes: str) -> str:
    """Return a release's name: its version, and ``-unreleased`` while CHANGELOG.md has entries that are in no version yet."""
    waiting = re.search(r"^## Unreleased\n+(?!## )\S", changes, re.MULTILINE)
    return f"{number}-unreleased" if waiting else number


def write(built: Path, releases: Path) -> Path:
    """Write a release's files into a folder of its name, in place of any that is there, and return the folder."""
    name = version(VERSION, (ROOT / "CHANGELOG.md").read_text())
    files = contents(name, built)
    files[SUMS] = sums(files)
    folder = releases / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file, content in files.items():
        (folder / file).write_bytes(content)
    return folder


def contents(name: str, built: Path) -> dict[str, bytes]:
    """Return the files of a release but for their digests."""
    template, files, archives, layers = TEMPLATE.read_text(), {}, {}, []
    for resource, source in packaged_template.local_code(template).items():
        kind, _, subject = source.partition("/")  # functions/start, layers/flow
        content = archive.folder(built / resource, bytecode=kind == "layers")
        digest = hashlib.sha256(content).hexdigest()
        archives[source] = f"{kind.removesuffix('s')}-{subject}-{digest[:16]}.zip"
        files[archives[source]] = content
        if kind == "layers":
            layers.append(bill_of_materials.Layer(archives[source], digest, built / resource, ROOT / source / "requirements.txt"))
    files["template.yaml"] = packaged_template.packaged(template, name, archives).encode()
    files["sbom.cdx.json"] = bill_of_materials.document(name, _python(), layers).encode()
    files["LICENSE"] = (ROOT / "LICENSE").read_bytes()
    return files | dict(map(wheels.built, wheels.PACKAGES))


def sums(files: dict[str, bytes]) -> bytes:
    """Return the digests of files, as ``sha256sum`` writes and checks them."""
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items())).encode()


def _python() -> str:
    """Return the version of the interpreter that has compiled the layers."""
    asked = [emulator.python(), "-c", "import platform; print(platform.python_version())"]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
