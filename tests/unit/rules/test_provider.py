from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.support.described_provider import URLS, described
from tripod import x
from tripod.credentials import AccessToken, Consumer
from tripod_flow.rules import provider
from tripod_flow.rules.errors import NotConfigured
from tripod_flow.rules.provider import X


def test_x_is_known_with_one_host_for_every_leg() -> None:
    assert provider.of("x", Consumer("k", "s", provider=x.X), loopback=False) is X
    urls = [X.request_token_url, X.authorize_url, X.authenticate_url, X.access_token_url, X.invalidate_url, X.identity_url]
    assert {urlsplit(url).netloc for url in urls if url} == {"api.x.com"}


def test_any_other_is_described_by_its_consumer_secret() -> None:
    wiki = provider.of("wiki", described(require_callback_confirmed=False, user_id_field="sub"), loopback=False)
    assert (wiki.user_id_field, wiki.require_callback_confirmed) == ("sub", False)
    with pytest.raises(NotConfigured, match="describe it"):
        provider.of("wiki", Consumer("k", "s"), loopback=False)


def test_the_authorize_url_keeps_its_query_and_ends_with_the_token() -> None:
    blank = "https://wiki.example/w/index.php?title=Special:OAuth/authorize&blank="
    wiki = provider.of("wiki", described(authorize_params={"perms": "read"}, authorize_url=blank), loopback=False)
    url = wiki.authorize("a&b=c", endpoint="authorize", options={"screen_name": "jo"})
    assert parse_qsl(urlsplit(url).query, keep_blank_values=True) == [
        ("title", "Special:OAuth/authorize"), ("blank", ""), ("perms", "read"), ("screen_name", "jo"), ("oauth_token", "a&b=c"),
    ]  # fmt: skip


def test_a_sign_in_goes_to_the_authenticate_url() -> None:
    assert X.authorize("t", endpoint="authenticate", options={}) == "https://api.x.com/oauth/authenticate?oauth_token=t"
    with pytest.raises(NotConfigured) as error:
        provider.of("wiki", described(), loopback=False).authorize("t", endpoint="authenticate", options={})
    assert str(error.value) == "the provider has no authenticate_url"


LONGEST = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])


@pytest.mark.parametrize("host", ["a.b", "a.b.", "3com.example", "a.1b.example", "local.example", LONGEST])
def test_an_endpoint_is_https_with_a_host_name(host: str) -> None:
    url = f"https://{host}/x"
    assert provider.of("wiki", described(access_token_url=url), loopback=False).access_token_url == url


FLAWS: dict[str, list[object]] = {
    "must be https": ["http://wiki.example/x", "ftp://wiki.example/x"],
    "must have a host name, not an address": [
        "https://127.0.0.1/x", "https://[::1]/x", "https://[2001:db8::]/x", "https://169.254.169.254/latest", "https://2130706433/x",
        "https://0x7f.1/x", "https://localhost/x", "https://localhost./x", "https://intranet/x", "https://a.internal/x",
        "https://a.local/x", "https://a.b.localhost/x", "https:///x", "https://a..b.example/x", "https://.a.example/x",
        'https://a"b.example/x', "https://a%00.example/x", "https://a;b.example/x", "https://-a.example/x", "https://a-.example/x",
        "https://" + "a" * 64 + ".example/x", f"https://{LONGEST}d/x", "https://b.1/x",
    ],
    "must have neither user name nor fragment": ["https://user:pw@wiki.example/x", "https://wiki.example/x#f"],
    "must be a URL": ["https://wiki.example:port/x", "https://[x/"],
    "must be a URL in printable ASCII": [
        "https://wi ki.example/x", "https://wiki.ex\u00e4mple/x", "https://wiki.example/\u200b", "https://wiki.example/\x7f",
        "https://wiki.example\\x", 5, None,
    ],
}  # fmt: skip


