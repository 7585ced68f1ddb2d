"""AWS over HTTP on loopback: moto, one call at a time, refusing what AWS refuses, with every call on record.

moto's conditional writes are not atomic under threads (1 of 100 raced deletes had two winners), so a lock is around it.
"""

import contextlib
import io
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from sandbox.aws import bus, iam, keys, log_queries, permissions, rules
from sandbox.aws.credentials import LAMBDA_SERVICE
from sandbox.aws.faults import NEVER_DONE, UNANSWERED, AwsFault, AwsFaultKind, AwsFaults, Quota
from sandbox.aws.moto_app import MotoApp
from sandbox.aws.request import AwsRequest, read_request
from sandbox.aws.response import AwsResponse
from sandbox.loopback import ConnectionHandler, LoopbackServer
from sandbox.template.intrinsics import ACCOUNT

DRIP = 0.2  # seconds between two bytes
HANG = 60.0  # seconds that a hanging response keeps its connection; longer than any client waits

WRITES = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"}  # those that a stream records

_accounts = itertools.count(int(ACCOUNT))  # moto's state is the process's: an account of its own keeps each server apart


@dataclass(frozen=True)
class AwsCall:
    """A call on record; ``error`` is AWS's code, or "lost", "hang" or "reset" where no response went out."""

    service: str
    operation: str
    resource: str  # a secret's name, an item's key, else the table; a KMS key and its encryption context's values; else empty
    status: int  # HTTP; 0 where no response went out
    error: str | None
    caller: str  # the function's name; empty for anyone else
    parameters: dict[str, Any] = field(repr=False)
    needed: tuple[iam.Check, ...] = field(repr=False)  # what IAM checks for it


