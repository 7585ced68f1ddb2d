"""What would be uploaded: these sources, their pinned requirements, and bytecode that Lambda uses."""

import importlib.util
import os
import subprocess
from pathlib import Path

import pytest

from sandbox.repository import BUILT, ROOT
from sandbox.runtime import emulator

LAYERS = ("TripodLayer", "FlowLayer")
PACKAGES = {"TripodLayer": ROOT / "layers/tripod/tripod", "FlowLayer": ROOT / "layers/flow/tripod_flow"}
FOR_TESTS = ("testing.py", "fake_aws.py", "fake_provider.py")  # of the package `tripod`, and in no layer
MAGIC_OF_3_13 = (3571).to_bytes(2, "little") + b"\r\n"
UNCHECKED_HASH = 0b01  # PEP 552: bytecode by hash of the source, not checked when it is imported


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def sources(folder: Path) -> dict[str, bytes]:
    return {name: content for name, content in files(folder).items() if "__pycache__" not in name}


def test_what_is_built_are_these_sources() -> None:
    for layer, package in PACKAGES.items():
        expected = {name: content for name, content in sources(package).items() if name not in FOR_TESTS}
        assert sources(BUILT / layer / "python" / package.name) == expected, "run `make build`"
    for function in (ROOT / "functions").iterdir():
        assert sources(BUILT / f"{function.name.title()}Function") == sources(function), "run `make build`"


@pytest.mark.parametrize("layer", LAYERS)
def test_every_module_has_bytecode_that_lambda_uses_without_a_look_at_the_source(layer: str) -> None:
    modules = list((BUILT / layer).rglob("*.py"))
    assert modules
    for module in modules:
        bytecode = (module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc").read_bytes()
        assert bytecode[:4] == MAGIC_OF_3_13
        assert int.from_bytes(bytecode[4:8], "little") == UNCHECKED_HASH, module
        assert bytecode[8:16] == importlib.util.source_hash(module.read_bytes()), module
        assert os.fsencode(BUILT) not in bytecode


def test_the_layers_hold_what_their_requirements_name_and_nothing_twice() -> None:
    names: list[str] = []
    for layer in LAYERS:
        required = (
            BUILT.parent.parent / "layers" / ("tripod" if layer == "TripodLayer" else "flow") / "requirements.txt"
        ).read_text()
        pinned = sorted(line.split()[0].replace("-", "_").lower() for line in required.splitlines() if line[:1] not in {"", "#"})
        found = sorted(path.name.removesuffix(".dist-info") for path in (BUILT / layer / "python").glob("*.dist-info"))
        assert [one.replace("-", "==", 1) for one in found] == pinned
        names += [name for name in files(BUILT / layer) if not name.endswith(".dist-info/RECORD")]
    assert len(names) == len(set(names))


ALONE = """
import importlib, sys
for module in ("boto3", "handler"):
    importlib.import_module(module)
import boto3, requests
for service in ("dynamodb", "secretsmanager", "events", "ssm"):
    boto3.client(service, region_name="us-east-1", aws_access_key_id="AKIAX", aws_secret_access_key="x").close()
answer = requests.Response()
answer._content = "gr\u00fc\u00df dich, caf\u00e9, na\u00efve".encode()  # as from a server that names no charset
assert answer.text == answer.content.decode(), answer.text
"""


def test_the_layers_need_no_package_of_the_runtimes() -> None:
    places = [BUILT / "RelayFunction", *(BUILT / layer / "python" for layer in LAYERS)]
    environment = {"PYTHONPATH": os.pathsep.join(map(str, places))}
    command = [emulator.python(), "-B", "-S", "-s", "-W", "error", "-c", ALONE]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize("layer", LAYERS)
def test_a_native_library_is_of_lambdas_architecture(layer: str) -> None:
    aarch64 = b"\xb7\x00"  # the ELF header's e_machine
    assert all(path.read_bytes()[18:20] == aarch64 for path in (BUILT / layer).rglob("*.so"))


def test_another_build_has_the_same_bytes(tmp_path: Path) -> None:
    arguments = ["--build-dir", str(tmp_path / "build"), "--cache-dir", str(tmp_path / "cache")]
    command = ["make", "--silent", "build", f"SAM_BUILD={' '.join(arguments)}"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert finished.returncode == 0, finished.stderr
    again, here = files(tmp_path / "build"), files(BUILT)
    assert again.keys() == here.keys()
    assert [name for name in here if here[name] != again[name] and name != "template.yaml"] == []
