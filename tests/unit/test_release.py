"""What `make release` writes depends on what goes in, and on nothing else; what it doesn't know stops it."""

import io
import os
import re
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest

from sandbox.repository import ROOT, TEMPLATE
from tools.release import archive, bill_of_materials, commit, contents, packaged_template, wheels

FILES = {"handler.py": b"pass\n", "a/z.py": b"", "a/b.txt": b"text " * 1000}
LINE = "six==1.17.0 --hash=sha256:" + "0" * 64


def written(folder: Path, names: list[str]) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(FILES[name])
    return folder


def zip_of(content: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(content))


def test_an_archive_says_nothing_of_when_by_whom_and_in_what_order_its_files_were_written(tmp_path: Path) -> None:
    one, other = written(tmp_path / "one", list(FILES)), written(tmp_path / "other", list(reversed(FILES)))
    (other / "handler.py").chmod(0o700)
    os.utime(other / "a/z.py", (1, 1))
    (other / "empty").mkdir()
    packed = archive.folder(one, bytecode=False)
    assert packed == archive.folder(other, bytecode=False)
    entries = zip_of(packed).infolist()
    assert [entry.filename for entry in entries] == ["a/b.txt", "a/z.py", "handler.py"]
    assert {(entry.date_time, oct(entry.external_attr >> 16), entry.create_system) for entry in entries} == {
        ((1980, 1, 1, 0, 0, 0), "0o100644", 3)
    }
    assert {name: zip_of(packed).read(name) for name in FILES} == FILES


def test_a_functions_archive_has_no_bytecode_and_a_layers_has(tmp_path: Path) -> None:
    folder = written(tmp_path, ["handler.py"])
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__/handler.cpython-313.pyc").write_bytes(b"x")
    assert zip_of(archive.folder(folder, bytecode=False)).namelist() == ["handler.py"]
    assert len(zip_of(archive.folder(folder, bytecode=True)).namelist()) == 2


def test_a_link_goes_into_no_archive(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(ValueError, match="neither a file nor a folder"):
        archive.folder(tmp_path, bytecode=False)


def test_a_wheel_keeps_its_files_and_their_order_and_loses_the_machines_traces() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as wheel:
        wheel.writestr(zipfile.ZipInfo("z.py", (2026, 11, 27, 1, 2, 4)), "z")
        wheel.writestr(zipfile.ZipInfo("a.dist-info/RECORD", (2026, 11, 27, 1, 2, 6)), "a")
    assert archive.repacked(made.getvalue()) == archive.packed([("z.py", b"z"), ("a.dist-info/RECORD", b"a")])


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ("# Changes\n\n## Unreleased\n\n- **One**\n\n## 1.2.3\n\nThe first.\n", "1.2.3-unreleased"),
        ("# Changes\n\n## Unreleased\n\n## 1.2.3\n\nThe first.\n", "1.2.3"),
        ("# Changes\n\n## 1.2.3\n\n- No more Unreleased\n", "1.2.3"),
    ],
)
def test_what_is_in_no_version_yet_does_not_go_by_the_name_of_one(changes: str, name: str) -> None:
    assert contents.version("1.2.3", changes) == name


def test_nothing_that_is_not_committed_goes_into_a_release(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@a.example", *arguments], cwd=tmp_path, check=True)

    assert commit.uncommitted(written(tmp_path, ["handler.py"])) == ""  # an archive of a commit, unpacked
    git("init", "--quiet")
    git("add", "handler.py")
    git("commit", "--quiet", "--message", "one")
    assert commit.uncommitted(tmp_path) == ""
    (tmp_path / "handler.py").write_text("changed")
    (tmp_path / "unknown.py").write_text("")
    assert commit.uncommitted(tmp_path).splitlines() == [" M handler.py", "?? unknown.py"]


def test_where_git_refuses_to_answer_there_is_no_release_and_git_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)  # this machine's may call every folder safe
    with monkeypatch.context() as others:
        others.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
        with pytest.raises(commit.Unanswered, match="dubious ownership"):
            commit.uncommitted(tmp_path)
    (tmp_path / ".git/HEAD").unlink()
    with pytest.raises(commit.Unanswered, match="not a git repository"):
        commit.uncommitted(tmp_path)


def test_digests_are_written_as_sha256sum_writes_them() -> None:
    assert contents.sums({"b": b"", "a": b""}) == (
        b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n"
        b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b\n"
    )


def test_every_package_that_is_not_private_has_a_wheel() -> None:
    projects = (*ROOT.glob("[!.]*/pyproject.toml"), *ROOT.glob("layers/*/pyproject.toml"))
    named = {path.parent.relative_to(ROOT).as_posix(): tomllib.loads(path.read_text())["project"]["name"] for path in projects}
    assert {folder for folder, name in named.items() if name != "tripod-flow"} == set(wheels.PACKAGES)


@pytest.mark.parametrize("layer", ["tripod", "flow"])
def test_every_requirement_of_a_layer_is_one_version_with_one_hash_and_pip_refuses_any_other(layer: str) -> None:
    folder = ROOT / "layers" / layer
    assert bill_of_materials.pinned((folder / "requirements.txt").read_text())
    (install,) = re.findall(r"pip install (.*?[^\\])\n", (folder / "Makefile").read_text(), re.DOTALL)
    assert {"--require-hashes", "--no-deps", "--only-binary=:all:"} <= set(install.split())


@pytest.mark.parametrize(
    "line", ["six", "six>=1.17.0", "six==1.17.0", LINE[:-1], f"{LINE} --hash=sha256:{'1' * 64}", "--index-url https://a.example"]
)
def test_a_requirement_without_one_version_and_one_hash_stops_a_release(line: str) -> None:
    assert bill_of_materials.pinned(f"# why\n{LINE}\n") == {("six", "1.17.0"): "0" * 64}
    with pytest.raises(LookupError, match="not one version with one hash"):
        bill_of_materials.pinned(f"{LINE}\n{line}\n")


@pytest.mark.parametrize("installed", [[], ["six 1.16.0"], ["six 1.17.0", "evil 1.0"]])
def test_a_layer_that_holds_something_else_than_is_pinned_stops_a_release(installed: list[str], tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(LINE)
    for each in installed:
        name, version = each.split()
        folder = tmp_path / f"built/python/{name}-{version}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nLicense-Expression: MIT\n")
    layer = bill_of_materials.Layer("layer.zip", "0" * 64, tmp_path / "built", tmp_path / "requirements.txt")
    with pytest.raises(LookupError, match=r"layer\.zip is not what .* pins: \[\('"):
        bill_of_materials.document("1.2.3", "3.13.0", [layer])


@pytest.mark.parametrize(
    "gone", ["Parameters:\n", "    ParameterGroups:\n", "  AWS::ServerlessRepo::Application:", 'Description: "Tripod: ']
)
def test_a_template_of_another_form_stops_a_release(gone: str) -> None:
    template = TEMPLATE.read_text()
    archives = dict.fromkeys(packaged_template.local_code(template).values(), "code.zip")
    assert packaged_template.packaged(template, "1.2.3", archives)
    with pytest.raises(LookupError, match="times in the template"):
        packaged_template.packaged(template.replace(gone, "", 1), "1.2.3", archives)
