"""AWS over HTTP on loopback: moto, one request at a time, refusing what AWS refuses, with every call on record.

moto's conditional writes are not atomic under threads (1 of 100 raced deletes had two winners), so a lock is around it.
"""

import contextlib
import io
import itertools
import json
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from sandbox import aws_rules, bus, iam
from sandbox.faults import INTERNAL, NEVER_DONE, UNANSWERED, Error, Fault, Faults, Kind, Limit
from sandbox.loopback import Exchange, LoopbackServer
from sandbox.template import ACCOUNT, REGION

# moto's SSM imports moto's EC2 for SendCommand alone: a second of reading instance types, and nothing here is about EC2.
_no_ec2 = ModuleType("moto.ec2")
vars(_no_ec2)["ec2_backends"] = {}
sys.modules.setdefault("moto.ec2", _no_ec2)

DRIP = 0.2  # seconds between two bytes
HANG = 60.0  # seconds that a hanging answer keeps its connection; longer than any client waits
ACCESS_KEY = "AKIASANDBOXSANDBOX00"  # the sandbox's own; nothing outside it knows them
SECRET_KEY = "sandbox/secret/key/of/no/worth/at/all000"  # noqa: S105 - worth nothing

LAMBDA = "lambda.amazonaws.com"  # who calls for Lambda itself: no fault strikes it, and it is not on record
SESSION = "sandbox-session-of-"  # a function's session token is this and its name, so that a call tells who made it
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"}  # what a stream tells of

_accounts = itertools.count(int(ACCOUNT))  # moto's state is the process's: an account of its own keeps each server apart
_CREDENTIAL = re.compile(r"Credential=[^/]+/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")


@dataclass(frozen=True)
class Request:
    """One call to AWS: ``parameters`` are the operation's own, as the caller named them."""

    service: str
    operation: str
    region: str
    account: str
    caller: str
    parameters: dict[str, Any]

    @property
    def resource(self) -> str:
        """Return what the call is about: a secret's name, an item's key, else the table, else nothing."""
        return aws_rules.resource(self)


@dataclass(frozen=True)
class Call:
    """A call on record; ``error`` is AWS's code, or "lost", "hang" or "reset" where no answer went out."""

    service: str
    operation: str
    resource: str
    status: int  # HTTP; 0 where no answer went out
    error: str | None
    caller: str  # the function's name; empty for anyone else
    parameters: dict[str, Any] = field(repr=False)
    needed: tuple[iam.Check, ...] = field(repr=False)  # what IAM checks for it


@dataclass(frozen=True)
class Answer:
    """What goes back: status, headers, body; ``drips``: a byte at a time."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    drips: bool = False

    @classmethod
    def refusing(cls, error: Error) -> "Answer":
        """Return the answer that AWS's JSON protocols give for an error."""
        content: dict[str, Any] = {"__type": error.code, "message": error.message}
        if error.reasons:
            content["CancellationReasons"] = [{"Code": reason} for reason in error.reasons]
        headers = [("content-type", "application/x-amz-json-1.1"), ("x-amzn-errortype", error.code)]
        return cls(error.status, headers, json.dumps(content).encode())

    @property
    def error(self) -> str | None:
        """Return the error's code, None where the call succeeded."""
        if self.status < HTTPStatus.BAD_REQUEST:
            return None
        try:
            return str(json.loads(self.body)["__type"]).rsplit("#", 1)[-1]
        except (ValueError, KeyError, TypeError):
            return str(self.status)


