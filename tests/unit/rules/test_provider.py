from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.support.described_provider import URLS, described
from tripod.credentials import Consumer
from tripod_flow.rules import provider
from tripod_flow.rules.errors import NotConfigured
from tripod_flow.rules.provider import X


def test_x_is_known_with_one_host_for_every_leg() -> None:
    assert provider.of("x", Consumer("k", "s"), loopback=False) is X
    urls = [X.request_token_url, X.authorize_url, X.authenticate_url, X.access_token_url, X.invalidate_url, X.identity_url]
    assert {urlsplit(url).netloc for url in urls if url} == {"api.x.com"}


def test_any_other_is_described_by_its_consumer_secret() -> None:
    wiki = provider.of("wiki", described(require_callback_confirmed=False, user_id_field="sub"), loopback=False)
    assert (wiki.user_id_field, wiki.require_callback_confirmed) == ("sub", False)
    with pytest.raises(NotConfigured, match="describe it"):
        provider.of("wiki", Consumer("k", "s"), loopback=False)


def test_the_authorize_url_keeps_its_query_and_ends_with_the_token() -> None:
    wiki = provider.of("wiki", described(authorize_params={"perms": "read"}), loopback=False)
    url = wiki.authorize("a&b=c", endpoint="authorize", options={"screen_name": "jo"})
    assert parse_qsl(urlsplit(url).query) == [
        ("title", "Special:OAuth/authorize"), ("perms", "read"), ("screen_name", "jo"), ("oauth_token", "a&b=c"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "url",
    [
        "http://wiki.example/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://169.254.169.254/latest",
        "https://2130706433/x",
        "https://0x7f.1/x",
        "https://localhost/x",
        "https://localhost./x",
        "https://intranet/x",
        "https://a.internal/x",
        "https://user:pw@wiki.example/x",
        "https://wiki.example/x#f",
        "https://wiki.example:port/x",
        "ftp://wiki.example/x",
        "https:///x",
        "https://a..b.example/x",
        "https://" + "a" * 70 + ".example/x",
        "https://wi ki.example/x",
        "",
        5,
        None,
    ],
)
def test_an_endpoint_is_https_with_a_host_name_and_the_error_says_which_is_not(url: object) -> None:
    with pytest.raises(NotConfigured, match="access_token_url"):
        provider.of("wiki", described(access_token_url=url), loopback=False)


def test_plain_http_to_this_machine_needs_the_sandboxs_setting() -> None:
    local = described(access_token_url="http://localhost:8080/x")
    assert provider.of("wiki", local, loopback=True).access_token_url == "http://localhost:8080/x"
    with pytest.raises(NotConfigured):
        provider.of("wiki", local, loopback=False)
    with pytest.raises(NotConfigured):
        provider.of("wiki", described(access_token_url="http://wiki.example/x"), loopback=True)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"acess_token_url": "https://wiki.example/"}, "unknown key acess_token_url"),
        ({"identity_user_id_field": "id"}, "unknown key identity_user_id_field"),
        ({"S3CRETvalue": "consumer_secret"}, ": a key that looks like a value$"),
        ({"authorize_params": {"oauth_token": "mine"}}, "may not set oauth_token"),
        ({"authorize_params": ["a"]}, "authorize_params must be"),
        ({"authorize_params": {"a": 1}}, "authorize_params must be"),
        ({"require_callback_confirmed": "no"}, "require_callback_confirmed must be"),
        ({"user_id_field": ""}, "user_id_field must be"),
    ],
)
def test_a_flaw_in_a_description_is_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(NotConfigured, match=named):
        provider.of("wiki", described(**changes), loopback=False)


def test_a_missing_endpoint_is_named() -> None:
    with pytest.raises(NotConfigured, match="authorize_url is missing; access_token_url is missing"):
        provider.of("wiki", Consumer("k", "s", provider={"request_token_url": URLS["request_token_url"]}), loopback=False)
