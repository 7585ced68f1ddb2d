"""Server-side request forgery: no provider's definition, name or redirect makes a function talk to what is inside."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from sandbox.provider import ProviderFault
from tests.support.described_provider import described
from tests.support.sandbox_app import SandboxApp
from tripod.credentials import Consumer
from tripod.signing import Signer
from tripod_flow.edges.transport import NotSent, ResponseLost, Timeouts, send
from tripod_flow.rules import provider
from tripod_flow.rules.errors import NotConfigured

TARGETS = {
    "Lambda's runtime API": ["127.0.0.1:9001", "localhost:9001", "[::1]:9001", "sandbox.localhost:9001", "localhost.:9001"],
    "metadata": [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "[fd00:ec2::254]",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[0:0:0:0:0:ffff:169.254.169.254]",
        "2852039166",
        "0xa9fea9fe",
        "0xa9.0xfe.0xa9.0xfe",
        "0251.0376.0251.0376",
        "169.16689662",
        "169.254.43518",
        "169.254.169.254.",
        "metadata.google.internal",
        "metadata.google.internal.",
        "instance-data.ec2.internal",
        "instance-data",
        "METADATA.GOOGLE.INTERNAL",
    ],
    "loopback": [
        *("127.0.0.1", "127.1", "127.255.255.254", "0.0.0.0", "0", "0x7f.1", "0177.0.0.1", "2130706433", "017700000001"),  # noqa: S104  # nothing is bound
        *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:7f00:1]", "localhost", "LOCALHOST", "ip6-localhost", "x.localhost."),
    ],
    "private": [
        *("10.0.0.1", "10.1", "172.16.0.1", "192.168.0.1", "192.168.1", "100.64.0.1", "198.18.0.1", "192.0.2.1"),
        *("[fc00::1]", "[fd12:3456::1]", "[fec0::1]", "[64:ff9b::a00:1]", "[2002:a00:1::]", "vpce.internal", "printer.local"),
    ],
    "link-local and multicast": ["169.254.0.1", "[fe80::1]", "[fe80::1%25eth0]", "224.0.0.1", "255.255.255.255", "[ff02::1]"],
    "written otherwise": [
        "127.0.0.1\\@wiki.example",
        "wiki.example@127.0.0.1",
        "wiki.example:x@127.0.0.1",
        "127.0.0.1#.wiki.example",
        "127.0.0.1/.wiki.example",
        "127.0.0.1?.wiki.example",
        "127%2e0%2e0%2e1",
        "\uff11\uff12\uff17.0.0.1",
        "127\u30020\u30020\u30021",
        "\u2460\u2461\u2466.0.0.1",
        "loc\u00adalhost",
        "127.0.0.1\twiki.example",
        "127.0.0.1\r\nHost: wiki.example",
        "127.0.0.1 .wiki.example",
        "",
    ],
}
KEYS = [
    *("request_token_url", "authorize_url", "access_token_url", "authenticate_url", "invalidate_url", "identity_url"),
    *("bearer_token_url", "invalidate_bearer_token_url"),
]


@pytest.mark.parametrize("kind", TARGETS)
def test_ssrf_by_a_provider_definition(kind: str) -> None:
    for host in TARGETS[kind]:
        for number, key in enumerate(KEYS):
            url = f"https://{host}{('/x', '', '/latest/meta-data/', '/2018-06-01/runtime/invocation/next')[number % 4]}"
            with pytest.raises(NotConfigured, match=key):
                provider.of("wiki", described(**{key: url}), loopback=False)


@pytest.mark.parametrize("scheme", ["http", "HTTP", "ftp", "file", "gopher", "dict", "ldap", "unix", "data", "https+unix", ""])
@pytest.mark.parametrize("loopback", [False, True])
def test_ssrf_by_another_scheme(scheme: str, loopback: bool) -> None:
    for rest in ("://wiki.example/x", ":wiki.example", ":///etc/passwd", "://169.254.169.254/latest/meta-data/", "://10.0.0.1/"):
        with pytest.raises(NotConfigured):
            provider.of("wiki", described(identity_url=scheme + rest), loopback=loopback)


@dataclass
class Inside:
    """A plain server on this machine, as Lambda's runtime API is one, and all that was said to it."""

    port: int
    heard: list[bytes] = field(default_factory=list)


@pytest.fixture
def inside() -> Iterator[Inside]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = Inside(listener.getsockname()[1])

        def listen() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(1)
                    found.heard.append(connection.recv(4096))
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 35\r\n\r\noauth_token=a&oauth_token_secret=b&c")

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield found
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(2)


@pytest.mark.parametrize("name", ["10.0.0.1.wiki.example", "rebound.wiki.example", "localhost.localdomain"])
def test_ssrf_by_a_name_that_resolves_to_an_inner_address(inside: Inside, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    real = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **named: Any) -> Any:
        return real("127.0.0.1" if host == name else host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    consumer = Consumer("k", "s3cret")
    url = f"https://{name}:{inside.port}/2018-06-01/runtime/invocation/next"
    assert provider.of("wiki", described(access_token_url=url), loopback=False).access_token_url == url  # a name is not looked up
    with pytest.raises((NotSent, ResponseLost)):
        send("POST", url, Signer().sign_as(consumer, "token", "s3cret"), Timeouts(1, 1, 2))
    assert len(inside.heard) == 1
    assert inside.heard[0][:1] == b"\x16"  # it heard TLS's greeting, and no certificate of its own can answer that
    for said in (b"POST", b"runtime", b"OAuth", b"s3cret"):
        assert said not in inside.heard[0]


def test_ssrf_by_a_redirect_of_the_provider(app: SandboxApp, inside: Inside) -> None:
    for leg in ("request_token", "access_token"):
        browser = app.browser()
        callback = app.come_back(browser) if leg == "access_token" else f"/oauth/{app.name}/start"
        before = len(app.calls("request_token")) + len(app.calls("access_token"))
        app.fault(leg, ProviderFault.REDIRECT)
        assert browser.get(callback).status_code in (400, 502)
        assert len(app.calls("request_token")) + len(app.calls("access_token")) == before + 1
    with socket.create_server(("127.0.0.1", 0)) as listener:
        target = f"http://127.0.0.1:{inside.port}/2018-06-01/runtime/invocation/next"

        def redirect() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(f"HTTP/1.1 307 Go\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode())

        thread = threading.Thread(target=redirect, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/token"
        answer = send("POST", url, Signer().sign_as(Consumer("k", "s"), "token", "secret"), Timeouts(1, 1, 2))
        thread.join(2)
    assert (answer.status, inside.heard) == (307, [])
