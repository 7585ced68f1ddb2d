"""Credentials that may change while a session lives: read for each request, and renewed once where a 401 says that they must be."""

from abc import ABC, abstractmethod
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import requests
from requests import PreparedRequest, Response
from requests.auth import AuthBase
from requests.exceptions import UnrewindableBodyError
from requests.utils import rewind_body

from tripod import provider_errors, response_body
from tripod.provider_errors import Cause

Credentials = TypeVar("Credentials")


class RenewingAuth(AuthBase, ABC, Generic[Credentials]):
    """``requests``' ``auth`` with credentials that may be renewed; one may serve many sessions and threads."""

    @abstractmethod
    def current(self) -> Credentials:
        """Return the credentials for one request."""

    @abstractmethod
    def put(self, request: PreparedRequest, credentials: Credentials) -> None:
        """Authenticate ``request``, which bears no Authorization header."""

    @abstractmethod
    def renewed(self, credentials: Credentials, cause: Cause, tried: AbstractSet[Cause]) -> Credentials | None:
        """Return newer credentials than those that a 401 refused, or None where the answer is the caller's to read.

        ``tried`` are the causes for which this request's credentials have been renewed already.
        """

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Authenticate ``request``, and stand by for its answer."""
        return _Attempt(self, self.current()).prepare(request)


class RenewingSession(requests.Session):
    """A session whose requests and same-host redirects are each authenticated anew; to another host nothing of it goes."""

    def __init__(self, auth: RenewingAuth[Any]) -> None:
        super().__init__()
        self.auth = auth

    def rebuild_auth(self, prepared_request: PreparedRequest, response: Response) -> None:
        """Authenticate a redirect: the header that was copied holds the signature of another URL, and a used nonce."""
        auth = _withdrawn(prepared_request)
        elsewhere: bool = self.should_strip_auth(response.request.url, prepared_request.url)  # type: ignore[no-untyped-call]
        if auth is None or elsewhere:
            super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]  # types-requests has none
        else:
            prepared_request.prepare_auth(auth)


@dataclass(frozen=True, eq=False)
class _Attempt(Generic[Credentials]):
    """One sending of a request, and, as its response hook, what to do about the answer."""

    auth: RenewingAuth[Credentials]
    credentials: Credentials = field(repr=False)
    tried: frozenset[Cause] = frozenset()

    def prepare(self, request: PreparedRequest) -> PreparedRequest:
        """Authenticate ``request``, and hear of its answer before the caller's own hooks do."""
        _withdrawn(request)
        self.auth.put(request, self.credentials)
        request.hooks = {**request.hooks, "response": [self, *request.hooks.get("response", [])]}
        return request

    def __call__(self, response: Response, **sending: Any) -> Response:
        """Return the answer for the caller: ``response``, or that of another attempt with renewed credentials."""
        if response.status_code != 401:
            return response
        cause = provider_errors.of_a_call(401, response_body.peek(response)).cause
        try:
            credentials = self.auth.renewed(self.credentials, cause, self.tried)
        except Exception:
            response.close()
            raise
        again = None if credentials is None else _copy(response.request)
        if credentials is None or again is None:
            return response
        response.close()
        attempt = replace(self, credentials=credentials, tried=self.tried | {cause})
        again.prepare_auth(attempt.prepare)
        answer: Response = response.connection.send(again, **sending)
        answer.request = again
        answer.history.append(response)
        return attempt(answer, **sending)


def _withdrawn(request: PreparedRequest) -> RenewingAuth[Any] | None:
    """Take header and hook of an earlier attempt off ``request``; returns whose they were."""
    hooks = request.hooks.get("response", [])
    attempts = [hook for hook in hooks if isinstance(hook, _Attempt)]
    if attempts:  # copies of a request share their hooks: a dict and a list of our own
        request.hooks = {**request.hooks, "response": [hook for hook in hooks if hook not in attempts]}
        request.headers.pop("Authorization", None)
    return attempts[0].auth if attempts else None


def _copy(request: PreparedRequest) -> PreparedRequest | None:
    """Return ``request`` to be sent once more, its body from the beginning; None where that can't be had again."""
    again = request.copy()
    content: Any = again.body  # what types-requests leaves out: a stream
    if isinstance(content, str | bytes | None):
        return again
    try:
        rewind_body(again)
    except UnrewindableBodyError:
        return None
    return again
