"""Redirects and hooks, against a server that records what reaches it."""

import threading
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from requests import PreparedRequest, Response
from requests.auth import HTTPBasicAuth

from tripod.provider_errors import Cause
from tripod.renewing import RenewingAuth, RenewingSession


@dataclass
class Server:
    port: int
    seen: list[tuple[str, str, str | None, bytes]] = field(default_factory=list)  # method, host and path, Authorization, body
    answers: dict[str, list[tuple[int, str]]] = field(default_factory=dict)  # path to status and Location, in turn

    def url(self, path: str, host: str = "localhost") -> str:
        return f"http://{host}:{self.port}{path}"


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            host = self.headers["Host"].partition(":")[0]
            started.seen.append((self.command, host + self.path, self.headers["Authorization"], content))
            planned = started.answers.get(self.path, [])
            status, location = planned.pop(0) if planned else (200, "")
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = answer

        def log_message(self, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    started = Server(http.server_port)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield started
    http.shutdown()
    http.server_close()
    thread.join()


class Counting(RenewingAuth[int]):
    """Puts a number on each request: the next one each time; a 401 makes it begin again at 100."""

    def __init__(self) -> None:
        self.count = 0
        self.refused: list[int] = []

    def current(self) -> int:
        self.count += 1
        return self.count

    def authenticate(self, request: PreparedRequest, credentials: int) -> None:
        assert "Authorization" not in request.headers
        request.headers["Authorization"] = f"Number {credentials}"

    def renew(self, credentials: int, cause: Cause, tried: AbstractSet[Cause]) -> int | None:
        self.refused.append(credentials)
        return None if cause in tried else 100 + credentials


@pytest.fixture
def auth() -> Counting:
    return Counting()


@pytest.fixture
def session(auth: Counting) -> Iterator[RenewingSession]:
    with RenewingSession(auth) as session:
        yield session


def test_a_redirect_within_the_host_is_authenticated_anew(server: Server, session: RenewingSession) -> None:
    server.answers = {"/a": [(302, "/b")], "/b": [(307, server.url("/c"))]}
    assert session.get(server.url("/a")).status_code == 200
    assert [path for _, path, _, _ in server.seen] == ["localhost/a", "localhost/b", "localhost/c"]
    assert len({authorization for _, _, authorization, _ in server.seen} - {None}) == 3


def test_a_redirect_that_keeps_the_body_is_authenticated_with_it(server: Server, session: RenewingSession) -> None:
    server.answers = {"/a": [(307, "/b")]}
    session.post(server.url("/a"), data={"status": "x"})
    assert server.seen[-1] == ("POST", "localhost/b", "Number 2", b"status=x")


def test_a_redirect_to_another_host_takes_no_authentication_along(
    server: Server, session: RenewingSession, auth: Counting
) -> None:
    server.answers = {"/a": [(307, server.url("/b", "127.0.0.1"))], "/b": [(401, "")]}
    assert session.post(server.url("/a"), data={"status": "x"}).status_code == 401
    assert [(path, authorization) for _, path, authorization, _ in server.seen] == [
        ("localhost/a", "Number 1"),
        ("127.0.0.1/b", None),
    ]
    assert auth.refused == []  # what another host thinks of our credentials is nothing to us


def test_a_redirect_back_from_another_host_stays_unauthenticated(server: Server, session: RenewingSession) -> None:
    server.answers = {"/a": [(302, server.url("/b", "127.0.0.1"))], "/b": [(302, server.url("/c"))]}
    session.get(server.url("/a"))
    assert [authorization for _, _, authorization, _ in server.seen] == ["Number 1", None, None]


def test_a_401_behind_a_redirect_is_sent_again_there(server: Server, session: RenewingSession, auth: Counting) -> None:
    server.answers = {"/a": [(302, "/b")], "/b": [(401, "")]}
    assert session.get(server.url("/a")).status_code == 200
    assert [authorization for _, _, authorization, _ in server.seen] == ["Number 1", "Number 2", "Number 102"]
    assert auth.refused == [2]


def test_a_redirect_after_a_renewal_is_authenticated_anew(server: Server, session: RenewingSession) -> None:
    server.answers = {"/a": [(401, ""), (302, "/b")]}
    assert session.get(server.url("/a")).status_code == 200
    assert [authorization for _, _, authorization, _ in server.seen] == ["Number 1", "Number 101", "Number 2"]


def test_a_request_is_sent_again_once(server: Server, session: RenewingSession, auth: Counting) -> None:
    server.answers = {"/a": [(401, ""), (401, ""), (401, "")]}
    answer = session.get(server.url("/a"))
    assert (answer.status_code, len(answer.history)) == (401, 1)
    assert auth.refused == [1, 101]
    assert answer.request.headers["Authorization"] == "Number 101"


def test_authentication_of_the_callers_own_is_left_alone(server: Server, session: RenewingSession) -> None:
    server.answers = {"/a": [(302, "/b")], "/b": [(401, "")]}
    session.get(server.url("/a"), auth=HTTPBasicAuth("a", "b"))
    assert [str(authorization)[:5] for _, _, authorization, _ in server.seen] == ["Basic", "Basic"]


def test_the_callers_hooks_see_the_answer_that_counts(server: Server, session: RenewingSession) -> None:
    heard: list[int] = []

    def hear(response: Response, *_: Any, **__: Any) -> None:
        heard.append(response.status_code)

    server.answers = {"/a": [(401, "")]}
    session.get(server.url("/a"), hooks={"response": hear})
    assert heard == [200]
    assert session.hooks == {"response": []}


def test_netrc_replaces_no_authentication(
    server: Server, session: RenewingSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine localhost login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.answers = {"/a": [(302, "/b")]}
    session.get(server.url("/a"))
    assert [str(authorization)[:6] for _, _, authorization, _ in server.seen] == ["Number", "Number"]