class AwsServer(LoopbackServer):
    """AWS's server: ``start``, ``url``, ``stop``; ``calls`` and ``events`` on record; ``fault`` arms one.

    ``roles`` holds a role's policies by the name of the function that has it; callers without a role may do all.
    ``log_lines`` returns a log group's lines, each with its time; None: there is no such group.
    ``on_write`` is called after each write to a table, before its response goes out; ``on_event`` likewise for each event.
    """

    def __init__(self, port: int = 0) -> None:
        super().__init__(port, _AwsHandler)
        self.on_write: Callable[[], None] = lambda: None
        self.on_event: Callable[[bus.PublishedEvent], None] = lambda _: None
        self.log_lines: log_queries.Groups = lambda _: None
        self.account = str(next(_accounts))
        self.roles: dict[str, iam.Policy] = {}
        self._moto = MotoApp()
        self._one_at_a_time = threading.Lock()
        self._calls: list[AwsCall] = []
        self._events: list[bus.PublishedEvent] = []
        self._faults = AwsFaults()
        self._log_queries = log_queries.LogQueries()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End every hanging response, and the server."""
        self._stopping.set()
        super().stop()

    @property
    def calls(self) -> list[AwsCall]:
        """Return the calls so far, in the order in which they were performed."""
        return list(self._calls)

    @property
    def events(self) -> list[bus.PublishedEvent]:
        """Return the events that were published on any bus so far, in order."""
        return list(self._events)

    def called(self, service: str, operation: str = "*", about: str = "") -> list[AwsCall]:
        """Return the calls of one operation (``*``: any) whose resource contains ``about``."""
        return [
            call
            for call in self.calls
            if call.service == service and operation in {call.operation, "*"} and about in call.resource
        ]

    def fault(  # noqa: PLR0917 - a line in a test is read from left to right
        self, service: str, operation: str, kind: AwsFaultKind, times: int = 1, match: str = "", after: int = 0
    ) -> AwsFault:
        """Arm a fault for the next ``times`` calls of an operation (``*``: any) whose body contains ``match``, but for the first ``after``.

        "entry_failed" is for PutEvents: of the entries, those that contain ``match`` fail, and the others are published.
        An AWS client repeats by itself what is throttled, unavailable, internal or broken: boto3 makes up to 5 attempts.
        """
        return self._faults.arm(AwsFault(service, operation, kind, times, match, after))

    def add_key(self, arn: str) -> None:
        """Let there be a KMS key of this ARN, as one that an operator has made beforehand."""
        keys.add(arn, self.account)

    def limit(self, service: str, operation: str, per_second: float, clock: Callable[[], float] = time.monotonic) -> Quota:
        """Refuse the calls of an operation beyond so many a second, as AWS's quotas do."""
        return self._faults.limit(Quota(service, operation, per_second, clock))

    def disarm(self) -> None:
        """Remove every armed fault and quota."""
        self._faults.disarm()

    def pause(self, seconds: float) -> bool:
        """Wait; return True if the server is being stopped."""
        return self._stopping.wait(seconds)

    def perform(self, environ: dict[str, Any], body: bytes) -> AwsResponse | None:
        """Return the response to one HTTP request; None where the connection is to break without one."""
        request = read_request(environ, body, self.account)
        if request.caller == LAMBDA_SERVICE:
            with self._one_at_a_time:
                return self._performed(request, environ, body, None)
        with self._one_at_a_time:
            needed = permissions.required_checks(request)
        fault = self._faults.strike(request.service, request.operation, body.decode("utf-8", "replace"))
        if fault and (refused := fault.refusal(request.operation)):
            refusing = AwsResponse.refusing_in_xml if request.service == "sts" else AwsResponse.refusing
            return self._record(request, needed, refusing(refused))
        if fault and fault.kind in NEVER_DONE:
            response = AwsResponse(200, [], b"<html>not from here</html>") if fault.kind == "garbage" else None
            self._record(request, needed, response, fault.kind)
            if fault.kind == "hang":
                self._stopping.wait(HANG)
            return response
        with self._one_at_a_time:
            role = self.roles.get(request.caller)
            if role and (error := role.refusal(needed, self.account, request.caller)):
                return self._record(request, needed, AwsResponse.refusing(error))
            response = self._performed(request, environ, body, fault)
            response = replace(response, drips=bool(fault and fault.kind == "drip"))
            sent = self._record(
                request, needed, None if fault and fault.kind in UNANSWERED else response, fault.kind if fault else ""
            )
        if fault and fault.kind == "silent":
            self._stopping.wait(HANG)
        return sent

    def _performed(self, request: AwsRequest, environ: dict[str, Any], body: bytes, fault: AwsFault | None) -> AwsResponse:
        """Let moto perform a call, unless AWS refuses it; call ``on_event`` and ``on_write``."""
        if error := rules.refusal(request):
            return AwsResponse.refusing(error)
        if queried := self._log_queries.answer(request, self.log_lines):
            return queried
        held = bus.held_back(request, fault.match if fault and fault.kind == "entry_failed" else None)
        response = self._moto.perform(request, environ, keys.by_id(request, bus.without(body, held)))
        if response.status >= HTTPStatus.BAD_REQUEST:
            return response
        response = AwsResponse(response.status, *rules.corrected(request, response.headers, bus.completed(response.body, held)))
        for event in bus.published(request, held, response.body):
            self._events.append(event)
            self.on_event(event)
        if request.service == "dynamodb" and request.operation in WRITES:
            self.on_write()
        return response

    def _record(
        self, request: AwsRequest, needed: tuple[iam.Check, ...], response: AwsResponse | None, unanswered: str = ""
    ) -> AwsResponse | None:
        status, error = (response.status, response.error) if response else (0, unanswered)
        about = (request.service, request.operation, rules.resource(request))
        self._calls.append(AwsCall(*about, status, error, request.caller, request.parameters, needed))
        return response


class _AwsHandler(ConnectionHandler):
    """One connection of an AWS client."""

    server: AwsServer

    def _serve(self) -> None:
        body = self.read_body()
        if body is None:
            return
        response = self.server.perform(self._environ(), body)
        if response is None:
            self.close_connection = True
            return
        if response.drips:
            self.close_connection = True
            self._drip(response.body)
        else:
            self.answer(response.status, response.headers, response.body)

    def _drip(self, body: bytes) -> None:
        """Send the response a byte at a time, until the client goes away."""
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\nx-padding: {'.' * 1000}\r\n\r\n"
        with contextlib.suppress(OSError):  # the client went away
            for byte in head.encode() + body:
                self.wfile.write(bytes([byte]))
                if self.server.pause(DRIP):
                    return

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _serve

    def _environ(self) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}
        return headers | {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "RAW_URI": self.path,
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "SERVER_NAME": self.server.server_name,
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": self.client_address[0],
            "HTTP_X_MOTO_ACCOUNT_ID": self.server.account,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
