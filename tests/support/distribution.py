"""CloudFront, as far as a sign-in notices it: a distribution in front of the API, set up as a template says.

Sources: the CloudFront developer guide's "Request and response behavior for custom origins", "Use managed origin request policies"
and "Control how long CloudFront caches errors".
"""

import http.client
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sandbox.gateway.event import Reply
from sandbox.loopback import ConnectionHandler, LoopbackServer
from sandbox.template.intrinsics import Document
from tests.support.translated import CERTIFICATE, DOMAIN

ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
ERROR_TTL = 10  # seconds that an error is kept, where the distribution doesn't say
TIMEOUT = 35  # seconds

_REMOVED = {"expect", "proxy-authorization", "te", "trailer", "upgrade", "x-forwarded-proto", "x-real-ip"}
_HOP = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"}
_KEPT_ERRORS = {400, 403, 404, 405, 410, 412, 414, 415, 500, 501, 502, 503, 504}
_UNLESS_NO_STORE = {404, 410, 414, 501}  # other errors are kept whatever their Cache-Control says


@dataclass(frozen=True)
class Forwarded:
    """What an origin request policy sends on of a visitor's request."""

    host: bool = False
    others: bool = False  # the other headers, cookies and the query


POLICIES = {ALL_VIEWER: Forwarded(host=True, others=True), ALL_VIEWER_EXCEPT_HOST: Forwarded(others=True), "": Forwarded()}


class Distribution(LoopbackServer):
    """The distribution of a template (``examples/distribution``, or one like it) in front of the API at ``origin``."""

    def __init__(self, template: Path, origin: str, target: str) -> None:
        parameters = {"DomainName": DOMAIN, "DomainTarget": target, "CertificateArn": CERTIFICATE}
        (described,) = Document(template, parameters).resources("AWS::CloudFront::Distribution").values()
        config = described["DistributionConfig"]
        behaviour = config["DefaultCacheBehavior"]
        self._aliases: list[str] = config["Aliases"]
        self._methods: list[str] = behaviour["AllowedMethods"]
        self._forwarded = POLICIES[behaviour.get("OriginRequestPolicyId", "")]
        self._target: str = config["Origins"][0]["DomainName"]
        self._error_ttl = {each["ErrorCode"]: each["ErrorCachingMinTTL"] for each in config.get("CustomErrorResponses", [])}
        self._address = urlsplit(origin).netloc
        self._errors: dict[str, tuple[float, Reply]] = {}  # by path: CachingDisabled has neither query nor cookies in its key
        super().__init__(0, _Viewer)

    def __enter__(self) -> "Distribution":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def reply(self, method: str, target: str, headers: dict[str, str], body: bytes, viewer: str) -> Reply:
        """Answer a visitor: with an error that is kept, or what the origin says."""
        path, _, _ = target.partition("?")
        if headers.get("host") not in self._aliases or method not in self._methods:
            return 403, [("content-type", "text/html")], b"<h1>403 ERROR</h1> The request could not be satisfied."
        until, kept = self._errors.get(path, (0.0, None))
        if kept and method in {"GET", "HEAD"} and time.monotonic() < until:
            return kept
        answer = self._ask(method, target if self._forwarded.others else path, self._sent(headers, viewer), body)
        if method in {"GET", "HEAD"} and self._is_kept(answer):
            self._errors[path] = (time.monotonic() + self._error_ttl.get(answer[0], ERROR_TTL), answer)
        return answer

    def _sent(self, headers: dict[str, str], viewer: str) -> dict[str, str]:
        """Return the headers that the origin gets."""
        passed = {name: value for name, value in headers.items() if name not in _REMOVED | _HOP | {"host"}}
        if not self._forwarded.others:
            passed = {name: value for name, value in passed.items() if name in {"content-type", "x-forwarded-for"}}
            passed["user-agent"] = "Amazon CloudFront"
        if "cookie" in passed:
            passed["cookie"] = "; ".join(sorted(passed["cookie"].split("; ")))
        return passed | {
            "host": headers["host"] if self._forwarded.host else self._target,
            "x-forwarded-for": ",".join(filter(None, (headers.get("x-forwarded-for"), viewer))),
            "via": "1.1 0123456789abcdef.cloudfront.net (CloudFront)",
            "x-amz-cf-id": secrets.token_urlsafe(42),
        }

    def _ask(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Reply:
        connection = http.client.HTTPConnection(self._address, timeout=TIMEOUT)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.putheader("content-length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            passed = [(name.lower(), value) for name, value in response.getheaders() if name.lower() not in _HOP]
            if not self._forwarded.others:
                passed = [(name, value) for name, value in passed if name != "set-cookie"]
            return response.status, passed, response.read()
        finally:
            connection.close()

    @staticmethod
    def _is_kept(answer: Reply) -> bool:
        status, headers, _ = answer
        return status in _KEPT_ERRORS and not (status in _UNLESS_NO_STORE and ("cache-control", "no-store") in headers)


class _Viewer(ConnectionHandler):
    """One visitor's connection."""

    server: Distribution

    def _serve(self) -> None:
        if (body := self.read_body()) is None:
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.answer(*self.server.reply(self.command, self.path, headers, body, str(self.client_address[0])))

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _serve
