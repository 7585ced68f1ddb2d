"""What is measured beside the built functions: the reference, a floor, rivals. Built once for each state of the sources, below .bench/."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from sandbox.repository import ROOT, TOOLS
from sandbox.runtime.emulator import python

HERE = Path(__file__).resolve().parent
OWN = ROOT / ".bench"
REQUIREMENTS = [ROOT / "layers/tripod/requirements.txt", ROOT / "layers/flow/requirements.txt"]


def pip(folder: Path, *arguments: str) -> None:
    """Install packages into a folder, for this machine."""
    command = [str(TOOLS / "sam/bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    subprocess.run([*command, "--target", str(folder), *arguments], check=True)


def requirements() -> list[str]:
    """Return what the layers need, pinned, without the hashes: those are of what is built for Lambda, and here it is for this machine."""
    lines = [line for each in REQUIREMENTS for line in each.read_text().splitlines()]
    return [line.split()[0] for line in lines if line and not line.startswith("#")]


def compile_all(folder: Path) -> None:
    """Compile as the layers' Makefiles do."""
    subprocess.run(
        [python(), "-X", "no_debug_ranges", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(folder)],
        check=True,
    )


def _of(name: str, *sources: Path) -> Path:
    """Return the folder of what is built of these sources as they are now; what was built of other ones is taken away."""
    files = (file for each in sources for file in ([each] if each.is_file() else sorted(each.rglob("*.py"))))
    folder = OWN / f"{name}-{hashlib.sha256(b''.join(file.read_bytes() for file in files)).hexdigest()[:12]}"
    for other in set(OWN.glob(f"{name}-*")) - {folder}:
        shutil.rmtree(other)
    return folder


def whole() -> Path:
    """Return the layer of the same requirements with nothing left out, compiled: what the reference and the floor stand on."""
    folder = _of("whole", *REQUIREMENTS, Path(__file__))
    if not folder.exists():
        pip(folder / "python", "--no-deps", *requirements())
        compile_all(folder / "python")
    return folder


def without_bytecode(layer: Path, target: Path) -> Path:
    """Copy a layer without what its Makefile compiled."""
    shutil.copytree(layer, target, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def own_alone(layer: Path, target: Path) -> Path:
    """Copy the flow layer's own package alone: with ``whole`` beside it, its libraries are uncut."""
    shutil.copytree(layer / "python/tripod_flow", target / "python/tripod_flow")
    return target


def importing_all(layer: Path, target: Path) -> Path:
    """Copy the flow layer, what ``tripod_flow.cold_start`` does about imports and garbage left out."""
    shutil.copytree(layer, target)
    cold = target / "python/tripod_flow/cold_start.py"
    cold.write_text(cold.read_text() + "\n\ndef begin() -> None: ...\n\n\ndef end() -> None: ...\n")
    shutil.rmtree(target / "python/tripod_flow/__pycache__")
    compile_all(target / "python/tripod_flow")
    return target


def by_default_builder(name: str) -> Path:
    """Return one function, with all its code, as SAM's own builder makes it of a requirements.txt: no layer, no bytecode."""
    ours = ROOT / "layers/tripod/tripod", ROOT / "layers/flow/tripod_flow"
    folder = _of(f"default-{name}", *REQUIREMENTS, ROOT / "functions" / name.lower(), *ours)
    if not folder.exists():
        source = OWN / "source" / name
        shutil.rmtree(source, ignore_errors=True)
        shutil.copytree(ROOT / "functions" / name.lower(), source / "code", ignore=shutil.ignore_patterns("__pycache__"))
        for package in ours:
            shutil.copytree(package, source / "code" / package.name, ignore=shutil.ignore_patterns("__pycache__"))
        (source / "code/requirements.txt").write_text("\n".join(requirements()))
        (source / "template.yaml").write_text(_TEMPLATE)
        sam = [
            str(TOOLS / "sam/bin/sam"),
            "build",
            "--template",
            str(source / "template.yaml"),
            "--build-dir",
            str(source / "built"),
        ]
        environment = {
            "PATH": f"{Path(python()).parent}:/usr/local/bin:/usr/bin:/bin",
            "SAM_CLI_TELEMETRY": "0",
            "HOME": str(source),
        }
        subprocess.run(sam, check=True, capture_output=True, env=environment)
        shutil.move(source / "built/Function", folder)
    return folder


_TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: code/, Handler: handler.handler, Runtime: python3.13}
"""


def trusting(bundle: Path, source: Path, target: Path) -> Path:
    """Copy a folder, every CA bundle in it with ours added: for TLS to this machine; bytecode stays, its paths too."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    for each in target.rglob("*.pem"):
        each.write_bytes(each.read_bytes() + b"\n" + bundle.read_bytes())
    return target


def grant() -> Path:
    """Return the folder of npm's grant as a handler, and of the AWS SDK that it may use."""
    folder = OWN / "rivals"
    if not (folder / "node_modules").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for each in (HERE / "rivals").iterdir():
            shutil.copy(each, folder)
        npm = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(npm, cwd=folder, check=True)
    return folder


def node(folder: Path) -> list[str]:
    """Return the command of a Node runtime for the handler in ``folder``."""
    return [shutil.which("node") or "node", str(folder / "runtime.cjs"), str(folder / "grant.cjs")]
