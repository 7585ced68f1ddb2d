"""Open redirects: each known way to write an address that a check reads otherwise than a browser does, as data."""

import re
from urllib.parse import quote, urlsplit

import pytest

from sandbox.browser import JSON
from tests.support.sandbox_app import RETURN_TO, SandboxApp
from tripod_flow.rules.return_to import AllowList, with_outcome

LINK = re.compile(r'(?:href|action)="([^"]*)"')

# What the sandbox allows is http://127.0.0.1:3000/done alone.
BYPASSES = {
    "userinfo": [
        "http://127.0.0.1:3000@evil.example/done",
        "http://127.0.0.1:3000%40evil.example/done",
        "http://evil.example@127.0.0.1:3000/done",
        "http://a:b@127.0.0.1:3000/done",
        "http://@127.0.0.1:3000/done",
        "http://:@127.0.0.1:3000/done",
        "http://127.0.0.1:3000:80@evil.example/done",
        "http://evil.example?@127.0.0.1:3000/done",
    ],
    "backslash": [
        "http://evil.example\\@127.0.0.1:3000/done",
        "http:\\\\evil.example\\done",
        "http://127.0.0.1:3000\\.evil.example/done",
        "\\\\evil.example/done",
        "/\\evil.example/done",
        "http:/\\127.0.0.1:3000/done",
        "http://127.0.0.1:3000/done\\..\\x",
    ],
    "no scheme": [
        "//127.0.0.1:3000/done",
        "//evil.example/done",
        "///evil.example/done",
        "////evil.example",
        "/done",
        "done",
        "127.0.0.1:3000/done",
        "?outcome=granted",
        "://127.0.0.1:3000/done",
    ],
    "scheme": [
        "https://127.0.0.1:3000/done",
        "HTTP://127.0.0.1:3000/done",
        "hTtP://127.0.0.1:3000/done",
        "http:127.0.0.1:3000/done",
        "http:/127.0.0.1:3000/done",
        "http:///127.0.0.1:3000/done",
        "javascript:alert(1)",
        "javascript://127.0.0.1:3000/done%0aalert(1)",
        "java\tscript:alert(1)",
        "data:text/html,http://127.0.0.1:3000/done",
        "ftp://127.0.0.1:3000/done",
        "file:///done",
        "blob:http://127.0.0.1:3000/done",
        "view-source:http://127.0.0.1:3000/done",
        "http+x://127.0.0.1:3000/done",
        "xhttp://127.0.0.1:3000/done",
    ],
    "port": [
        "http://127.0.0.1/done",
        "http://127.0.0.1:/done",
        "http://127.0.0.1:80/done",
        "http://127.0.0.1:3001/done",
        "http://127.0.0.1:30000/done",
        "http://127.0.0.1:3000:3000/done",
        "http://127.0.0.1:68536/done",  # 3000 modulo 65536
        "http://127.0.0.1:-3000/done",
        "http://127.0.0.1:+3000/done",
        "http://127.0.0.1:3_000/done",
        "http://127.0.0.1:3000x/done",
        "http://127.0.0.1:\u0663000/done",
    ],
    "host": [
        "http://127.0.0.1.:3000/done",
        "http://127.0.0.1.evil.example:3000/done",
        "http://evil.example.127.0.0.1:3000/done",
        "http://127.0.0.1evil.example:3000/done",
        "http://evil-127.0.0.1:3000/done",
        "http://localhost:3000/done",
        "http://127.1:3000/done",
        "http://2130706433:3000/done",
        "http://0x7f.0.0.1:3000/done",
        "http://0177.0.0.1:3000/done",
        "http://127.0.0.01:3000/done",
        "http://[::1]:3000/done",
        "http://[::ffff:127.0.0.1]:3000/done",
        "http://127%2e0.0.1:3000/done",
        "http://127.0.0.1%00.evil.example:3000/done",
        "http://127.0.0.1%2f.evil.example:3000/done",
        "http://127.0.0.1,evil.example:3000/done",
        "http://127.0.0.1;evil.example:3000/done",
    ],
    "IDN": [
        "http://127\u30020\u30020\u30021:3000/done",  # the ideographic full stop
        "http://127\uff0e0.0.1:3000/done",  # the fullwidth one
        "http://127\uff610.0.1:3000/done",  # the halfwidth one
        "http://\uff11\uff12\uff17.0.0.1:3000/done",  # fullwidth digits
        "http://\u2460\u2461\u2466.0.0.1:3000/done",  # circled ones
        "http://127.0.0.1\uff0fevil.example:3000/done",  # the fullwidth solidus
        "http://127.0.0.1:3000\uff03@evil.example/done",
        "http://127.0.0.1\u2100evil.example:3000/done",  # NFKC makes a/c of it
        "http://127.0.0.1\u00ad:3000/done",  # the soft hyphen, which IDNA drops
        "http://127.0.0.1\u200b:3000/done",
        "http://xn--127-.0.0.1:3000/done",
    ],
    "control": [
        " http://127.0.0.1:3000/done",
        "http://127.0.0.1:3000/done ",
        "\thttp://127.0.0.1:3000/done",
        "ht\ntp://127.0.0.1:3000/done",
        "http://127.0.0.1:3000\t.evil.example/done",
        "http://127.0.0.1:3000/done\r\nLocation: http://evil.example",
        "http://127.0.0.1:3000/do\rne",
        "http://127.0.0.1:3000/done\0.evil.example",
        "\x01http://127.0.0.1:3000/done",
        "http://127.0.0.1:3000/done\u2028",
        "http://127.0.0.1:3000/done\x7f",
    ],
    "path": [
        "http://127.0.0.1:3000",
        "http://127.0.0.1:3000/",
        "http://127.0.0.1:3000/done/",
        "http://127.0.0.1:3000//done",
        "http://127.0.0.1:3000/Done",
        "http://127.0.0.1:3000/done.evil",
        "http://127.0.0.1:3000/done;x",
        "http://127.0.0.1:3000/./done",
        "http://127.0.0.1:3000/x/../done",
        "http://127.0.0.1:3000/done/..",
        "http://127.0.0.1:3000/%64one",
        "http://127.0.0.1:3000/done%2f",
        "http://127.0.0.1:3000/done%00",
        "http://127.0.0.1:3000/done%3f",
    ],
    "fragment": [
        "http://127.0.0.1:3000/done#",
        "http://127.0.0.1:3000/done#@evil.example",
        "http://127.0.0.1:3000/done#?outcome=granted",
        "http://evil.example#@127.0.0.1:3000/done",
        "http://evil.example/#http://127.0.0.1:3000/done",
        "http://127.0.0.1:3000#.evil.example/done",
    ],
    "double encoding": [
        quote(RETURN_TO, safe=""),
        quote("http://evil.example/done", safe=""),
        "http://127.0.0.1:3000%2fdone",
        "http://127.0.0.1:3000%252fdone",
        "http%3a//127.0.0.1:3000/done",
        "http://127.0.0.1:3000/%2564one",
        "http://127.0.0.1%3a3000/done",
    ],
    "our own words": [
        f"{RETURN_TO}?outcome=granted",
        f"{RETURN_TO}?a=1&ticket=planted",
        f"{RETURN_TO}?%6futcome=granted",
        f"{RETURN_TO}?a=1&%65rror=x",
        f"{RETURN_TO}?provider",
    ],
    "several": [f"{RETURN_TO},http://evil.example/", f"{RETURN_TO} http://evil.example/", f"http://evil.example/?{RETURN_TO}"],
}

