import pytest

from tripod import allowed_hosts, x
from tripod.credentials import Consumer
from tripod.errors import HostNotAllowed
from tripod.process import Process

X = Consumer("k", "s", provider=x.X)
OTHER = Consumer("k", "s", provider={"request_token_url": "https://oauth.example/request", "signature_method": "HMAC-SHA1"})
NAMED = Consumer("k", "s", provider={**OTHER.provider, "api_hosts": ["api.example", "files.example"]})


def allows(provider: str, consumer: Consumer, url: str, *, reusable: bool = False, loopback: bool = False) -> bool:
    this = Process()
    this.loopback = loopback
    try:
        allowed_hosts.check(this, provider, consumer, url, reusable=reusable)
    except HostNotAllowed:
        return False
    return True


@pytest.mark.parametrize(
    ("provider", "consumer", "url", "once", "reusable"),
    [
        ("x", X, "https://api.x.com/2/users/me", True, True),
        ("x", X, "https://API.X.COM:443/2/users/me", True, True),
        ("x", X, "https://upload.x.com/1.1/media/upload.json", True, True),
        ("x", X, "https://x.com/", False, False),
        ("x", X, "https://api.x.com.evil.example/", False, False),
        ("x", X, "https://api.x.com@evil.example/", False, False),
        ("x", X, "http://api.x.com/2/users/me", False, False),
        ("x", X, "http://127.0.0.1:8080/", False, False),
        ("x", X, "ftp://api.x.com/", False, False),
        ("x", X, "", False, False),
        ("x", X, "https://[", False, False),
        ("other", OTHER, "https://oauth.example/me", True, True),
        ("other", OTHER, "https://api.example/me", True, False),
        ("other", OTHER, "http://oauth.example/me", False, False),
        ("other", NAMED, "https://oauth.example/me", True, True),
        ("other", NAMED, "https://api.example/me", True, True),
        ("other", NAMED, "https://files.example/", True, True),
        ("other", NAMED, "https://evil.example/", False, False),
        ("x", NAMED, "https://api.x.com/", False, False),
    ],
)
def test_where_a_signature_and_a_reusable_credential_may_go(
    provider: str, consumer: Consumer, url: str, once: bool, reusable: bool
) -> None:
    assert allows(provider, consumer, url) is once
    assert allows(provider, consumer, url, reusable=True) is reusable


@pytest.mark.parametrize(
    ("url", "allowed"),
    [("http://localhost:8080/", True), ("http://127.0.0.1/", True), ("http://[::1]:1/", True), ("http://evil.example/", False)],
)
def test_plain_http_to_this_machine_is_the_sandboxs_alone(url: str, allowed: bool) -> None:
    assert allows("other", OTHER, url, loopback=True) is allowed
    assert not allows("other", OTHER, url)


def test_the_error_says_where_to_allow_more_and_quotes_no_url() -> None:
    with pytest.raises(HostNotAllowed, match=r"evil\.example.*provider\.api_hosts") as caught:
        allowed_hosts.check(Process(), "x", X, "https://evil.example/?token=s3cret", reusable=False)
    assert (caught.value.host, caught.value.secret) == ("evil.example", "tripod/consumer/x")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "hosts", ['"api.example"', '["https://api.example"]', '["API.example"]', '["api.example:443"]', "[1]", "{}"]
)
def test_api_hosts_must_be_host_names(hosts: str) -> None:
    with pytest.raises(ValueError, match="api_hosts"):
        Consumer.from_json(f'{{"consumer_key": "k", "consumer_secret": "s", "provider": {{"api_hosts": {hosts}}}}}')
