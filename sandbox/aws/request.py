"""A call to AWS as its HTTP request states it, in either of AWS's protocols that are used here."""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from sandbox.aws.credentials import caller_of
from sandbox.template.intrinsics import REGION

_CREDENTIAL = re.compile(r"Credential=[^/]+/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")


@dataclass(frozen=True)
class AwsRequest:
    """One call: ``parameters`` are the operation's own, as the caller named them."""

    service: str  # "unsigned" where the request has no signature
    operation: str
    region: str
    account: str
    caller: str  # the function's name; empty for anyone else
    parameters: dict[str, Any]


def read_request(environ: dict[str, Any], body: bytes, account: str) -> AwsRequest:
    """Return the call that an HTTP request makes: JSON with a target, or a form with an Action (AWS's query protocol)."""
    credential = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    region, service = (credential["region"], credential["service"]) if credential else (REGION, "unsigned")
    operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    caller = caller_of(environ.get("HTTP_X_AMZ_SECURITY_TOKEN", ""))
    parameters: dict[str, Any] = {}
    try:
        if operation:
            parameters = json.loads(body or b"{}")
        else:
            parameters = {key: values[-1] for key, values in parse_qs(body.decode()).items()}
            operation = parameters.get("Action", f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
    except ValueError:
        parameters = {}
    return AwsRequest(service, operation, region, account, caller, parameters)