class Aws:
    """AWS's server: ``start``, ``url``, ``stop``; ``calls`` and ``events`` on record; ``fault`` arms one.

    ``roles`` holds the policies of each role by its name, which a caller's session tells; who has no role here may do all.
    ``on_write`` is called after each write to a table, before its answer goes out; ``on_event`` likewise for each event.
    """

    def __init__(self, port: int = 0) -> None:
        self.on_write: Callable[[], None] = lambda: None
        self.on_event: Callable[[bus.Event], None] = lambda _: None
        self.account = str(next(_accounts))
        self.roles: dict[str, iam.Policy] = {}
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._applications: dict[tuple[str, str], Any] = {}
        self._one_at_a_time = threading.Lock()
        self._calls: list[Call] = []
        self._events: list[bus.Event] = []
        self._faults = Faults()
        self._stopping = threading.Event()
        self._server = LoopbackServer(port, type("AwsExchange", (_AwsExchange,), {"aws": self}))

    @property
    def url(self) -> str:
        """Return the endpoint's address."""
        return self._server.url

    def start(self) -> None:
        """Serve, in threads."""
        self._server.start()

    def stop(self) -> None:
        """End every hanging answer, and the server."""
        self._stopping.set()
        self._server.stop()

    @property
    def calls(self) -> list[Call]:
        """Return the calls so far, in the order in which they were performed."""
        return list(self._calls)

    @property
    def events(self) -> list[bus.Event]:
        """Return the events that were published on any bus so far, in order."""
        return list(self._events)

    def called(self, service: str, operation: str = "*", about: str = "") -> list[Call]:
        """Return the calls of one operation (``*``: any) whose resource contains ``about``."""
        return [
            call
            for call in self.calls
            if call.service == service and operation in {call.operation, "*"} and about in call.resource
        ]

    def fault(  # noqa: PLR0917 - a line in a test is read from left to right
        self, service: str, operation: str, kind: Kind, times: int = 1, match: str = "", after: int = 0
    ) -> Fault:
        """Arm a fault for the next ``times`` calls of an operation (``*``: any) whose body contains ``match``, but for the first ``after``.

        "entry_failed" is for PutEvents: of the entries, those that contain ``match`` fail, and the others are published.
        An AWS client repeats by itself what is throttled, unavailable, internal or broken: boto3 makes up to 5 attempts.
        """
        return self._faults.arm(Fault(service, operation, kind, times, match, after))

    def limit(self, service: str, operation: str, per_second: float, clock: Callable[[], float] = time.monotonic) -> Limit:
        """Refuse the calls of an operation beyond so many a second, as AWS's quotas do."""
        return self._faults.limit(Limit(service, operation, per_second, clock))

    def disarm(self) -> None:
        """Take every armed fault and quota away."""
        self._faults.disarm()

    def pause(self, seconds: float) -> bool:
        """Wait; returns whether the server is being stopped."""
        return self._stopping.wait(seconds)

    def perform(self, environ: dict[str, Any], body: bytes) -> Answer | None:
        """Answer one HTTP request; None where the connection is to break without an answer."""
        request = _read(environ, body, self.account)
        if request.caller == LAMBDA:
            with self._one_at_a_time:
                return self._performed(request, environ, body, None)
        with self._one_at_a_time:
            needed = iam.needed(request)
        fault = self._faults.strike(request.service, request.operation, body.decode("utf-8", "replace"))
        if fault and (refused := fault.refusal(request.operation)):
            return self._record(request, needed, Answer.refusing(refused))
        if fault and fault.kind in NEVER_DONE:
            answer = Answer(200, [], b"<html>not from here</html>") if fault.kind == "garbage" else None
            self._record(request, needed, answer, fault.kind)
            if fault.kind == "hang":
                self._stopping.wait(HANG)
            return answer
        with self._one_at_a_time:
            role = self.roles.get(request.caller)
            if role and (error := role.refusal(needed, self.account, request.caller)):
                return self._record(request, needed, Answer.refusing(error))
            answer = self._performed(request, environ, body, fault)
            answer = replace(answer, drips=bool(fault and fault.kind == "drip"))
            told = self._record(
                request, needed, None if fault and fault.kind in UNANSWERED else answer, fault.kind if fault else ""
            )
        if fault and fault.kind == "silent":
            self._stopping.wait(HANG)
        return told

    def _performed(self, request: Request, environ: dict[str, Any], body: bytes, fault: Fault | None) -> Answer:
        """Let moto perform a call, unless AWS refuses it, and tell who wants to know."""
        if error := aws_rules.refusal(request):
            return Answer.refusing(error)
        held = bus.held_back(request, fault.match if fault and fault.kind == "entry_failed" else None)
        answer = _call(self._application(environ, request), environ, bus.without(body, held))
        if answer.status >= HTTPStatus.BAD_REQUEST:
            return answer
        answer = Answer(answer.status, *aws_rules.mended(request, answer.headers, bus.completed(answer.body, held)))
        for event in bus.published(request, held, answer.body):
            self._events.append(event)
            self.on_event(event)
        if request.service == "dynamodb" and request.operation in WRITES:
            self.on_write()
        return answer

    def _application(self, environ: dict[str, Any], request: Request) -> Any:
        """Return moto's application for a call's service; moto would look for it in the file system each time."""
        service = (request.service, environ.get("HTTP_X_AMZ_TARGET", "").partition(".")[0])
        if service not in self._applications or request.service == "unsigned":
            self._applications[service] = self._moto.get_application(environ)
        return self._applications[service]

    def _record(
        self, request: Request, needed: tuple[iam.Check, ...], answer: Answer | None, unanswered: str = ""
    ) -> Answer | None:
        status, error = (answer.status, answer.error) if answer else (0, unanswered)
        about = (request.service, request.operation, request.resource)
        self._calls.append(Call(*about, status, error, request.caller, request.parameters, needed))
        return answer


