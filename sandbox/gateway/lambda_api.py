"""Lambda's API on loopback, so that boto3 reaches the functions directly: Invoke and GetFunctionConfiguration.

Source: the API reference of Lambda, "Invoke" and "GetFunctionConfiguration".
"""

import base64
import json
import re
import threading
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote

from sandbox.aws.credentials import caller_of
from sandbox.aws.iam import Check, Policy
from sandbox.loopback import ConnectionHandler, LoopbackServer
from sandbox.runtime.functions import MAX_EVENT, Functions, UnknownFunctionError
from sandbox.template.intrinsics import REGION

LOG_TAIL = 4096  # bytes of the log that an invocation can be asked for

_PATH = re.compile(r"/2015-03-31/functions/(?P<function>[^/?]+)/(?P<operation>invocations|configuration)")
_NAME = re.compile(r"(?:arn:aws[a-z-]*:lambda:[^:]+:\d{12}:function:|\d{12}:function:|function:)?([A-Za-z0-9_-]+)(?::(.*))?")


class LambdaApi(LoopbackServer):
    """Lambda's server: ``start``, ``url``, ``stop``; a caller in ``roles`` may do only what its policies allow."""

    def __init__(self, functions: Functions, account: str, roles: Mapping[str, Policy], port: int = 0) -> None:
        super().__init__(port, _LambdaHandler)
        self.functions = functions
        self.account = account
        self.roles = roles


class _LambdaHandler(ConnectionHandler):
    """One connection of a Lambda client."""

    server: LambdaApi
    max_body = MAX_EVENT

    def do_POST(self) -> None:
        """Answer Invoke."""
        if (body := self.read_body()) is None:
            return None
        target, _, query = self.path.partition("?")
        path = _PATH.fullmatch(target)
        name = path and _NAME.fullmatch(unquote(path["function"]))
        if not name or not path or path["operation"] != "invocations":
            return self._fail(404, "ResourceNotFoundException", f"No such operation: {self.path}")
        alias = (name[2] or parse_qs(query).get("Qualifier", [""])[0]).removeprefix("$LATEST")
        arn = f"arn:aws:lambda:{REGION}:{self.server.account}:function:{name[1]}" + (f":{alias}" if alias else "")
        if self._is_refused("lambda:InvokeFunction", arn):
            return None
        try:
            self.server.functions.function(name[1], alias)
            context = base64.b64decode(self.headers.get("x-amz-client-context", ""))
            event, client_context = json.loads(body or b"{}"), json.loads(context or b"null")
        except UnknownFunctionError:
            return self._fail(404, "ResourceNotFoundException", f"Function not found: {arn}")
        except ValueError as error:
            text = f"Could not parse request body into json: {error}"
            return self._fail(400, "InvalidRequestContentException", text)
        return self._invoke(name[1], alias, event, client_context)

    def do_GET(self) -> None:
        """Answer GetFunctionConfiguration."""
        target, _, query = self.path.partition("?")
        path = _PATH.fullmatch(target)
        name = path and _NAME.fullmatch(unquote(path["function"]))
        if not name or not path or path["operation"] != "configuration":
            return self._fail(404, "ResourceNotFoundException", f"No such operation: {self.path}")
        alias = (name[2] or parse_qs(query).get("Qualifier", [""])[0]).removeprefix("$LATEST")
        arn = f"arn:aws:lambda:{REGION}:{self.server.account}:function:{name[1]}" + (f":{alias}" if alias else "")
        if self._is_refused("lambda:GetFunctionConfiguration", arn):
            return None
        try:
            configuration = self._configuration(name[1], alias)
        except UnknownFunctionError:
            return self._fail(404, "ResourceNotFoundException", f"Function not found: {arn}")
        return self.answer(200, [("content-type", "application/json")], json.dumps(configuration).encode())

    def _configuration(self, name: str, alias: str) -> dict[str, Any]:
        """Return what Lambda says of a function, or of the version that an alias names: its description is the version's own."""
        functions = self.server.functions
        function = functions.function(name, alias)
        description = function.properties.get("VersionDescription" if alias else "Description", "")
        return {
            "FunctionName": function.name,
            "FunctionArn": function.arn + (f":{alias}" if alias else ""),
            "Description": description,
            "Version": "1" if alias else "$LATEST",
            "Runtime": function.properties.get("Runtime"),
            "MemorySize": function.memory,
            "Timeout": int(function.timeout),
            "Layers": [{"Arn": arn} for arn in function.properties.get("Layers", [])],
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": function.log_group},
            "Environment": {"Variables": functions.variables(name, alias)},
            **functions.said(name, alias),
        }

    def _is_refused(self, action: str, arn: str) -> bool:
        """Return True after answering a caller whose role may not do this."""
        caller = caller_of(self.headers.get("x-amz-security-token", ""))
        role = self.server.roles.get(caller)
        error = role.refusal([Check(action, arn)], self.server.account, caller) if role else None
        if error:
            self._fail(403, error.code, error.message)
        return error is not None

    def _invoke(self, name: str, alias: str, event: Any, client_context: Any) -> None:
        kind = self.headers.get("x-amz-invocation-type", "RequestResponse")
        if kind == "DryRun":
            return self.answer(204, [], b"")
        if kind == "Event":  # Lambda would try a failing one twice more, minutes later; here it is one try
            invoke = partial(self.server.functions.invoke, name, event, client_context, alias=alias)
            threading.Thread(target=invoke, daemon=True).start()
            return self.answer(202, [], b"")
        result = self.server.functions.invoke(name, event, client_context, alias=alias)
        headers = [
            ("content-type", "application/json"),
            ("x-amz-executed-version", "$LATEST"),
            ("x-amzn-requestid", result.request_id),
        ]
        if result.error:
            headers.append(("x-amz-function-error", result.error))
        if self.headers.get("x-amz-log-type") == "Tail":
            headers.append(("x-amz-log-result", base64.b64encode(result.log.encode()[-LOG_TAIL:]).decode()))
        return self.answer(200, headers, json.dumps(result.payload).encode())

    def _fail(self, status: int, kind: str, message: str) -> None:
        body = json.dumps({"Type": "User", "Message": message}).encode()
        self.answer(status, [("content-type", "application/json"), ("x-amzn-errortype", kind)], body)
