"""moto's WSGI applications, one for each service, called in this process."""

import io
import sys
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from sandbox.aws.faults import INTERNAL
from sandbox.aws.request import AwsRequest
from sandbox.aws.response import AwsResponse

# moto's SSM imports moto's EC2 for SendCommand alone: a second of reading instance types, and nothing here is about EC2.
_no_ec2 = ModuleType("moto.ec2")
vars(_no_ec2)["ec2_backends"] = {}
sys.modules.setdefault("moto.ec2", _no_ec2)


class MotoApp:
    """All of moto's services. moto is not safe in threads: only one call at a time may be in ``perform``."""

    def __init__(self) -> None:
        self._dispatcher = DomainDispatcherApplication(create_backend_app)
        self._services: dict[tuple[str, str], Any] = {}

    def perform(self, request: AwsRequest, environ: dict[str, Any], body: bytes) -> AwsResponse:
        """Perform one call and return moto's response; an exception in moto becomes InternalServerError."""
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], None]:
            started.append((status, headers))
            return lambda _: None

        environ = environ | {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        try:
            chunks = self._service(request, environ)(environ, start_response)
            content = b"".join(chunks)
        except Exception:  # noqa: BLE001 - whatever moto trips over, AWS would answer something
            traceback.print_exc()
            return AwsResponse.refusing(INTERNAL)
        getattr(chunks, "close", lambda: None)()
        status, headers = started[-1]
        kept = [(name, value) for name, value in headers if name.lower() not in {"content-length", "connection"}]
        return AwsResponse(int(status.split(" ", 1)[0]), kept, content)

    def _service(self, request: AwsRequest, environ: dict[str, Any]) -> Any:
        """Return moto's application for a call's service; moto would look for it in the file system each time."""
        service = (request.service, environ.get("HTTP_X_AMZ_TARGET", "").partition(".")[0])
        if service not in self._services or request.service == "unsigned":
            self._services[service] = self._dispatcher.get_application(environ)
        return self._services[service]
