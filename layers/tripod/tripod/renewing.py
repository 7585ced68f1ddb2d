"""Sessions whose credentials may change: read for each request, and renewed when a 401 says that they are no longer valid."""

from abc import ABC, abstractmethod
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import requests
from requests import PreparedRequest, Response
from requests.auth import AuthBase
from requests.exceptions import UnrewindableBodyError
from requests.utils import rewind_body

from tripod import process, provider_errors, response_body
from tripod.provider_errors import Cause
from tripod.version import USER_AGENT

Credentials = TypeVar("Credentials")


class RenewingAuth(AuthBase, ABC, Generic[Credentials]):
    """``auth`` for ``requests``, whose credentials can be renewed. Sessions and threads may share one."""

    @abstractmethod
    def current(self) -> Credentials:
        """Return the credentials for one request."""

    @abstractmethod
    def authenticate(self, request: PreparedRequest, credentials: Credentials) -> None:
        """Authenticate ``request``, which has no Authorization header."""

    def cause(self, response: Response, credentials: Credentials) -> Cause | None:  # noqa: ARG002  # of those who know more
        """Return why a response refuses the credentials; None if it does not."""
        if response.status_code != 401:
            return None
        said = response.headers.get("WWW-Authenticate", "")
        return provider_errors.read_api_error(401, response_body.peek(response), said).cause

    @abstractmethod
    def renew(self, credentials: Credentials, cause: Cause, tried: AbstractSet[Cause]) -> Credentials | None:
        """Return newer credentials than ``credentials``, which a response refused; None leaves that to the caller.

        ``tried`` are the causes for which this request's credentials were renewed before.
        """

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Authenticate ``request``, and hook its response."""
        return _Attempt(self, self.current()).prepare(request)


class RenewingSession(requests.Session):
    """A session that authenticates each request and each redirect within the host; a redirect to another host goes without."""

    def __init__(self, auth: RenewingAuth[Any]) -> None:
        super().__init__()
        self.auth = auth
        self.headers["User-Agent"] = USER_AGENT
        process.this().mount(self)
        self.trust_env = False  # no proxy, .netrc or CA bundle of the environment: they see or replace what is sent

    def rebuild_auth(self, prepared_request: PreparedRequest, response: Response) -> None:
        """Authenticate a redirect anew: the copied header has the first URL's signature and a used nonce."""
        auth = _remove_attempt(prepared_request)
        elsewhere: bool = self.should_strip_auth(response.request.url, prepared_request.url)  # type: ignore[no-untyped-call]  # no types
        if auth is None or elsewhere:
            super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]  # likewise: types-requests has none
        else:
            prepared_request.prepare_auth(auth)


@dataclass(frozen=True, eq=False)
class _Attempt(Generic[Credentials]):
    """One sending of a request. It is the response hook too, which may send the request again."""

    auth: RenewingAuth[Credentials]
    credentials: Credentials = field(repr=False)
    tried: frozenset[Cause] = frozenset()

    def prepare(self, request: PreparedRequest) -> PreparedRequest:
        """Authenticate ``request``, and hook its response before the caller's own hooks."""
        _remove_attempt(request)
        self.auth.authenticate(request, self.credentials)
        request.hooks = {**request.hooks, "response": [self, *request.hooks.get("response", [])]}
        return request

    def __call__(self, response: Response, **sending: Any) -> Response:
        """Return ``response``, or where it refuses the credentials the response of another attempt with renewed credentials."""
        cause = self.auth.cause(response, self.credentials)
        if cause is None:
            return response
        try:
            credentials = self.auth.renew(self.credentials, cause, self.tried)
        except Exception:  # whatever it is: the connection goes back, and the caller is told
            response.close()
            raise
        again = None if credentials is None else _rewound_copy(response.request)
        if credentials is None or again is None:
            return response
        response.close()
        attempt = replace(self, credentials=credentials, tried=self.tried | {cause})
        again.prepare_auth(attempt.prepare)
        second: Response = response.connection.send(again, **sending)
        second.request = again
        second.history.append(response)
        return attempt(second, **sending)


def _remove_attempt(request: PreparedRequest) -> RenewingAuth[Any] | None:
    """Remove the header and the hook of an earlier attempt from ``request``; return that attempt's auth."""
    hooks = request.hooks.get("response", [])
    attempts = [hook for hook in hooks if isinstance(hook, _Attempt)]
    if attempts:  # a new dict and list: copies of a request share their hooks
        request.hooks = {**request.hooks, "response": [hook for hook in hooks if hook not in attempts]}
        request.headers.pop("Authorization", None)
    return attempts[0].auth if attempts else None


def _rewound_copy(request: PreparedRequest) -> PreparedRequest | None:
    """Return a copy of ``request`` with its body rewound; None if the body can't be."""
    again = request.copy()
    content: Any = again.body  # also a stream, which types-requests leaves out
    if isinstance(content, str | bytes | None):
        return again
    try:
        rewind_body(again)
    except UnrewindableBodyError:
        return None
    return again