@pytest.mark.parametrize(("flaw", "url"), [(flaw, url) for flaw, urls in FLAWS.items() for url in urls])
def test_an_endpoint_that_is_none_is_named_with_its_flaw(flaw: str, url: object) -> None:
    with pytest.raises(NotConfigured) as error:
        provider.of("wiki", described(access_token_url=url), loopback=False)
    assert str(error.value) == f'"provider" in the consumer secret of wiki: access_token_url: {flaw}'


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_endpoint_on_this_machine_needs_the_sandboxs_setting(scheme: str) -> None:
    local = described(access_token_url=f"{scheme}://localhost:8080/x")
    assert provider.of("wiki", local, loopback=True).access_token_url == f"{scheme}://localhost:8080/x"
    with pytest.raises(NotConfigured):
        provider.of("wiki", local, loopback=False)
    for never in ("http://wiki.example/x", "ftp://localhost/x"):
        with pytest.raises(NotConfigured):
            provider.of("wiki", described(access_token_url=never), loopback=True)


KEEP = "keep must be a list of 10 field names at most, none of them OAuth's own"
BRACES = "must have a port above 0, and no braces but {token} and {token_secret}"
NO_PARAMS = "authorize_params must be an object of printable strings"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"acess_token_url": "https://wiki.example/"}, "unknown key acess_token_url"),
        ({"method": "PUT"}, "method must be POST or GET"),
        ({"method": ["GET"]}, "method must be POST or GET"),
        ({"transmission": "query"}, "transmission must be header or body"),
        ({"expires_unit": "days"}, "expires_unit must be seconds or epoch or epoch-ms"),
        ({"invalidate_method": "PUT"}, "invalidate_method must be POST or GET or DELETE"),
        ({"identity_format": "xml"}, "identity_format must be json or jwt"),
        ({"user_id": "entity"}, "user_id must be subject"),
        ({"pin": "no"}, "pin must be true or false"),
        ({"verifier": "no"}, "verifier must be true or false"),
        ({"empty_consumer_secret": 1}, "empty_consumer_secret must be true or false"),
        ({"lifetime": 0}, "lifetime must be a number of seconds"),
        ({"lifetime": True}, "lifetime must be a number of seconds"),
        ({"lifetime": "90"}, "lifetime must be a number of seconds"),
        ({"name": "a\n"}, "name must be a non-empty string"),
        ({"lifetime": 10**30}, "lifetime must be a number of seconds"),
        ({"name": "a" * 65}, "name must have 64 characters at most, and not be blank"),
        ({"name": " "}, "name must have 64 characters at most, and not be blank"),
        ({"method": "GET", "transmission": "body"}, "transmission must be header where method is GET, which has no body"),
        (
            {"identity_format": "jwt", "empty_consumer_secret": True},
            "identity_format jwt needs a consumer secret, which verifies it",
        ),
        ({"invalidate_url": "https://a.example/{tokn}"}, f"invalidate_url: {BRACES}"),
        ({"invalidate_url": "https://a.example:0/"}, f"invalidate_url: {BRACES}"),
        ({"keep": "a"}, KEEP),
        ({"keep": ["a"] * 11}, KEEP),
        ({"keep": ["a b"]}, KEEP),
        ({"keep": [5]}, KEEP),
        ({"keep": ["oauth_token_secret"]}, KEEP),
        ({"invalidate_url": "https://{token}.wiki.example/"}, "invalidate_url: must have a host name without a token in it"),
        (
            {"verifier": False, "user_id": "subject"},
            'user_id "subject" needs a verifier: an app begins by direct invocation, which nothing else protects',
        ),
        ({"S3CRETvalue": "consumer_secret"}, "a key that looks like a value"),
        ({"authorize_params": {"OAUTH_token": "mine"}}, "authorize_params may not set OAUTH_token"),
        ({"authorize_params": ["a"]}, NO_PARAMS),
        ({"authorize_params": {"a": 1}}, NO_PARAMS),
        ({"authorize_params": {"a": "\n"}}, NO_PARAMS),
        ({"require_callback_confirmed": "no"}, "require_callback_confirmed must be true or false"),
        ({"user_id_field": ""}, "user_id_field must be a non-empty string"),
        ({"user_id_field": 5}, "user_id_field must be a non-empty string"),
    ],
)
def test_every_flaw_of_a_description_is_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(NotConfigured) as error:
        provider.of("wiki", described(**changes), loopback=False)
    assert str(error.value) == f'"provider" in the consumer secret of wiki: {named}'
    with pytest.raises(NotConfigured) as error:  # the last of them does not hide the first
        provider.of("wiki", described(**{"identity_url": 5, "b": 1, "a": 1, **changes}), loopback=False)
    assert {named, "unknown key a", "unknown key b", "identity_url: must be a URL in printable ASCII"} <= flaws_in(error.value)