BELOW = AllowList.parse("https://app.example/account/*")

TRAVERSALS = [
    "https://app.example/account/../admin",
    "https://app.example/account/..",
    "https://app.example/account/.",
    "https://app.example/account/./../admin",
    "https://app.example/account/x/../../admin",
    "https://app.example/account/..;/admin",
    "https://app.example/account/..;x=1/admin",
    "https://app.example/account/%2e%2e/admin",
    "https://app.example/account/%2E./admin",
    "https://app.example/account/.%2e/admin",
    "https://app.example/account/..%2fadmin",
    "https://app.example/account/..%2Fadmin",
    "https://app.example/account/..%5cadmin",
    "https://app.example/account/..\\admin",
    "https://app.example/account/%252e%252e/admin",
    "https://app.example/account/..%252fadmin",
    "https://app.example/account/%25252e/admin",
    "https://app.example/account//evil.example",
    "https://app.example//account/x",
    "https://app.example/account/%2f%2fevil.example",
    "https://app.example/account/.\t./admin",
    "https://app.example/account/.%0a./admin",
    "https://app.example/account/.%0D./admin",
    "https://app.example/account/..%00/admin",
    "https://app.example/account",
    "https://app.example/accounts/x",
    "https://app.example/account%2fx",
    "https://app.example/ACCOUNT/x",
    "https://app.example/x/account/y",
    "https://app.example/account/*/../../admin",
    "https://app.example.evil.example/account/x",
    "https://evil.example/account/x",
    "https://evilapp.example/account/x",
    "https://sub.app.example/account/x",
    "https://app.example:444/account/x",
    "http://app.example/account/x",
    "https://app.example@evil.example/account/x",
    "https://evil.example/?https://app.example/account/x",
]


