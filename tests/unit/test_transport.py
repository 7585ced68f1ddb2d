"""The transport over real TLS: only a certificate that the CA bundle vouches for, and for the right name, is talked to."""

import datetime
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tripod.credentials import Consumer
from tripod.signing import Signer
from tripod_flow import transport
from tripod_flow.transport import NotSent, Timeouts, send


@dataclass
class Secure:
    url: str
    bundle: Path
    requests: list[dict[str, str]]


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=True,
                crl_sign=False,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    bundle = folder / "bundle.pem"
    bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
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
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Secure(f"https://localhost:{server.server_port}/", bundle, requests)
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def fresh_context() -> Iterator[None]:
    transport._tls.cache_clear()
    yield
    transport._tls.cache_clear()


AUTH = Signer().sign_as(Consumer("k", "s"))


@pytest.mark.usefixtures("fresh_context")
def test_a_trusted_certificate_is_talked_to(secure: Secure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certifi.where", lambda: str(secure.bundle))
    assert send("POST", secure.url, AUTH, Timeouts(), data={"a": "b"}).body == b"ok"
    assert secure.requests[-1]["user-agent"] == transport.USER_AGENT
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
    monkeypatch.setattr("certifi.where", lambda: str(secure.bundle))
    assert send("POST", secure.url, AUTH, Timeouts()).status == 200