def flaws_in(error: NotConfigured) -> set[str]:
    return set(str(error).partition(": ")[2].split("; "))


def test_the_apis_hosts_are_a_list_that_hides_no_flaw_behind_it() -> None:
    assert provider.of("wiki", described(api_hosts=["api.example"]), loopback=False).api_hosts == ["api.example"]
    with pytest.raises(NotConfigured, match="user_id_field must be"):
        provider.of("wiki", described(api_hosts=["api.example"], user_id_field=""), loopback=False)


def test_a_missing_endpoint_is_named() -> None:
    with pytest.raises(NotConfigured, match="authorize_url is missing; access_token_url is missing"):
        provider.of("wiki", Consumer("k", "s", provider={"request_token_url": URLS["request_token_url"]}), loopback=False)


def test_a_provider_without_a_verifier_is_told_the_callback_url_at_the_consent() -> None:
    old = provider.of("old", described(verifier=False, authorize_url="https://wiki.example/a"), loopback=False)
    url = old.authorize("t", endpoint="authorize", options={}, callback_url="https://api.example/oauth/old/callback")
    assert url == "https://wiki.example/a?oauth_callback=https%3A%2F%2Fapi.example%2Foauth%2Fold%2Fcallback&oauth_token=t"


@pytest.mark.parametrize(
    ("changes", "said", "ends"),
    [
        ({}, "", None),
        ({}, "60", 1060),
        ({"lifetime": 90}, "", 1090),
        ({"lifetime": 90}, "soon", 1090),
        ({"lifetime": 90}, "0", 1090),
        ({"lifetime": 90}, "60", 1060),
        ({"expires_unit": "epoch"}, "60", 60),
        ({"expires_unit": "epoch-ms"}, "1800000000999", 1800000000),
        ({}, "3200000000", 1000 + 3_200_000_000),
        ({}, "3200000001", None),  # more than a century: in another unit than the definition says
        ({}, "1800000000999", None),
        ({"expires_unit": "epoch"}, "1800000000999", None),
        ({"lifetime": 90}, "1800000000999", 1090),
        ({}, "9" * 15, None),
        ({}, "9" * 16, None),
        ({}, "-5", None),
    ],
)
def test_when_a_token_ends(changes: dict[str, Any], said: str, ends: int | None) -> None:
    assert provider.of("wiki", described(expires_field="until", **changes), loopback=False).expires_at(said, 1000.9) == ends


def test_a_token_to_invalidate_is_quoted_in_the_url() -> None:
    token = AccessToken(oauth_token="X/b?", oauth_token_secret="{token}&/X", consumer_key="k")
    url = "https://wiki.example/{token}/{token_secret}"
    wiki = provider.of("wiki", described(invalidate_url=url), loopback=False)
    assert wiki.invalidation(token) == "https://wiki.example/X%2Fb%3F/%7Btoken%7D%26%2FX"
    assert provider.of("wiki", described(), loopback=False).invalidation(token) == ""


def test_a_user_by_subject_and_an_empty_secret_are_each_right_alone() -> None:
    for told in (
        {"lifetime": 1},
        {"user_id": "subject"},
        {"empty_consumer_secret": True},
        {"user_id": "subject", "verifier": True},
    ):
        assert provider.of("wiki", described(**told), loopback=False)


def test_a_choice_a_switch_and_a_list_that_are_right_are_taken() -> None:
    told: dict[str, Any] = {"method": "GET", "verifier": False, "keep": ["A", "b.c-d_e", *"12345678"], "lifetime": 3_200_000_000}
    told |= {
        "name": "W" * 64,
        "pin": False,
        "identity_format": "jwt",
        "invalidate_url": "https://wiki.example/{token}{token_secret}",
    }
    wiki = provider.of("wiki", described(**told), loopback=False)
    assert {key: getattr(wiki, key) for key in told} == told
