"""What the AWS Serverless Application Repository takes: SAM's developer guide, "AWS SAM template Metadata section properties"."""

import re
import tomllib

from sandbox.repository import TEMPLATE
from tests.support.translated import source

APPLICATION: dict[str, str | list[str]] = source()["Metadata"]["AWS::ServerlessRepo::Application"]
KNOWN = {"Name", "Description", "Author", "SpdxLicenseId", "LicenseUrl", "ReadmeUrl", "Labels", "HomePageUrl"}
KNOWN |= {"SourceCodeUrl", "SemanticVersion"}
LONGEST = {"Name": 140, "Description": 256, "Author": 127}  # characters
LARGEST = 5 * 1024 * 1024  # bytes, of the readme and the license


def test_it_has_what_is_required_and_nothing_unknown() -> None:
    assert APPLICATION.keys() >= {"Name", "Description", "Author"}
    assert APPLICATION.keys() <= KNOWN


def test_the_version_is_not_kept_here() -> None:
    assert "SemanticVersion" not in APPLICATION


def test_its_words_are_short_enough_and_spelt_as_they_must() -> None:
    assert all(0 < len(APPLICATION[key]) <= longest for key, longest in LONGEST.items())
    assert re.fullmatch(r"[a-zA-Z0-9-]+", str(APPLICATION["Name"]))
    assert re.fullmatch(r"[a-z0-9](([a-z0-9]|-(?!-))*[a-z0-9])?", str(APPLICATION["Author"]))


def test_its_labels_are_ten_at_most() -> None:
    labels = APPLICATION["Labels"]
    assert isinstance(labels, list)
    assert 0 < len(labels) == len(set(labels)) <= 10
    assert all(len(label) <= 127 and re.fullmatch(r"[a-zA-Z0-9+\-_:/@]+", label) for label in labels)


def test_the_files_that_it_names_are_there() -> None:
    for key in ("ReadmeUrl", "LicenseUrl"):
        if key in APPLICATION:
            assert 0 < (TEMPLATE.parent / str(APPLICATION[key])).stat().st_size <= LARGEST


def test_the_licence_is_the_same_in_the_template_both_packages_and_the_file() -> None:
    packages = [tomllib.loads(path.read_text()) for path in TEMPLATE.parent.glob("layers/*/pyproject.toml")]
    licence = APPLICATION["SpdxLicenseId"]
    assert [package["project"]["license"] for package in packages] == [licence] * 2
    assert f"SPDX-License-Identifier: {licence}" in (TEMPLATE.parent / str(APPLICATION["LicenseUrl"])).read_text()
