import re
from urllib.parse import urlsplit

import pytest
from ada_url import URL
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tripod_flow.rules.return_to import AllowList, origin, with_outcome, without_query

ENTRIES = "https://app.example/done, https://app.example/account/*,http://127.0.0.1:3000/cb, https://root.example,http://[::1]/cb,https://192.0.2.255"


def flaw_of(url: str) -> str | None:
    return AllowList.parse(ENTRIES).flaw(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example/done",
        "https://app.example:443/done",
        "https://APP.example/done",
        "https://app.example/done?state=a%20b&next=%2Fhome",
        "https://app.example/account/",
        "https://app.example/account/settings/x",
        "http://127.0.0.1:3000/cb",
        "https://root.example/",
        "https://root.example",
        "http://[::1]/cb",
        "http://[::1]:80/cb",
        "https://app.example/account/a.b;c",
        "https://192.0.2.255/",
        "https://app.example/done?a=ticket&b;c=outcome&tickets=1&xticket=2&XticketX=3",
        "https://app.example/done?" + "a" * (2048 - 25),
    ],
)
def test_what_the_list_allows_may_be_returned_to(url: str) -> None:
    assert flaw_of(url) is None


REFUSED = {
    "it is longer than 2048 characters": ["https://app.example/done?" + "a" * (2049 - 25)],
    "it may hold neither spaces, control characters, backslashes nor anything outside ASCII": [
        "", "https://evil.example\\@app.example/done", "https://app.example\\.evil.example/done", "https://app.example/done\r\nX: y",
        "https://app.example/account/\\evil", "https://app.example/done\t", " https://app.example/done", "https://app.ex\u00e4mple/done",
        "https://\uff41pp.example/done",
    ],
    "it may not have a fragment": ["https://app.example/done#fragment", "https://app.example/done#"],
    "it must be an absolute https URL, without user name or password": [
        "/done", "//app.example/done", "https:app.example/done", "https:///app.example/done", "ftp://app.example/done",
        "javascript:alert(1)//https://app.example/done", "https://app.example@evil.example/done", "https://user:pw@app.example/done",
        "HTTPS://app.example/done",
    ],
    "its address must be four decimal numbers": [
        "http://127.1:3000/cb", "http://0x7f.1:3000/cb", "http://2130706433:3000/cb", "http://127.0.0.01/", "https://app.example.0x/",
        "https://1.2.3.256/", "https://1.2.3.4.5/", "https://0X7F.1/",
    ],
    "it must have a plain host name": [
        "https://app.example:/done", "https://app.example./done", "https://app%2eexample/done", "https://app..example/done",
        "https://-app.example/done", "https://app.example:443:443/done",
    ],
    "its path may hold neither dot segments, empty segments, nor encoded slashes, dots or controls": [
        "https://app.example/account/../admin", "https://app.example/account/..", "https://app.example/account/..;/admin",
        "https://app.example/account/.", "https://app.example/account/%2e%2e/admin", "https://app.example/account/.%2E/admin",
        "https://app.example/account/%2fadmin", "https://app.example/account//evil.example", "https://app.example/account/%5c..%5cadmin",
        "https://app.example/account/%252e%252e/admin", "https://app.example/account/%0D%0a", "https://app.example/account/%00",
    ],
    "it may not hold %00, where some parsers end": ["https://app.example/done?a=%00", "https://app.example/done?ticket%00x=planted"],
    "its query may not have ticket: these are added to it": [
        "https://app.example/done?ticket=planted", "https://app.example/done?ticket", "https://app.example/done?a;TICKET[0]=x",
        "https://app.example/done?%20ticket%0a=x=y",
    ],
    "its query may not have error, outcome, provider: these are added to it": [
        "https://app.example/done?a=1&outcome=granted&provider=x&%65rror=x"
    ],
    "it is not among the allowed return URLs (the stack's parameter AllowedReturnUrls)": [
        "http://app.example/done", "https://app.example/done/", "https://app.example/DONE", "https://app.example/account",
        "https://app.example/accounting", "https://app.example.evil.example/done", "https://evil.example/https:/app.example/done",
        "https://app.example:444/done", "https://app.example:0/done", "http://127.0.0.1:3001/cb", "http://localhost:3000/cb",
        "http://[::2]/cb",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("flaw", "url"), [(flaw, url) for flaw, urls in REFUSED.items() for url in urls])
def test_everything_else_is_refused(flaw: str, url: str) -> None:
    assert flaw_of(url) == flaw


@pytest.mark.parametrize("url", ["https://app.example:99999/done", "https://[::1/done"])
def test_what_python_cant_read_is_refused_in_its_words(url: str) -> None:
    assert flaw_of(url)


# What browsers read (WHATWG) of each entry: protocol, host name, port where it isn't the default, and path.
AS_BROWSERS_READ = {
    ("https:", "app.example", "", "/done"),
    ("https:", "app.example", "", "/account/*"),
    ("http:", "127.0.0.1", "3000", "/cb"),
    ("https:", "root.example", "", "/"),
    ("http:", "[::1]", "", "/cb"),
    ("https:", "192.0.2.255", "", "/"),
}
FRAGMENTS = st.sampled_from(
    ["\\", "/", "//", "\t", "\n", "\0", " ", "@", "user@", "user:pw@", ":", ":443", ":0443", ":80", ":3000", ":65536", ".", "..", "/../", "/./", "/%2e%2e/",
     "/.%2E", "%2f", "%5c", "%00", "%41", "%", "?", "#", "&a=b", ";", "|", "^", "`", "{", "<", '"', "'", "[", "]", "[::1]", "[::ffff:7f00:1]", "127.1",
     "0x7f.1", "2130706433", "017700000001", "evil.example", "APP", "xn--", "a", "Z", "0", "-", "_", "~", "*", "\u00e9", "\uff41", "\u3002", "\u00ad", "\u2100", "\ufeff",
     "https:", "http://", "HTTPS"]
)  # fmt: skip
HOSTS = st.sampled_from(
    ["app.example", "APP.example", "root.example", "127.0.0.1", "127.1", "0x7f.1", "[::1]", "[0::1]", "2130706433"]
)
NEAR = st.tuples(
    st.sampled_from(["https://", "https://", "https://", "http://", "https:/", "//", "HTTPS://"]),
    st.sampled_from(
        ["app.example", "app.example", "APP.example", "root.example", "127.0.0.1", "127.1", "0x7f.1", "[::1]", "[0::1]"]
    ),
    st.sampled_from(["", "", ":443", ":3000", ":80", ":0443", ":"]),
    st.sampled_from(["", "/", "/done", "/account/", "/account/a", "/cb"]),
    st.lists(FRAGMENTS | st.text(max_size=2), max_size=2).map("".join),
    st.sampled_from(["", "", "?a=b", "?", "#"]),
).map("".join)
LISTED = st.sampled_from(
    ["https://app.example/done", "https://app.example/account/a/b?c=d", "http://127.0.0.1:3000/cb", "http://[::1]/cb"]
)


@st.composite
def altered(draw: st.DrawFn, urls: st.SearchStrategy[str] = LISTED) -> tuple[str, str]:
    """Return a URL, and the same with something put in anywhere, or in place of something."""
    url = draw(urls)
    start = draw(st.integers(0, len(url)))
    return url, url[:start] + draw(FRAGMENTS | st.characters()) + url[start + draw(st.integers(0, 2)) :]


@settings(max_examples=2000, deadline=None)
@given(NEAR | altered().map(lambda pair: pair[1]) | st.text(max_size=80))
@example("https://APP.example:0443/account/{a}|b?c")
def test_a_browser_reads_what_is_allowed_as_we_do(url: str) -> None:
    if flaw_of(url) is None:
        read = URL(url)
        below = re.sub("^/account/.*", "/account/*", read.pathname)
        assert (read.protocol, read.hostname, read.port, below) in AS_BROWSERS_READ
        assert (read.username, read.password, read.hash, read.origin) == ("", "", "", URL(origin(url)).origin)


@settings(max_examples=2000, deadline=None)
@given(
    altered(
        st.just("https://app.example/account/*")
        | NEAR
        | FRAGMENTS.map("https://{}/".format)
        | FRAGMENTS.map("https://a.{}/*".format)
    )
)
@example(("https://0x7f.1/", "https://0x7f.1/"))
@example(("https://a.4294967296/", "https://a.4294967296/"))
def test_a_browser_reads_an_entry_and_what_it_allows_alike(pair: tuple[str, str]) -> None:
    entry, url = pair
    try:
        allowed = AllowList.parse(entry)
    except ValueError:
        return
    for each in (entry, url):
        if allowed.flaw(each) is None and "xn--" not in entry.lower():  # only browsers can tell which of these are a name
            listed, read = URL(entry), URL(each)
            assert listed.hostname.startswith("[") or listed.hostname == urlsplit(entry).hostname
            assert (read.protocol, read.host) == (listed.protocol, listed.host)
            assert read.pathname.startswith(listed.pathname.removesuffix("*"))


def test_an_empty_list_allows_nothing() -> None:
    assert AllowList.parse(" , ").flaw("https://app.example/done")


@pytest.mark.parametrize(
    ("entry", "flaw"),
    [
        ("app.example", "it must be an absolute https URL, without user name or password"),
        ("http://app.example/", "it must be https"),
        ("https://a/*/b", "* may only stand at the end, as /*"),
        ("https://a/b*", "* may only stand at the end, as /*"),
        ("https://a/b?c=d", "it may not have a query"),
        ("https://a/#f", "it may not have a fragment"),
        ("*", "it must be an absolute https URL, without user name or password"),
    ],
)
def test_a_wrong_entry_of_the_list_is_named(entry: str, flaw: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(f'{entry}: {flaw}')}$"):
        AllowList.parse(f"https://fine.example/,{entry}")


def test_the_outcome_is_added_to_the_query_which_is_kept() -> None:
    granted = with_outcome("https://a/b?c=%20d", {"outcome": "granted", "provider": "x"})
    assert granted == "https://a/b?c=%20d&outcome=granted&provider=x"
    failed = with_outcome("https://a/b", {"outcome": "failed", "error": "interrupted"})
    assert failed == "https://a/b?outcome=failed&error=interrupted"


def test_the_origin_is_as_a_policy_names_it() -> None:
    assert origin("https://app.example:8443/b?c=d") == "https://app.example:8443"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://app.example/done?state=1&a=b", "https://app.example/done"),
        ("https://app.example:8443/done", "https://app.example:8443/done"),
        ("http://127.0.0.1:3000/?", "http://127.0.0.1:3000/"),
    ],
)
def test_a_query_can_be_left_out(url: str, expected: str) -> None:
    assert without_query(url) == expected
