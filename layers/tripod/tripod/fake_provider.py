"""What stands in for the providers, for ``tripod.testing``: answers to the requests of Tripod's sessions, and none that is sent."""

import io
import json
import re
from collections.abc import Callable
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

from requests import PreparedRequest, Response
from urllib3 import HTTPResponse

from tripod.chunks import BoundedAdapter
from tripod.fake_aws import FakeStack
from tripod.loopback import is_loopback

Answer: TypeAlias = Callable[[PreparedRequest], "tuple[int, Any] | None"]  # a status, and JSON, text or bytes

_TOKEN = re.compile(r'oauth_token="([^"]*)"')

# What X answers to a token that the user has revoked: API v2 doesn't say what is wrong.
_REVOKED = {"errors": [{"code": 89, "message": "Invalid or expired token."}]}
_UNAUTHORIZED = {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}


class UnansweredRequest(AssertionError):
    """Raised by a request that nothing answers: within ``users``, none is sent to another machine."""


class FakeProviders(BoundedAdapter):
    """Refuses tokens, hands out the app's own, lets the test answer, and stops what would be sent to another machine.

    What replaces ``HTTPAdapter.send``, as the library ``responses`` does, is asked in its place.
    """

    def __init__(self, stack: FakeStack, answer: Answer) -> None:
        super().__init__()
        self._stack = stack
        self._answer = answer

    def send(self, request: PreparedRequest, *arguments: Any, **named: Any) -> Response:
        """Return the response to ``request``."""
        answer = self._provider(request) or _checked(self._answer(request))
        return super().send(request, *arguments, **named) if answer is None else self._response(request, *answer)

    def get_connection_with_tls_context(self, request: PreparedRequest, *arguments: Any, **named: Any) -> Any:
        """Return a connection to this machine; raises UnansweredRequest for any other. Called for what is about to be sent."""
        parts = urlsplit(request.url or "")
        if not is_loopback(parts.hostname or ""):
            raise UnansweredRequest(
                f"nothing answers {request.method} {parts.scheme}://{parts.netloc}{parts.path}, and within tripod.testing.users nothing "
                "is sent to other machines: answer it by users(…, answer=…), by the library responses, or by a server on this "
                "machine (docs/testing.md)"
            )
        return super().get_connection_with_tls_context(request, *arguments, **named)

    def _provider(self, request: PreparedRequest) -> tuple[int, Any] | None:
        """Return what a provider says to a token, and to the app that asks for its own; None for what others answer."""
        signed = _TOKEN.search(str(request.headers.get("Authorization", "")))
        if signed and self._stack.is_refused(unquote(signed[1])):
            return 401, _UNAUTHORIZED if urlsplit(request.url or "").path.startswith("/2/") else _REVOKED
        url = (request.url or "").partition("?")[0]
        for consumer in self._stack.consumers.values() if request.method == "POST" else ():
            if url == consumer.provider.get("bearer_token_url"):
                return 200, {"token_type": "bearer", "access_token": self._stack.new("app-token")}
            if url == consumer.provider.get("invalidate_bearer_token_url"):
                return 200, {}
        return None

    def _response(self, request: PreparedRequest, status: int, content: Any) -> Response:
        kind, body = _body(content)
        raw = HTTPResponse(
            io.BytesIO(body), {"Content-Type": kind, "Content-Length": str(len(body))}, status, preload_content=False
        )
        return self.build_response(request, raw)


def _checked(answer: Any) -> tuple[int, Any] | None:
    """Return what the test's own function has answered. Raises TypeError for what is no answer."""
    if answer is None or (isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[0], int)):
        return answer
    raise TypeError(
        f'what answers a request returns a status and a content, such as (200, {{"data": []}}), or None; not {type(answer).__name__}'
    )


def _body(content: Any) -> tuple[str, bytes]:
    if isinstance(content, bytes):
        return "application/octet-stream", content
    if isinstance(content, str):
        return "text/plain; charset=utf-8", content.encode()
    return "application/json", json.dumps(content).encode()
