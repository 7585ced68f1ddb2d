"""The six handlers in this process, on the sandbox's AWS, and what is asked of each answer."""

import contextlib
import importlib.util
import io
import json
import logging
import os
import re
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from sandbox.aws.credentials import SESSION_PREFIX
from sandbox.runtime.functions import worker_environment
from sandbox.world import Sandbox
from tests.fuzz.cast import Cast
from tests.fuzz.schema import ROUTES, Event, sendable
from tests.support.kept_tokens import is_in_the_clear
from tests.support.sandbox_app import PARAMETERS, QUICK, SandboxApp, make_app
from tripod_flow.app import App
from tripod_flow.edges import aws, telemetry

Handler = Callable[[Any, Any], Any]

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"
MOST = 6 * 1024 * 1024  # bytes; Lambda's quota for an answer
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE = re.compile(r"[\t -~\x80-\xff]*")


class Defect(AssertionError):
    """An answer that is none; ``signature`` is the same for the same cause."""

    def __init__(self, function: str, event: Event, what: str, trace: str = "", place: str = "") -> None:
        super().__init__(f"{function}: {what}\n{trace}event: {json.dumps(event)[:4000]}")
        self.function = function
        self.signature = f"{function}: {place or what}"


class FuzzContext:
    """What Lambda hands a handler beside the event."""

    aws_request_id = "6f1c1a5e-0000-4000-8000-000000000000"
    function_name = "fuzz"
    function_version = "$LATEST"
    memory_limit_in_mb = "512"
    log_group_name = log_stream_name = "fuzz"
    client_context = None
    identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)

    def __init__(self, event: Event, seconds: float = 27.0) -> None:
        from_api = isinstance(event, dict) and "requestContext" in event
        self.invoked_function_arn = f"arn:aws:lambda:eu-west-1:123456789012:function:fuzz{':live' if from_api else ''}"
        self._ends = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._ends - time.monotonic()) * 1000))


@dataclass
class FuzzFigures:
    """What was run, and what came of it; ``known`` defects are counted and not raised again."""

    inputs: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    unsendable: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)


@dataclass
class Target:
    """The handlers by function name; ``strict``: even what AWS can't send must have an answer."""

    handlers: dict[str, Handler]
    cast: Cast
    told: Callable[[], int]  # how many events the relay has published
    in_the_clear: Callable[[], list[str]]  # the keys of items that show tokens which should be sealed
    figures: FuzzFigures = field(default_factory=FuzzFigures)
    strict: bool = False
    lost: list[BaseException | None] = field(default_factory=list)  # why a log line could not be written

    def check(self, function: str, event: Event, handler: Handler | None = None) -> Any:
        """Run one event and return its answer; raises ``Defect``."""
        self.figures.inputs[function] += 1
        try:
            return self._answer(function, event, handler or self.handlers[function])
        except Defect as defect:
            if defect.signature not in self.figures.known:
                raise
            self.figures.known[defect.signature] += 1

    def _answer(self, function: str, event: Event, handler: Handler) -> Any:
        proper, told = sendable(function, event), self.cast.put_in(event)  # a copy: the event is shown as it came
        told_before = self.told()
        self.lost.clear()
        try:
            answer = handler(told, FuzzContext(told, 60.0 if function == "relay" else 27.0))
        except Exception as error:  # whatever leaves a handler is a defect
            if not proper and not self.strict:
                self.figures.unsendable[f"{function} {type(error).__name__}"] += 1
                return None
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{type(error).__name__} at {last.filename}:{last.lineno}"
            raise Defect(function, event, f"{type(error).__name__} leaves", traceback.format_exc(), place) from error
        if self.lost and (proper or self.strict):
            raise Defect(
                function, event, f"a log line is lost: {self.lost[0]!r}", place=f"log line lost, {type(self.lost[0]).__name__}"
            )
        is_http = bool(ROUTES[function]) and isinstance(event, dict) and "requestContext" in event
        flaw = marshalled(answer) or (relay_flaw if function == "relay" else http_flaw if is_http else direct_flaw)(answer)
        if flaw == "internal" and not proper and not self.strict:
            self.figures.unsendable[f"{function} internal"] += 1
            return answer
        if flaw:
            raise Defect(function, event, f"{flaw}: {str(answer)[:2000]}\n", place=flaw)
        if function == "relay":
            status = "relayed" if self.told() > told_before else "nothing owed"
        else:
            status = answer["statusCode"] if is_http else answer.get("status", "done")
        self.figures.answers[f"{function} {status}"] += 1
        return answer


def defects_of(run: Callable[[], None]) -> list[Defect]:
    """Return what a run of hypothesis's finds. What lives in the table goes on, so that a replay needn't find it again."""
    try:
        run()
    except Defect as defect:
        return [defect]
    except BaseExceptionGroup as group:
        if defects := [error for error in group.exceptions if isinstance(error, Defect)]:
            return defects
        raise
    return []


def marshalled(answer: Any) -> str:
    """Say why Lambda's runtime can't send the answer: it writes JSON in UTF-8, with no escapes."""
    try:
        size = len(json.dumps(answer, ensure_ascii=False).encode())
    except (TypeError, ValueError, RecursionError) as error:
        return f"not JSON ({type(error).__name__})"
    return "too long" if size > MOST else ""


