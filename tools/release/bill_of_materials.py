"""The bill of materials (SBOM), as CycloneDX JSON: what of others is in the layers, in which version, under which licence.

What is in a layer is read from the layer, and must be what its requirements.txt pins; the hashes are the pinned ones. Neither a time nor a random
number goes in: the serial number is made from the layers' own digests.
"""

import email.message
import email.parser
import json
import re
import uuid
from dataclasses import dataclass
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+) --hash=sha256:([0-9a-f]{64})$")
# Where the metadata has no SPDX expression, by what it says instead.
LICENCES = {
    "Apache License 2.0": "Apache-2.0",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",  # python-dateutil, whose LICENSE says so
}


@dataclass(frozen=True)
class Layer:
    """A layer: the file it is in, its digest (SHA-256, hex), the folder it was packed from, and what it is to consist of."""

    file: str
    digest: str
    built: Path
    requirements: Path


def document(version: str, python: str, layers: list[Layer]) -> str:
    """Return the bill of materials of a release whose layers were compiled by this version of Python.

    Raises ``LookupError`` where a layer holds anything else than its requirements pin.
    """
    tripod = Component(
        name="tripod", version=version, type=ComponentType.APPLICATION, bom_ref="tripod", licenses=_licences("Apache-2.0")
    )
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_OID, " ".join(layer.digest for layer in layers)))
    bom.metadata.component = tripod
    bom.metadata.tools.components.add(Component(name="python", version=python, type=ComponentType.PLATFORM, bom_ref="python"))
    files = []
    for layer in layers:
        libraries = [_library(each, pin) for each, pin in _distributions(layer)]
        file = Component(name=layer.file, type=ComponentType.FILE, bom_ref=layer.file, hashes=[_sha256(layer.digest)])
        bom.components.update([file, *libraries])
        bom.register_dependency(file, libraries)
        files.append(file)
    bom.register_dependency(tripod, files)
    written = json.loads(JsonV1Dot6(bom).output_as_string())
    del written["metadata"]["timestamp"]
    return json.dumps(written, indent=2, sort_keys=True) + "\n"


def pinned(requirements: str) -> dict[tuple[str, str], str]:
    """Return the SHA-256 of each distribution of a requirements.txt, by name and version; raises ``LookupError`` where one has none."""
    found = {}
    for line in requirements.splitlines():
        if line and not line.startswith("#"):
            pin = PIN.match(line)
            if pin is None:
                raise LookupError(f"not one version with one hash: {line}")
            found[normal(pin[1]), pin[2]] = pin[3]
    return found


def normal(name: str) -> str:
    """Return a distribution's name as PyPI compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _distributions(layer: Layer) -> list[tuple[email.message.Message, str]]:
    """Return the metadata and the pinned hash of each distribution in a layer."""
    pins, found = pinned(layer.requirements.read_text()), {}
    for path in layer.built.glob("python/*.dist-info/METADATA"):
        metadata = email.parser.HeaderParser().parsestr(path.read_text())
        found[normal(metadata["Name"]), metadata["Version"]] = metadata
    if found.keys() != pins.keys():
        raise LookupError(f"{layer.file} is not what {layer.requirements} pins: {sorted(found.keys() ^ pins.keys())}")
    return [(found[each], pins[each]) for each in sorted(pins)]


def _library(metadata: email.message.Message, digest: str) -> Component:
    name, version = normal(metadata["Name"]), metadata["Version"]
    wheel = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(f"https://pypi.org/project/{name}/{version}/"),
        comment="the wheel that is pinned",
        hashes=[_sha256(digest)],
    )
    url = PackageURL("pypi", name=name, version=version)
    said = metadata["License-Expression"] or metadata["License"]
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=str(url),
        purl=url,
        licenses=_licences(LICENCES.get(said, said)),
        external_references=[wheel],
    )


def _licences(said: str) -> list[License]:
    return [LicenseFactory().make_from_string(said)]


def _sha256(digest: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)
