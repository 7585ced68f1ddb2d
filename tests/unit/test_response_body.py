"""Peeking at a response's body, over real connections."""

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from tripod import response_body

SMALL = b'{"errors":[{"code":89}]}'
LARGE = bytes(range(256)) * 1024  # 256 KB
ANSWERS = {
    "/small": ({}, SMALL),
    "/empty": ({}, b""),
    "/large": ({}, LARGE),
    "/zipped": ({"Content-Encoding": "gzip"}, gzip.compress(SMALL)),
    "/bomb": ({"Content-Encoding": "gzip"}, gzip.compress(bytes(20_000_000))),
    "/cut": ({"Content-Length": "100"}, SMALL),
    "/chunked": (
        {"Transfer-Encoding": "chunked"},
        b"".join(b"1000\r\n" + bytes(0x1000) + b"\r\n" for _ in range(40)) + b"0\r\n\r\n",
    ),
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        headers, content = ANSWERS[self.path]
        self.send_response(401)
        self.send_header("Set-Cookie", "a=b")
        for name, value in headers.items():
            self.send_header(name, value)
        if not headers.keys() & {"Content-Length", "Transfer-Encoding"}:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = "Content-Length" in headers

    def log_message(self, *args: object) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing about a client that hangs up."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.mark.parametrize(
    ("path", "content"), [("/small", SMALL), ("/empty", b""), ("/large", LARGE), ("/chunked", bytes(40 * 0x1000))]
)
def test_a_body_that_was_peeked_at_can_be_read_raw(url: str, session: requests.Session, path: str, content: bytes) -> None:
    for amounts in ((None,), (10, 100_000, None), (0, None)):
        answer = session.get(url + path, stream=True)
        response_body.peek(answer)
        assert b"".join(answer.raw.read(amount) for amount in amounts) == content


@pytest.mark.parametrize(
    ("path", "content"),
    [("/small", SMALL), ("/empty", b""), ("/large", LARGE), ("/zipped", SMALL), ("/chunked", bytes(40 * 0x1000))],
)
def test_what_is_peeked_at_is_bounded_and_the_whole_can_still_be_read(
    url: str, session: requests.Session, path: str, content: bytes
) -> None:
    for read in (lambda answer: answer.content, lambda answer: b"".join(answer.iter_content(1000))):
        answer = session.get(url + path, stream=True)
        start = response_body.peek(answer)
        assert start == content[: len(start)]
        assert len(start) <= response_body.LIMIT
        assert len(start) == len(content) or len(start) > response_body.LIMIT - 8192
        assert read(answer) == content
        assert answer.cookies["a"] == "b"


def test_twice_is_as_good_as_once(url: str, session: requests.Session) -> None:
    answer = session.get(url + "/large", stream=True)
    assert response_body.peek(answer) == response_body.peek(answer)
    assert answer.content == LARGE


def test_what_unpacks_to_much_more_is_read_no_further(url: str, session: requests.Session) -> None:
    answer = session.get(url + "/bomb", stream=True)
    assert len(response_body.peek(answer)) <= response_body.LIMIT
    answer.close()


def test_an_answer_that_breaks_off_does_so_for_the_caller(url: str, session: requests.Session) -> None:
    answer = session.get(url + "/cut", stream=True)
    assert response_body.peek(answer) in (b"", SMALL)  # as urllib3 has it
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        _ = answer.content
