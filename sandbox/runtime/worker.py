"""A function's worker processes, as Lambda would run them: the first imports the handler, then forks a child per connection.

Started by path, with the function's environment and nothing else. Standard input is a socket on which the parent sends
pairs of file descriptors: a connection to serve, and where that child's output goes. A child serves one event at a time,
and ends with its connection; all end when the parent does, however it ends, because then standard input closes.

Each line on a connection is JSON:
``{"pid"}`` from the child; ``{"event", "request_id", "deadline", "arn", "client_context"}`` to it, deadline in seconds
since the epoch; ``{"result"}`` or ``{"error": {"errorType", "errorMessage", …}}`` from it.
"""

import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NoReturn

PRELOADED = ("dynamodb", "secretsmanager")  # whose models boto3 parses before the fork: 0.2 s of CPU for each child otherwise
MAX_ANSWER = 6 * 1024 * 1024  # bytes; Lambda's quota for a synchronous answer

Handler = Callable[[Any, Any], Any]


class LambdaContext:
    """Lambda's context object, a handler's second argument."""

    def __init__(self, request: dict[str, Any]) -> None:
        self._deadline: float = request["deadline"]
        self.aws_request_id: str = request["request_id"]
        self.invoked_function_arn: str = request["arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self.client_context: Any = request["client_context"]

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that are left before the function's timeout."""
        return max(0, int((self._deadline - time.time()) * 1000))


def error_payload(error: BaseException) -> dict[str, Any]:
    """Return an exception as Lambda describes it in a payload."""
    stack = traceback.format_list(traceback.extract_tb(error.__traceback__)[1:])  # without this module's own frame
    return {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": stack}


def load(path: str) -> Handler:
    """Return the handler ``module.function``, or one that fails as Lambda does when it can't be imported."""
    module, _, name = path.rpartition(".")
    try:
        handler: Handler = getattr(importlib.import_module(module.replace("/", ".")), name)
    except ImportError as error:
        return _failing("Runtime.ImportModuleError", f"Unable to import module '{module}': {error}")
    except AttributeError:
        return _failing("Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{module}'")
    except Exception as error:  # noqa: BLE001 - whatever importing raises is the answer to each event
        traceback.print_exc()
        return _failing(type(error).__name__, str(error))
    return handler


def _failing(kind: str, message: str) -> Handler:
    print(f"[ERROR] {kind}: {message}", file=sys.stderr)
    error = type(kind, (Exception,), {})

    def handler(_: Any, __: Any) -> NoReturn:
        raise error(message)

    return handler


def load_models() -> None:
    """Let boto3, if the handler has imported it, parse its models now, so that no child parses them again."""
    if boto3 := sys.modules.get("boto3"):
        for service in PRELOADED:
            boto3.client(service)


def run_handler(handler: Handler, request: dict[str, Any]) -> dict[str, Any]:
    """Run the handler on one event and return the line to answer with."""
    try:
        result = handler(request["event"], LambdaContext(request))
    except Exception as error:  # noqa: BLE001 - as Lambda's runtime: any exception is an answer
        traceback.print_exc()
        return {"error": error_payload(error)}
    try:
        text = json.dumps(result)
    except (TypeError, ValueError) as error:
        message = f"Unable to marshal response: {error}"
        return {"error": {"errorMessage": message, "errorType": "Runtime.MarshalError", "stackTrace": []}}
    if len(text) > MAX_ANSWER:
        message = f"Response payload size exceeded maximum allowed payload size ({MAX_ANSWER} bytes)."
        return {"error": {"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"}}
    return {"result": result}


def serve(connection: socket.socket, handler: Handler) -> None:
    """Serve the events of one connection, until it closes."""
    lines = connection.makefile("rwb")
    lines.write(json.dumps({"pid": os.getpid()}).encode() + b"\n")
    lines.flush()
    for line in lines:
        answer = run_handler(handler, json.loads(line))
        sys.stdout.flush()
        sys.stderr.flush()
        lines.write(json.dumps(answer).encode() + b"\n")
        lines.flush()


def main(path: str) -> None:
    """Import the handler, then fork a child for every connection, until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides what it means
    sys.path.insert(0, os.getcwd())
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a line is written whole
    handler = load(path)
    load_models()
    gc.freeze()
    children: set[int] = set()
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker)
    with socket.socket(fileno=os.dup(0)) as parent, selectors.DefaultSelector() as selector:
        for source in (woken, parent):
            selector.register(source, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if woken in ready:
                os.read(woken, 4096)
                _reap(children)
            if parent in ready:
                word, descriptors, _, _ = socket.recv_fds(parent, 1, 2)
                if not word:
                    break
                if not (child := os.fork()):
                    for each in (parent, selector):
                        each.close()
                    _run_child(handler, *descriptors)
                children.add(child)
                for descriptor in descriptors:
                    os.close(descriptor)
    _reap(children)
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _reap(children: set[int]) -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG)[0]) != 0:
            children.discard(ended)


def _run_child(handler: Handler, connection: int, output: int) -> NoReturn:
    """Run a child: release what belongs to the parent, serve, and exit without the parent's exit handlers."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.close(output)
    try:
        serve(socket.socket(fileno=connection), handler)
    except OSError:
        os._exit(1)  # the parent is gone, or has closed the connection
    except BaseException:  # noqa: BLE001 - such as SystemExit: the process ends as Lambda's would
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
