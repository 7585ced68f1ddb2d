"""API Gateway's two conversions: an HTTP request to an event (payload 2.0), and a function's result to an HTTP response.

Source: "Create AWS Lambda proxy integrations for HTTP APIs in API Gateway", AWS's developer guide.
"""

import base64
import json
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from sandbox.template.intrinsics import API_ID
from sandbox.template.template import Route

# Left out of the event: they concern one hop, or are in `cookies`.
_NOT_FORWARDED = {"connection", "cookie", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"}
# Left out of the response: the server sets its own.
_FRAMING = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding", "upgrade"}
_TEXTUAL = re.compile(r"(text/.*|application/(.*\+)?(json|xml|javascript))$")
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


Reply = tuple[int, list[tuple[str, str]], bytes]  # status, headers, body


class MalformedResultError(Exception):
    """A function's result is malformed; API Gateway answers 500."""


@dataclass(frozen=True)
class GatewayRequest:
    """One request as it arrived: ``target`` is the request line's, headers in their order."""

    method: str
    target: str
    protocol: str
    headers: list[tuple[str, str]]
    body: bytes
    source_ip: str
    port: int  # of the API, where it was reached
    domain: str = ""  # the API's custom domain name, where it has one

    @property
    def path(self) -> str:
        """Return the path as sent."""
        return self._origin_form.partition("?")[0]

    @property
    def query(self) -> str:
        """Return the query string as sent, in ASCII."""
        return self._origin_form.partition("?")[2]

    @property
    def _origin_form(self) -> str:
        """Return the target without scheme and host, which a proxy's client sends too, and with raw bytes encoded."""
        target = re.sub(r"^https?://[^/?]*", "", self.target, flags=re.IGNORECASE)
        return quote(target.encode("latin-1", "replace"), safe="".join(map(chr, range(0x21, 0x7F))))

    def header(self, name: str) -> str:
        """Return a header's values joined as API Gateway joins them; empty where there is none."""
        return ",".join(value for each, value in self.headers if each.lower() == name)


def path_parameters(route: Route, path: str) -> dict[str, str] | None:
    """Return the decoded path parameters if ``path`` matches ``route``, else None."""
    pattern = "".join(
        f"(?P<{part[1:-2]}>.+)" if part.endswith("+}") else f"(?P<{part[1:-1]}>[^/]+)" if part[:1] == "{" else re.escape(part)
        for part in re.split(r"(\{[^}]*\})", route.path)
    )
    found = re.fullmatch(pattern, path)
    return None if found is None else {name: unquote(value) for name, value in found.groupdict().items()}


def to_event(request: GatewayRequest, route: Route, parameters: dict[str, str], account: str) -> dict[str, Any]:
    """Return the event, payload 2.0, for a request that matches ``route``."""
    names = dict.fromkeys(name.lower() for name, _ in request.headers)
    headers = {name: request.header(name) for name in names if name not in _NOT_FORWARDED}
    now = time.time()
    headers |= {
        "content-length": str(len(request.body)),
        "x-amzn-trace-id": f"Root=1-{int(now):08x}-{secrets.token_hex(12)}",
        "x-forwarded-for": ", ".join(filter(None, (headers.get("x-forwarded-for"), request.source_ip))),
        "x-forwarded-port": str(request.port),
        "x-forwarded-proto": "http",
    }
    path, domain = unquote(request.path), request.domain or f"127.0.0.1:{request.port}"
    result: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,  # an HTTP API decodes it, unlike a REST API or a function URL
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": account,
            "apiId": API_ID,
            "domainName": domain,  # the API's own; never the caller's Host
            "domainPrefix": domain.partition(".")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": request.header("user-agent"),
            },
            "requestId": base64.b64encode(secrets.token_bytes(11)).decode(),
            "routeKey": route.key,
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookie := request.header("cookie"):
        # At commas too: AWS says that cookie headers are combined with them, and not what becomes of those in a value.
        result["cookies"] = [each.strip(" \t") for each in re.split("[;,]", cookie) if each.strip(" \t")]
    if request.query:
        joined: dict[str, list[str]] = {}
        for name, value in parse_qsl(request.query, keep_blank_values=True):
            joined.setdefault(name, []).append(value)
        result["queryStringParameters"] = {name: ",".join(values) for name, values in joined.items()}
    if parameters:
        result["pathParameters"] = parameters
    if request.body:
        result |= _body(request)
    return result


def _body(request: GatewayRequest) -> dict[str, Any]:
    """Return the body's part of the event: text as it is, anything else in base64, a submitted form too."""
    if _TEXTUAL.match(request.header("content-type").partition(";")[0].strip().lower()):
        try:
            return {"body": request.body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(request.body).decode(), "isBase64Encoded": True}


def to_reply(result: Any) -> Reply:
    """Return the HTTP response for a function's result; raise MalformedResultError."""
    if not isinstance(result, dict) or "statusCode" not in result:
        text = result if isinstance(result, str) else json.dumps(result, separators=(",", ":"))
        return 200, [("content-type", "application/json")], text.encode(errors="replace")
    status, body = result["statusCode"], result.get("body")
    headers, cookies = result.get("headers") or {}, result.get("cookies") or []
    if not re.fullmatch("[2-5][0-9][0-9]", str(status)) or isinstance(status, float):
        raise MalformedResultError(f"statusCode {status!r}")
    if not (isinstance(headers, dict) and isinstance(cookies, list) and isinstance(body, str | None)):
        raise MalformedResultError("headers must be an object, cookies an array, body a string")
    fields = [(str(name).lower(), _value(value)) for name, value in headers.items()]
    fields = [(name, value) for name, value in fields if name not in _FRAMING]
    fields += [("set-cookie", _value(cookie)) for cookie in cookies]
    if not any(name == "content-type" for name, _ in fields):
        fields.append(("content-type", "text/plain;charset=UTF-8"))
    for name, value in fields:
        if not _FIELD_NAME.fullmatch(name) or re.search(r"[\0\r\n]|[^\0-\xff]", value):
            raise MalformedResultError(f"header {name!r}")
    try:
        content = base64.b64decode(body or "") if result.get("isBase64Encoded") else (body or "").encode(errors="replace")
    except ValueError as error:
        raise MalformedResultError("body is not base64") from error
    return int(status), fields, content


def _value(value: Any) -> str:
    if isinstance(value, dict | list | None):
        raise MalformedResultError(f"a header's value is {type(value).__name__}")
    return str(value).lower() if isinstance(value, bool) else str(value)