@pytest.mark.parametrize("kind", BYPASSES)
def test_open_redirect(app: SandboxApp, kind: str) -> None:
    browser = app.browser()
    for url in BYPASSES[kind]:
        answer = browser.start(app.name, accept=JSON, return_to=url)
        code = answer.json().get("code")
        assert (answer.status_code, code in ("return_to_not_allowed", "bad_request")) == (400, True), url
        assert "location" not in answer.headers
        assert "evil.example" not in answer.text
    assert not browser.cookies
    assert not app.calls("request_token")


@pytest.mark.parametrize("url", TRAVERSALS)
def test_open_redirect_out_of_an_entry_that_allows_what_is_below(url: str) -> None:
    assert BELOW.flaw(url)


@pytest.mark.parametrize(
    "rest", ["", "?next=https://evil.example/", "?a=@evil.example", "?a=\\\\evil.example", "?//evil.example"]
)
def test_open_redirect_by_a_query_that_is_kept(rest: str) -> None:
    for url in ("https://app.example/account/x" + rest, "https://APP.example:443/account/x" + rest):
        if BELOW.flaw(url) is None:
            parts = urlsplit(with_outcome(url, {"outcome": "granted", "provider": "x"}))
            assert (parts.scheme, parts.hostname, parts.port or 443) == ("https", "app.example", 443)
            assert parts.path == "/account/x"
            assert parts.query.endswith("outcome=granted&provider=x")
        else:
            assert "\\" in url


@pytest.mark.parametrize(
    "name", ["return_to", "redirect_uri", "next", "url", "oauth_callback", "returnTo", "continue", "RelayState"]
)
def test_open_redirect_by_what_the_callback_is_given(app: SandboxApp, name: str) -> None:
    browser = app.browser()
    callback = app.come_back(browser, return_to=RETURN_TO) + f"&{name}=https%3A%2F%2Fevil.example%2F"
    answer = browser.get(callback)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{RETURN_TO}?outcome=granted&provider={app.name}"


@pytest.mark.parametrize(
    "path", ["//evil.example", "//evil.example/%2e%2e", "/%2fevil.example", "/\\evil.example", "/.evil.example"]
)
def test_open_redirect_by_the_path(app: SandboxApp, path: str) -> None:
    for address in (f"{app.sandbox.api}{path}", f"{app.sandbox.api}/oauth/{app.name}/start{path}"):
        answer = app.browser().get(address)
        assert answer.status_code == 404
        assert "location" not in answer.headers


@pytest.mark.parametrize(
    "provider", ["%2f%2fevil.example", "%5c%5cevil.example", "evil.example%2f", "..%2f..%2f%2fevil.example", "%40evil"]
)
def test_open_redirect_by_a_providers_name(app: SandboxApp, provider: str) -> None:
    for rest in ("start", "callback?oauth_token=a&oauth_verifier=b", "pin?request_token=a"):
        answer = app.browser().get(f"/oauth/{provider}/{rest}")
        assert answer.status_code == 404
        assert LINK.findall(answer.text) == []


@pytest.mark.parametrize("token", ["//evil.example", "https://evil.example/", '"><a href="//evil.example', "/\\evil.example"])
@pytest.mark.parametrize("query", ["callback?oauth_verifier=b&oauth_token=", "callback?denied=", "pin?request_token="])
def test_open_redirect_by_a_pages_links(app: SandboxApp, query: str, token: str) -> None:
    answer = app.browser().get(f"/oauth/{app.name}/{query}{quote(token, safe='')}")
    assert answer.status_code == 404
    again = "start?pin=true" if query.startswith("pin") else "start"
    assert LINK.findall(answer.text) == [f"{app.sandbox.api}/oauth/{app.name}/{again}"]
