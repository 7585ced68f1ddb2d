"""Cut the flow layer's AWS libraries down to what the functions use; run once by the layer's Makefile, before compiling.

What a cold start reads is what it pays for: service models, endpoint tables, certificates, and the modules of features that no
function has. The figure beside each cut is what it takes off a cold start, as a share of the reference (docs/performance.md).
The public layer is never cut: what other Lambdas call is theirs to choose.
"""

import gzip
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Every operation that any function calls.
OPERATIONS = {
    "dynamodb": ("GetItem", "PutItem", "Query", "Scan", "TransactWriteItems", "UpdateItem"),
    "events": ("PutEvents",),
    "kms": ("Decrypt", "Encrypt"),
    "secretsmanager": (
        *("CreateSecret", "DeleteSecret", "DescribeSecret", "GetSecretValue", "PutSecretValue", "RestoreSecret"),
        "UpdateSecretVersionStage",
    ),
    "ssm": ("GetParameter",),
}

# Who vouches for AWS's endpoints: Amazon's own roots, and DigiCert's for the partitions in China. Loading all of botocore's bundle
# would take 20 ms of each cold start, and these 2.
ROOTS = (
    *(f"Amazon Root CA {number}" for number in (1, 2, 3, 4)),
    "Starfield Services Root Certificate Authority - G2",
    *(f"DigiCert Global Root {name}" for name in ("CA", "G2", "G3")),
)

# What the libraries import at once and no function calls, by the little that is asked of it then.
STUBS = {
    # boto3.compat asks S3's transfer manager for one class: with it go multiprocessing and a dozen modules.
    "s3transfer/__init__.py": "",
    "s3transfer/manager.py": "class TransferConfig:\n    UNSET_DEFAULT = None\n",
    # A docstring for each method of each client, from the models' documentation, which is cut as well.
    "botocore/docs/docstring.py": "def _none(*args, **kwargs):\n    return None\n\n\n"
    "ClientMethodDocstring = PaginatorDocstring = WaiterDocstring = _none\n",
    "botocore/docs/__init__.py": "",
    # boto3's resources, which nothing here uses: clients only.
    "boto3/resources/factory.py": "class ResourceFactory:\n    def __init__(self, emitter):\n        pass\n",
    # All of Powertools' 40 kinds of events, of which one is read.
    "aws_lambda_powertools/utilities/data_classes/__init__.py": "from .api_gateway_proxy_event import APIGatewayProxyEventV2\n",
    # Powertools' logger can read a correlation id out of an event by a JMESPath expression: we hand it over.
    "aws_lambda_powertools/utilities/jmespath_utils/__init__.py": "",
}

# What each session of botocore's registers for its events (0.03): of 127 handlers, those of other services and of the documentation go.
HANDLERS = f"""

BUILTIN_HANDLERS = [
    handler
    for handler in BUILTIN_HANDLERS
    if handler[0].split(".")[0] != "docs" and handler[0].split(".")[1:2] in {[[], *([name] for name in OPERATIONS)]}
]
"""


def trim(packages: Path) -> None:
    """Cut what is installed in the folder ``packages``; raises ``LookupError`` where it isn't as expected."""
    data = packages / "botocore/data"
    for service in [each for each in data.iterdir() if each.is_dir()]:
        if service.name in OPERATIONS:
            _trim_service(service, OPERATIONS[service.name])
        else:
            shutil.rmtree(service)
    endpoints = data / "endpoints.json"
    _write(endpoints, _few_endpoints(_read(endpoints)))
    bundle = packages / "botocore/cacert.pem"
    bundle.write_text("\n".join(_certificates(bundle.read_text())))
    for name in ("boto3/data", "boto3/examples"):
        shutil.rmtree(packages / name)
    for name, source in STUBS.items():
        stubbed = packages / name
        if not stubbed.is_file():
            raise LookupError(f"{name} is not there to be replaced")
        stubbed.write_text(source)
    handlers = packages / "botocore/handlers.py"
    handlers.write_text(handlers.read_text() + HANDLERS)


def _trim_service(folder: Path, operations: tuple[str, ...]) -> None:
    """Keep the newest version's model, of these operations alone, and what belongs to it."""
    *older, newest = sorted(folder.iterdir())
    for version in older:
        shutil.rmtree(version)
    found = {described.name.removesuffix(".gz"): _read(described) for described in newest.iterdir()}
    for described in list(newest.iterdir()):
        described.unlink()
    model = _few_operations(found["service-2.json"], operations)
    _write(newest / "service-2.json", model)
    pages = {name: each for name, each in found["paginators-1.json"]["pagination"].items() if name in operations}
    _write(newest / "paginators-1.json", {"pagination": pages})
    for name in ("service-2.sdk-extras.json", "endpoint-rule-set-1.json"):
        if name in found:
            _write(newest / name, found[name])


def _few_operations(model: dict[str, Any], operations: tuple[str, ...]) -> dict[str, Any]:
    kept = {name: model["operations"][name] for name in operations}
    shapes: dict[str, Any] = {}
    waiting = [name for operation in kept.values() for name in _shapes_in(operation)]
    while waiting:
        if (name := waiting.pop()) not in shapes:
            shapes[name] = model["shapes"][name]
            waiting += _shapes_in(shapes[name])
    few: dict[str, Any] = _undocumented({**model, "operations": kept, "shapes": dict(sorted(shapes.items()))})
    return few


def _shapes_in(described: Any) -> Iterator[str]:
    """Yield the shapes that an operation or a shape refers to."""
    if isinstance(described, dict):
        if isinstance(described.get("shape"), str):
            yield described["shape"]
        for each in described.values():
            yield from _shapes_in(each)
    elif isinstance(described, list):
        for each in described:
            yield from _shapes_in(each)


def _undocumented(described: Any) -> Any:
    if isinstance(described, dict):
        return {
            name: _undocumented(each) for name, each in described.items() if name != "documentation" or isinstance(each, dict)
        }
    return [_undocumented(each) for each in described] if isinstance(described, list) else described


def _few_endpoints(endpoints: dict[str, Any]) -> dict[str, Any]:
    for partition in endpoints["partitions"]:
        partition["services"] = {name: each for name, each in partition["services"].items() if name in OPERATIONS}
    return endpoints


def _certificates(bundle: str) -> Iterator[str]:
    for name in ROOTS:
        found = re.search(
            rf'^# Label: "{re.escape(name)}"$.*?(-----BEGIN.*?-----END CERTIFICATE-----\n)', bundle, re.DOTALL | re.MULTILINE
        )
        if found is None:
            raise LookupError(f"botocore's bundle has no {name}")
        yield f"# {name}\n{found[1]}"


def _read(path: Path) -> Any:
    content = path.read_bytes()
    return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, separators=(",", ":")))


if __name__ == "__main__":
    trim(Path(sys.argv[1]))
