"""AWS Signature Version 4: whether a request was signed with the sandbox's credentials."""

import datetime
import hashlib
import hmac
import re

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sandbox.aws.credentials import ACCESS_KEY, SECRET_KEY
from sandbox.gateway.event import GatewayRequest

SKEW = 300  # seconds that a signature's date may be off; AWS allows five minutes

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, ?"
    r"SignedHeaders=(?P<headers>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


def is_signed(request: GatewayRequest, service: str = "execute-api") -> bool:
    """Return True if ``request`` has a recent, valid signature of the sandbox's access key for ``service``."""
    found = _AUTHORIZATION.fullmatch(request.header("authorization"))
    date = request.header("x-amz-date")
    if not found or found["key"] != ACCESS_KEY or found["service"] != service or not _is_recent(date):
        return False
    names = found["headers"].split(";")
    digest = request.header("x-amz-content-sha256")
    if "host" not in names or digest not in {"", hashlib.sha256(request.body).hexdigest()}:
        return False
    headers = {name: request.header(name) for name in names}
    url = f"http://{request.header('host')}{request.path}{'?' if request.query else ''}{request.query}"
    unsigned = AWSRequest(method=request.method, url=url, data=request.body, headers=headers)
    unsigned.context["timestamp"] = date
    signer = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), service, found["region"])
    expected = signer.signature(signer.string_to_sign(unsigned, signer.canonical_request(unsigned)), unsigned)
    return hmac.compare_digest(expected, found["signature"])


def _is_recent(date: str) -> bool:
    try:
        then = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
    except ValueError:
        return False
    return abs((datetime.datetime.now(datetime.UTC) - then).total_seconds()) <= SKEW
