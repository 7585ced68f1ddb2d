"""A release of what was built: the same bytes from another folder and another machine's settings, and nothing in it that is not accounted for."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from sandbox.repository import BUILT, ROOT
from tools.release import contents

AGAIN = "import sys; from pathlib import Path; from tools.release import contents; contents.write(*map(Path, sys.argv[1:]))"
ELSEWHERE = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "7"}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return contents.write(BUILT, tmp_path_factory.mktemp("releases"))


@pytest.fixture(scope="module")
def template(release: Path) -> dict[str, Any]:
    body: dict[str, Any] = yaml_parse((release / "template.yaml").read_text())
    return body


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def names_in(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_it_is_the_same_from_another_folder_in_another_time_zone_under_another_umask(release: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(BUILT, tmp_path / "built", copy_function=shutil.copyfile)  # with other times
    (copy / "StartFunction/handler.py").chmod(0o700)
    command = [sys.executable, "-c", AGAIN, str(copy), str(tmp_path / "releases")]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **ELSEWHERE}, umask=0o077, check=True)
    again, first = files(tmp_path / "releases" / release.name), files(release)
    assert again.keys() == first.keys()
    assert [name for name in first if first[name] != again[name]] == []


def test_sha256sum_verifies_every_file_of_it(release: Path) -> None:
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=release, capture_output=True, text=True, check=True
    )
    assert {line.removesuffix(": OK") for line in checked.stdout.splitlines()} == files(release).keys() - {"SHA256SUMS"}


def test_its_archives_are_what_was_built(release: Path, template: dict[str, Any]) -> None:
    for resource, path in archives(release, template):
        with zipfile.ZipFile(path) as archive:
            packed = {name: archive.read(name) for name in archive.namelist()}
        built = {
            one.relative_to(BUILT / resource).as_posix(): one.read_bytes()
            for one in (BUILT / resource).rglob("*")
            if one.is_file()
        }
        if resource.endswith("Function"):
            built = {name: content for name, content in built.items() if "__pycache__" not in name}
        assert packed.keys() == built.keys()
        assert [name for name in built if built[name] != packed[name]] == []


def test_its_template_is_whole_and_finds_each_archive_in_whatever_bucket_it_is_put(
    release: Path, template: dict[str, Any]
) -> None:
    assert {path.name for _, path in archives(release, template)} == {path.name for path in release.glob("*.zip")}
    local = [each for each in texts(template) if each and os.path.exists(ROOT / each)]  # a text may be too long for a Path
    assert local == []
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name="eu-west-1"))
    stack = translator.translate(template, {"CodeBucket": "my-bucket"})["Resources"].values()
    code = [each["Properties"]["Code"] for each in stack if each["Type"] == "AWS::Lambda::Function"]
    code += [each["Properties"]["Content"] for each in stack if each["Type"] == "AWS::Lambda::LayerVersion"]
    assert len(code) == len(list(release.glob("*.zip")))
    assert {each["S3Key"] for each in code} == {f"tripod/{release.name}/{path.name}" for path in release.glob("*.zip")}
    assert all(each["S3Bucket"] in ("my-bucket", {"Ref": "CodeBucket"}) for each in code)


def test_its_bill_of_materials_lists_exactly_what_is_in_the_layers(release: Path) -> None:
    text = (release / "sbom.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    components = {each["bom-ref"]: each for each in bill["components"]}
    inside = {each["ref"]: each.get("dependsOn", []) for each in bill["dependencies"]}
    layers = {path.name: path for path in release.glob("layer-*.zip")}
    assert inside["tripod"] == sorted(layers)
    for name, path in layers.items():
        assert components.pop(name)["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}]
        listed = [components.pop(each) for each in inside[name]]
        found = {
            part.removesuffix(".dist-info") for each in names_in(path) for part in each.split("/") if part.endswith(".dist-info")
        }
        assert {f"{each['name']}-{each['version']}" for each in listed} == {each.replace("_", "-").lower() for each in found}
        assert all(each["licenses"] and each["purl"] == f"pkg:pypi/{each['name']}@{each['version']}" for each in listed)
    assert components == {}


@pytest.mark.parametrize(
    ("wheel", "packages"),
    [
        ("tripod_oauth-*.whl", ["layers/tripod/tripod"]),
        ("tripod_oauth_cli-*.whl", ["layers/tripod/tripod", "layers/flow/tripod_flow", "cli/tripod_cli"]),
    ],
)
def test_its_wheels_have_every_module_of_their_packages_and_nothing_else(wheel: str, packages: list[str], release: Path) -> None:
    (path,) = release.glob(wheel)
    folders = [ROOT / package for package in packages]
    sources = {
        one.relative_to(folder.parent).as_posix() for folder in folders for one in (*folder.rglob("*.py"), folder / "py.typed")
    }
    assert {name for name in names_in(path) if ".dist-info/" not in name} == sources


def archives(release: Path, template: dict[str, Any]) -> Iterator[tuple[str, Path]]:
    """Yield each function and layer with the file that the template says it is in."""
    for name, resource in template["Resources"].items():
        properties = resource["Properties"]
        if place := properties.get("CodeUri") or properties.get("ContentUri"):
            assert place["Key"].startswith(f"tripod/{release.name}/")
            yield name, release / place["Key"].rpartition("/")[2]


def texts(body: Any) -> Iterator[str]:
    """Yield every text in a document."""
    if isinstance(body, dict):
        for each in body.values():
            yield from texts(each)
    elif isinstance(body, list):
        for each in body:
            yield from texts(each)
    elif isinstance(body, str):
        yield body
