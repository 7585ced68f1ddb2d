"""API Gateway's two translations: an HTTP request into an event (payload 2.0), and a function's result into an answer.

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

from sandbox.template import API_ID, Route

# Not for the function: they are about one hop, or come as `cookies`.
_OWN_FIELDS = {"connection", "cookie", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"}
# Not for the caller: this answer's framing is the server's. "date" and "server" are sent anyway.
_FRAMING = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding", "upgrade"}
_TEXTUAL = re.compile(r"(text/.*|application/(.*\+)?(json|xml|javascript))$")
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class MalformedResultError(Exception):
    """A function's result isn't what API Gateway understands; it answers 500."""


@dataclass(frozen=True)
class HttpRequest:
    """One request as it arrived: ``target`` is the request line's, headers in their order."""

    method: str
    target: str
    protocol: str
    headers: list[tuple[str, str]]
    body: bytes
    source_ip: str
    port: int  # of the API, where it was reached

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


def pairs(route: Route, path: str) -> dict[str, str] | None:
    """Return the path parameters with which ``path`` fits ``route``, decoded; None where it doesn't."""
    pattern = "".join(
        f"(?P<{part[1:-2]}>.+)" if part.endswith("+}") else f"(?P<{part[1:-1]}>[^/]+)" if part[:1] == "{" else re.escape(part)
        for part in re.split(r"(\{[^}]*\})", route.path)
    )
    found = re.fullmatch(pattern, path)
    return None if found is None else {name: unquote(value) for name, value in found.groupdict().items()}


def event(request: HttpRequest, route: Route, parameters: dict[str, str], account: str) -> dict[str, Any]:
    """Return the event, payload 2.0, for a request that fits ``route``."""
    names = dict.fromkeys(name.lower() for name, _ in request.headers)
    headers = {name: request.header(name) for name in names if name not in _OWN_FIELDS}
    now = time.time()
    headers |= {
        "content-length": str(len(request.body)),
        "x-amzn-trace-id": f"Root=1-{int(now):08x}-{secrets.token_hex(12)}",
        "x-forwarded-for": ", ".join(filter(None, (headers.get("x-forwarded-for"), request.source_ip))),
        "x-forwarded-port": str(request.port),
        "x-forwarded-proto": "http",
    }
    path = unquote(request.path)
    result: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,  # an HTTP API decodes it, unlike a REST API or a function URL
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": account,
            "apiId": API_ID,
            "domainName": f"127.0.0.1:{request.port}",  # the API's own; never the caller's Host
            "domainPrefix": "127",
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


def _body(request: HttpRequest) -> dict[str, Any]:
    """Return the body's part of the event: text as it is, anything else in base64, a submitted form too."""
    if _TEXTUAL.match(request.header("content-type").partition(";")[0].strip().lower()):
        try:
            return {"body": request.body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(request.body).decode(), "isBase64Encoded": True}


def answer(result: Any) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return status, headers and body for a function's result; raise MalformedResultError."""
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
