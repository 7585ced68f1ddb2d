"""The transport over real TLS: only a certificate that the CA bundle vouches for, and for the right name, is talked to."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from botocore.exceptions import SSLError

from tests.support.tls import certificate
from tripod.credentials import Consumer
from tripod.signing import Signer
from tripod.version import USER_AGENT
from tripod_flow.edges import aws, transport
from tripod_flow.edges.deadline import Deadline
from tripod_flow.edges.transport import NotSent, Timeouts, send


@dataclass
class Secure:
    url: str
    bundle: Path
    requests: list[dict[str, str]]


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    own = certificate(tmp_path_factory.mktemp("tls"))
    requests: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = own.context().wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Secure(f"https://localhost:{server.server_port}/", own.bundle, requests)
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def fresh_context() -> Iterator[None]:
    transport._tls_context.cache_clear()
    yield
    transport._tls_context.cache_clear()


AUTH = Signer().sign_as(Consumer("k", "s"))


@pytest.mark.usefixtures("fresh_context")
def test_a_trusted_certificate_is_talked_to(secure: Secure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certifi.where", lambda: str(secure.bundle))
    assert send("POST", secure.url, AUTH, Timeouts(), data={"a": "b"}).body == b"ok"
    assert secure.requests[-1]["user-agent"] == USER_AGENT
    assert secure.requests[-1]["authorization"].startswith("OAuth ")


@pytest.mark.usefixtures("fresh_context")
def test_an_unknown_certificate_is_not(secure: Secure) -> None:
    before = len(secure.requests)
    with pytest.raises(NotSent):
        send("POST", secure.url, AUTH, Timeouts())
    assert len(secure.requests) == before


@pytest.mark.usefixtures("fresh_context")
def test_a_certificate_for_another_name_is_not(secure: Secure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certifi.where", lambda: str(secure.bundle))
    before = len(secure.requests)
    with pytest.raises(NotSent):
        send("POST", secure.url.replace("localhost", "127.0.0.1"), AUTH, Timeouts())
    assert len(secure.requests) == before


@pytest.mark.usefixtures("fresh_context")
def test_the_environment_has_no_say(secure: Secure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    monkeypatch.setenv("SSLKEYLOGFILE", str(secure.bundle.parent / "keys"))
    monkeypatch.setattr("certifi.where", lambda: str(secure.bundle))
    assert send("POST", secure.url, AUTH, Timeouts()).status == 200
    assert "CLIENT" not in (secure.bundle.parent / "keys").read_text()


def test_a_failure_is_named_and_quotes_nothing_of_the_request() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and nobody listens
        with pytest.raises(NotSent) as caught:
            send("GET", f"http://127.0.0.1:{closed.getsockname()[1]}/?oauth_token=secret", AUTH, Timeouts())
    assert str(caught.value) == "NewConnectionError"


def test_aws_is_talked_to_under_its_own_roots_alone(secure: Secure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", secure.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(secure.bundle))  # which would vouch for it
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    client = aws.client("secretsmanager", Deadline())
    before = len(secure.requests)
    with pytest.raises(SSLError):
        client.get_secret_value(SecretId="x")
    assert len(secure.requests) == before