def http_flaw(answer: Any) -> str:
    """Say what is wrong with an answer for API Gateway (payload 2.0), or nothing."""
    if not isinstance(answer, dict) or type(answer.get("statusCode")) is not int or not 200 <= answer["statusCode"] <= 599:
        return "no statusCode"
    if not isinstance(answer.get("body"), str):
        return "the body is no string"
    headers, cookies = answer.get("headers"), answer.get("cookies", [])
    if not isinstance(headers, dict) or not isinstance(cookies, list):
        return "headers or cookies of another type"
    fields = [*headers.items(), *(("set-cookie", cookie) for cookie in cookies)]
    for name, value in fields:
        if not isinstance(name, str) or not isinstance(value, str):
            return "a header is no string"
        if not _FIELD_NAME.fullmatch(name) or not _FIELD_VALUE.fullmatch(value):
            return f"the header {name!r} can't be sent"
    if not isinstance(answer.get("isBase64Encoded", False), bool):
        return "isBase64Encoded is no boolean"
    if answer["statusCode"] == 500:
        return "internal"  # nothing else answers 500 here: the stack is set up
    return ""


def direct_flaw(answer: Any) -> str:
    """Say what is wrong with an answer for another Lambda, or nothing."""
    if not isinstance(answer, dict):
        return "no object"
    if answer.get("code") == "internal":
        return "internal"
    problem = {"type", "title", "status", "detail", "code", "request_id"} <= answer.keys()
    done = bool({"outcome", "authorize_url", "authorization"} & answer.keys()) or "user_id" in answer
    return "" if problem or done else "neither outcome nor problem"


def relay_flaw(answer: Any) -> str:
    """Say what is wrong with the relay's answer, or nothing."""
    return "" if answer is None else "not the relay's answer"


def load(function: str) -> Handler:
    """Import a function's handler under a module name of its own."""
    described = importlib.util.spec_from_file_location(f"fuzz_{function}", FUNCTIONS / function / "handler.py")
    assert described
    assert described.loader
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    vars(module)["app"] = App(sleep=lambda _: None)  # nothing happens while it waits: the next look is at once
    handler: Handler = module.handler
    return handler


def _forget() -> None:
    for one in vars(telemetry).values():
        if hasattr(one, "cache_clear"):
            one.cache_clear()


def _in_the_clear(sealing: SandboxApp) -> list[str]:
    pages = sealing.sandbox.client("dynamodb").get_paginator("scan").paginate(TableName=sealing.sandbox.table)
    items = {item["pk"]["S"]: item for page in pages for item in page["Items"] if f"#{sealing.name}#" in item["pk"]["S"]}
    users = [user.user_id for user in sealing.sandbox.provider_server.users]
    return [pk for pk, item in items.items() if is_in_the_clear(item, *users)]


@contextlib.contextmanager
def running(*, strict: bool = False) -> Iterator[Target]:
    """Load the handlers before a sandbox of their own. For the main thread: the clients set alarms."""
    with Sandbox(parameters=PARAMETERS, settings=QUICK, streams=False) as sandbox, ExitStack() as ending:
        own = sandbox.function_settings()  # as its workers have them
        variables: dict[str, str] = {}
        for function in sandbox.template.functions():
            variables |= worker_environment(function, own)
        variables["AWS_SESSION_TOKEN"] = f"{SESSION_PREFIX}fuzz"  # a role of no name may do what all six may
        ending.enter_context(patch.dict(os.environ, {name: text for name, text in variables.items() if name != "PATH"}))
        clients: list[Any] = []
        make = aws.client

        def client(*arguments: Any) -> Any:
            clients.append(make(*arguments))
            return clients[-1]

        ending.enter_context(patch.object(aws, "client", client))
        ending.callback(lambda: [each.close() for each in clients])
        alarm = signal.getsignal(signal.SIGALRM)
        ending.callback(signal.signal, signal.SIGALRM, alarm)
        _forget()
        ending.callback(_forget)
        handlers = {function: load(function) for function in ROUTES}

        def invoke(function: str, event: Event) -> Any:
            answer = handlers[function](event, FuzzContext(event))
            if flaw := http_flaw(answer) if "requestContext" in event else direct_flaw(answer):
                raise Defect(function, event, flaw, place=flaw)
            return answer

        sealing = make_app(sandbox, secret={"store": "table"})
        cast = Cast(make_app(sandbox), sealing, invoke)
        target = Target(handlers, cast, lambda: len(sandbox.events), partial(_in_the_clear, sealing), strict=strict)
        nowhere = ending.enter_context(io.TextIOWrapper(open(os.devnull, "wb"), encoding="utf-8", errors="strict"))  # noqa: SIM115  # closed by `ending`
        for handler in telemetry.log().handlers:  # made before stdout is ``nowhere``, which ends with this world
            if isinstance(handler, logging.StreamHandler):
                ending.callback(handler.setStream, handler.stream)
                handler.setStream(nowhere)
                note = patch.object(handler, "handleError", lambda _: target.lost.append(sys.exception()))
                ending.enter_context(note)
        ending.enter_context(contextlib.redirect_stdout(nowhere))
        yield target
