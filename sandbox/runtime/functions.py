"""Lambda on one machine: the template's functions, each in worker processes of its own, one event at a time in each."""

import math
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.aws.credentials import ACCESS_KEY, SECRET_KEY, SESSION_PREFIX
from sandbox.runtime.emulator import EmulatorPool
from sandbox.runtime.logs import Logs
from sandbox.runtime.pool import DeadWorkerError, Pool
from sandbox.template.intrinsics import REGION
from sandbox.template.template import Function

MAX_EVENT = 6 * 1024 * 1024  # bytes: Lambda's quota for a synchronous event


class UnknownFunctionError(Exception):
    """No function has that name."""


@dataclass(frozen=True)
class InvocationResult:
    """The result of an invocation: ``payload`` is the function's answer, or, with ``error``, Lambda's description of the error."""

    payload: Any
    error: str | None  # "Unhandled": Lambda's word for an exception, a timeout and a dead process
    log: str  # what the function printed
    request_id: str

    @property
    def timed_out(self) -> bool:
        """Return True if the function's timeout ended it."""
        return self.error is not None and self.payload["errorType"] == "Sandbox.Timedout"


class Functions:
    """Every function by name. ``stop`` ends all their processes.

    With ``emulated`` they run in Lambda's own runtime, as built.
    """

    def __init__(self, logs: Logs, *, emulated: bool = False) -> None:
        self._logs = logs
        self._kind: type[Pool] | type[EmulatorPool] = EmulatorPool if emulated else Pool
        self._pools: dict[tuple[str, str], Any] = {}  # by the function's name and alias
        self._environments: dict[tuple[str, str], dict[str, str]] = {}  # likewise
        self._said: dict[tuple[str, str], dict[str, Any]] = {}  # likewise
        self._replaced: list[Any] = []  # pools whose last events may still be in progress
        self.on_event: Callable[[str, Any], None] = lambda _name, _event: None  # called with each event, before its function is
        self.on_result: Callable[[str, InvocationResult], None] = lambda _name, _result: None  # called with each result

    def add(self, functions: list[Function], settings: Mapping[str, str]) -> None:
        """Add functions, with ``settings`` in their environment; a function's first process starts with its first event."""
        for function in functions:
            environment = worker_environment(function, settings)
            pool = self._pools[function.name, ""] = self._kind(function, environment, self._logs)
            self._environments[function.name, ""] = environment
            if function.alias and self._kind is EmulatorPool:
                environment = worker_environment(function, settings, function.alias)
                pool = EmulatorPool(function, environment, self._logs)
            if function.alias:
                self._pools[function.name, function.alias] = pool
                self._environments[function.name, function.alias] = environment

    def reconfigure(self, name: str, variables: Mapping[str, str]) -> None:
        """Set variables of a function's environment: its next events run in new processes, which have them.

        Events in progress end where they began. It must not be called from two threads at once.
        """
        renewed: dict[int, Any] = {}
        for key in [key for key in self._pools if key[0] == name]:
            pool = self._pools[key]
            self._environments[key] = {**self._environments[key], **variables}
            if id(pool) not in renewed:
                renewed[id(pool)] = self._kind(pool.function, self._environments[key], self._logs)
                self._replaced.append(pool)
            self._pools[key] = renewed[id(pool)]

    def describe(self, name: str, alias: str = "", **said: Any) -> None:
        """Have Lambda say this of a function, in place of what it would (``State="Failed"``); nothing: what it would."""
        self._said[name, alias] = said

    def said(self, name: str, alias: str = "") -> dict[str, Any]:
        """Return what ``describe`` was told."""
        return self._said.get((name, alias), {})

    def take_away(self, name: str) -> Callable[[], None]:
        """Let there be no function of this name, as if somebody had deleted it; return what brings it back."""
        taken = {key: self._pools.pop(key) for key in [key for key in self._pools if key[0] == name]}
        self._replaced += taken.values()

        def bring_back() -> None:
            self._replaced = [pool for pool in self._replaced if pool not in taken.values()]
            self._pools |= taken

        return bring_back

    def stop(self) -> None:
        """End every worker process; invocations in progress end with Lambda's error for a dead process."""
        pools = [*self._pools.values(), *self._replaced]
        for pool in pools:
            pool.release()
        for pool in pools:
            pool.end()

    def function(self, name: str, alias: str = "") -> Function:
        """Return the template's description of a function; raise UnknownFunctionError, also where it has no such alias."""
        if (name, alias) not in self._pools:
            raise UnknownFunctionError(name)
        described: Function = self._pools[name, alias].function
        return described

    def variables(self, name: str, alias: str = "") -> dict[str, str]:
        """Return the variables that a function was given: the template's, the sandbox's, and what ``reconfigure`` has set."""
        environment, described = self._environments[name, alias], self.function(name, alias)
        plain = worker_environment(described, {}, alias if self._kind is EmulatorPool else "")
        return {key: value for key, value in environment.items() if key in described.environment or plain.get(key) != value}

    def invoke(
        self, name: str, event: Any, client_context: Any = None, patience: float = math.inf, *, alias: str = ""
    ) -> InvocationResult:
        """Run one event in an idle worker process, or in a new one, and return the result; ``alias`` qualifies the invoked ARN.

        ``patience``, in seconds, ends it too if less than the function's timeout; on AWS it would run on, unobserved.
        """
        self.on_event(name, event)
        result = self._invoke(name, event, client_context, patience, alias)
        self.on_result(name, result)
        return result

    def _invoke(self, name: str, event: Any, client_context: Any, patience: float, alias: str) -> InvocationResult:
        function, pool, request_id = self.function(name, alias), self._pools[name, alias], str(uuid.uuid4())
        try:
            child = pool.take()
        except DeadWorkerError:
            return _failed(request_id, "Runtime.ExitError", "Runtime exited before it was ready")
        limit = min(function.timeout, patience)
        deadline = time.time() + limit
        request = {"event": event, "request_id": request_id, "deadline": deadline, "arn": f"{function.arn}:{alias}".rstrip(":")}
        try:
            answer = child.answer(request | {"client_context": client_context}, deadline)
        except TimeoutError:
            child.kill()
            failure = _failed(request_id, "Sandbox.Timedout", f"Task timed out after {limit:.2f} seconds")
        except DeadWorkerError:
            failure = _failed(request_id, "Runtime.ExitError", "Runtime exited without providing a reason")
        else:
            log = child.printed()
            self._logs.write(log, name)
            pool.give_back(child)
            if "error" in answer:
                return InvocationResult(answer["error"], "Unhandled", log, request_id)
            return InvocationResult(answer["result"], None, log, request_id)
        log = f"{child.printed()}{failure.payload['errorMessage']}\n"
        self._logs.write(log, name)
        child.close()
        return InvocationResult(failure.payload, failure.error, log, request_id)


def _failed(request_id: str, kind: str, message: str) -> InvocationResult:
    payload = {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {message}"}
    return InvocationResult(payload, "Unhandled", "", request_id)


def worker_environment(function: Function, settings: Mapping[str, str], alias: str = "") -> dict[str, str]:
    """Return a worker's whole environment: what Lambda sets, the template's variables, the sandbox's own settings.

    With ``alias`` the function's name is qualified by it: the emulator makes the invoked ARN of that variable.
    """
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_SESSION_TOKEN": SESSION_PREFIX + function.name,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_FUNCTION_NAME": f"{function.name}:{alias}" if alias else function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": "sandbox/[$LATEST]",
        "LAMBDA_TASK_ROOT": str(function.folder),
        "_HANDLER": function.handler,
        "HOME": "/home/sbx_user",  # not of this machine: its ~/.aws/config and ~/.netrc have no effect
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TZ": ":UTC",
        **function.environment,
        **settings,
    }
