"""The HTTP API on loopback: the template's routes, with API Gateway's events, responses, quotas and errors."""

import base64
import json
import secrets
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from sandbox.gateway.event import GatewayRequest, MalformedResultError, Reply, path_parameters, to_event, to_reply
from sandbox.gateway.signature import is_signed
from sandbox.gateway.stage import ApiStage
from sandbox.loopback import ConnectionHandler, LoopbackServer
from sandbox.runtime.functions import MAX_EVENT, Functions
from sandbox.runtime.logs import Logs
from sandbox.template.template import Function, Route

MAX_HEAD = 10_240  # bytes of request line and headers together: API Gateway's quota
PATIENCE = 30.0  # seconds that API Gateway waits for a function: its quota
MAX_BODY = 10 * 1024 * 1024  # bytes: API Gateway's quota


def refusal(status: int, message: str) -> Reply:
    """Return a response of API Gateway itself."""
    return status, [("content-type", "application/json")], json.dumps({"message": message}).encode()


class HttpApi(LoopbackServer):
    """The API's server: ``start``, ``url``, ``stop``. With a custom ``domain`` it answers to that Host alone, as API Gateway does."""

    def __init__(
        self,
        described: list[Function],
        functions: Functions,
        account: str,
        logs: Logs,
        port: int = 0,
        *,
        domain: str = "",
        stage: ApiStage | None = None,
    ) -> None:
        super().__init__(port, _ApiHandler)
        self.domain = domain
        self._stage = stage or ApiStage()
        self.on_access: Callable[[str], None] = lambda _line: None  # called with each line of the access log
        self._functions = functions
        self._account = account
        self._logs = logs
        self.front_page: Callable[[GatewayRequest], Reply] | None = None  # answers at /, where no route does
        routes = [(route, function.name) for function in described for route in function.routes]
        self._routes = sorted(routes, key=lambda each: _rank(each[0]))

    def reply(self, request: GatewayRequest) -> Reply:
        """Answer one request, and write its line of the access log."""
        began = time.monotonic()
        reply = self._reply(request)
        self.on_access(self._stage.line(request, reply[0], time.monotonic() - began))
        return reply

    def _reply(self, request: GatewayRequest) -> Reply:
        """Route one request, run its function, and return the response."""
        if self.domain and request.header("host").partition(":")[0].lower() != self.domain:
            return refusal(403, "Forbidden")
        for route, name in self._routes:
            parameters = {} if route.key == "$default" else path_parameters(route, request.path)
            if parameters is not None and route.method in {request.method, "ANY", ""}:
                if not self._stage.takes(route.key):
                    return refusal(429, "Too Many Requests")
                return self._run(request, route, parameters, name)
        if self.front_page is not None and request.path == "/" and request.method in {"GET", "POST"}:
            return self.front_page(request)
        return refusal(404, "Not Found")

    def _run(self, request: GatewayRequest, route: Route, parameters: dict[str, str], name: str) -> Reply:
        if route.iam and not is_signed(request):
            return refusal(403, "Forbidden")
        event = to_event(request, route, parameters, self._account)
        if route.iam:
            event["requestContext"]["authorizer"] = {"iam": _identity(request, self._account)}
        if len(json.dumps(event)) > MAX_EVENT:
            return refusal(413, "Request Entity Too Large")
        result = self._functions.invoke(name, event, patience=PATIENCE, alias=self._functions.function(name).alias)
        if result.timed_out:
            return refusal(503, "Service Unavailable")
        if result.error:
            return refusal(500, "Internal Server Error")
        try:
            return to_reply(result.payload)
        except MalformedResultError as error:
            self._logs.write(f"{name} returned a malformed result: {error}\n")
            return refusal(500, "Internal Server Error")


def _rank(route: Route) -> tuple[bool, bool, bool, int]:
    """Order routes as API Gateway chooses: whole matches before greedy ones, literal before variable, $default last."""
    return route.key == "$default", "+}" in route.path, route.method == "ANY", route.path.count("{")


def _identity(request: GatewayRequest, account: str) -> dict[str, Any]:
    """Return the caller as an IAM authorizer describes it."""
    key = request.header("authorization").partition("Credential=")[2].partition("/")[0]
    return {
        "accessKey": key,
        "accountId": account,
        "callerId": "AIDASANDBOX",
        "cognitoIdentity": None,
        "principalOrgId": "aws:PrincipalOrgID",
        "userArn": f"arn:aws:iam::{account}:user/sandbox",
        "userId": "AIDASANDBOX",
    }


class _ApiHandler(ConnectionHandler):
    """One connection of a browser or a program."""

    server: HttpApi
    max_body = MAX_BODY

    def _serve(self) -> None:
        head = len(self.raw_requestline) + sum(len(name) + len(value) for name, value in self.headers.items())
        if head > MAX_HEAD:
            self.close_connection = True
            uri = len(self.raw_requestline) > MAX_HEAD
            status = HTTPStatus.REQUEST_URI_TOO_LONG if uri else HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            return self._send(refusal(status, status.phrase))
        if (body := self.read_body()) is None:
            return None
        port, headers = self.server.server_port, self.headers.items()
        source = str(self.client_address[0])
        line = (self.command, self.path, self.request_version)
        return self._send(self.server.reply(GatewayRequest(*line, headers, body, source, port, self.server.domain)))

    def _send(self, reply: Reply) -> None:
        status, headers, body = reply
        identifier = base64.b64encode(secrets.token_bytes(11)).decode()
        self.answer(status, [*headers, ("apigw-requestid", identifier)], body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _serve
