"""What the build and a cold start leave out: nothing that is called, and what other Lambdas are given is whole."""

import json
import os
import ssl
import subprocess
from typing import Any

import botocore.session
import pytest

from sandbox.repository import BUILT
from sandbox.runtime import emulator
from tests.support.flow_layer import trim

FLOW = BUILT / "FlowLayer/python"
REGIONS = ("us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1")  # of three partitions

URLS = """
import json, sys, boto3
services, regions = json.loads(sys.argv[1])
session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x")
clients = {f"{s} {r}": session.client(s, region_name=r) for s in services for r in regions}
print(json.dumps({n: [c.meta.endpoint_url, sorted(c.meta.service_model.operation_names)] for n, c in clients.items()}))
"""

COLD = """
import gc, json, sys, handler
import charset_normalizer, idna, requests, requests_oauthlib
left_out = [name for name in json.loads(sys.argv[1]) if name in sys.modules]
collects, frozen = gc.isenabled(), gc.get_freeze_count() > 10_000
found = [idna.encode("b\u00fccher.example").decode(), charset_normalizer.detect(b"text")["encoding"]]
found += [requests_oauthlib.OAuth1.__module__, hasattr(requests_oauthlib, "OAuth2Session")]
print(json.dumps([left_out, collects, frozen, found]))
"""


def built(code: str, argument: Any, function: str = "CallbackFunction", **environment: str) -> Any:
    """Run code with a built function and its layers on the path, and return the JSON that it prints last."""
    places = [BUILT / function, FLOW, BUILT / "TripodLayer/python"]
    command = [emulator.python(), "-B", "-S", "-s", "-W", "error", "-c", code, json.dumps(argument)]
    finished = subprocess.run(
        command,
        env={"PYTHONPATH": os.pathsep.join(map(str, places)), "AWS_EC2_METADATA_DISABLED": "true", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout.splitlines()[-1])


def test_the_trimmed_clients_have_every_operation_and_the_same_addresses() -> None:
    operations: dict[str, tuple[str, ...]] = trim().OPERATIONS
    whole = botocore.session.Session()
    whole.set_credentials("x", "x")
    expected = {
        f"{service} {region}": [whole.create_client(service, region_name=region).meta.endpoint_url, sorted(operations[service])]
        for service in operations
        for region in REGIONS
    }
    assert built(URLS, [list(operations), REGIONS]) == expected


def test_the_ca_bundle_for_aws_is_the_roots_that_it_uses() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(FLOW / "botocore/cacert.pem")
    names = {dict(pair for part in each["subject"] for pair in part)["commonName"] for each in context.get_ca_certs()}  # type: ignore[misc]  # nested
    assert names == set(trim().ROOTS)


def test_a_build_on_other_libraries_than_these_fails(tmp_path: Any) -> None:
    (tmp_path / "botocore/data").mkdir(parents=True)
    with pytest.raises((LookupError, OSError)):
        trim().trim(tmp_path)


@pytest.mark.parametrize(
    "function",
    ["StartFunction", "CallbackFunction", "RedeemFunction", "RevokeFunction", "SignFunction", "CheckFunction", "RelayFunction"],
)
def test_a_function_imports_nothing_that_it_does_not_use_and_all_of_it_can_be_had(function: str) -> None:
    left_out = [
        "oauthlib.oauth2",
        "importlib.metadata",
        "charset_normalizer.api",
        "idna.core",
        "tripod.bearer",
        "tripod_flow.api.languages",
        "multiprocessing",
    ]
    settings = {"TRIPOD_PREFIX": "tripod", "TRIPOD_TABLE": "table", "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}
    names = {"POWERTOOLS_METRICS_NAMESPACE": "Tripod", "POWERTOOLS_SERVICE_NAME": "cold"}
    told = built(COLD, left_out, function, AWS_LAMBDA_RUNTIME_API="127.0.0.1:1", **settings, **names)
    assert told == [[], True, True, ["xn--bcher-kva.example", "ascii", "requests_oauthlib.oauth1_auth", False]]


def test_outside_lambda_every_package_is_itself() -> None:
    settings = {"TRIPOD_PREFIX": "tripod", "TRIPOD_TABLE": "table"}
    code = "import json, handler, requests_oauthlib; print(json.dumps(hasattr(requests_oauthlib, 'OAuth2Session')))"
    assert built(code, None, **settings) is True


def test_the_public_layer_has_no_botocore() -> None:
    assert not (BUILT / "TripodLayer/python/botocore").exists()
    assert not (BUILT / "TripodLayer/python/boto3").exists()