def _read(environ: dict[str, Any], body: bytes, account: str) -> Request:
    """Return the call that an HTTP request makes: JSON with a target, or a form with an Action (AWS's query protocol)."""
    credential = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    region, service = (credential["region"], credential["service"]) if credential else (REGION, "unsigned")
    operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    caller = environ.get("HTTP_X_AMZ_SECURITY_TOKEN", "").partition(SESSION)[2]
    parameters: dict[str, Any] = {}
    try:
        if operation:
            parameters = json.loads(body or b"{}")
        else:
            parameters = {key: values[-1] for key, values in parse_qs(body.decode()).items()}
            operation = parameters.get("Action", f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
    except ValueError:
        parameters = {}
    return Request(service, operation, region, account, caller, parameters)


def _call(application: Callable[..., Iterable[bytes]], environ: dict[str, Any], body: bytes) -> Answer:
    """Run the WSGI application on one request."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], None]:
        started.append((status, headers))
        return lambda _: None

    try:
        chunks = application(environ | {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}, start_response)
        content = b"".join(chunks)
    except Exception:  # noqa: BLE001 - whatever moto trips over, AWS would answer something
        traceback.print_exc()
        return Answer.refusing(INTERNAL)
    getattr(chunks, "close", lambda: None)()
    status, headers = started[-1]
    kept = [(name, value) for name, value in headers if name.lower() not in {"content-length", "connection"}]
    return Answer(int(status.split(" ", 1)[0]), kept, content)


class _AwsExchange(Exchange):
    """One connection of an AWS client."""

    aws: Aws

    def _serve(self) -> None:
        body = self.read_body()
        if body is None:
            return
        answer = self.aws.perform(self._environ(), body)
        if answer is None:
            self.close_connection = True
            return
        if answer.drips:
            self.close_connection = True
            self._drip(answer.body)
        else:
            self.answer(answer.status, answer.headers, answer.body)

    def _drip(self, body: bytes) -> None:
        """Send the answer a byte at a time, for as long as anybody listens."""
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\nx-padding: {'.' * 1000}\r\n\r\n"
        with contextlib.suppress(OSError):  # nobody does any longer
            for byte in head.encode() + body:
                self.wfile.write(bytes([byte]))
                if self.aws.pause(DRIP):
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
            "HTTP_X_MOTO_ACCOUNT_ID": self.aws.account,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
