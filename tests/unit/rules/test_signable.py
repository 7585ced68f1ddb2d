"""What may be signed for another client: each URL, method and form that is taken, and why the others are not."""

import pytest

from tripod_flow.rules import signable

X = "https://api.x.com"


@pytest.mark.parametrize(
    "url",
    [
        X,
        f"{X}/",
        f"{X}:443/2/users/me",
        "HTTPS://API.X.COM/2/users/me",
        "http://127.0.0.1:8765/2/users/me",
        "https://xn--bcher-kva.example/",
        f"{X}:65535/",
        f"{X}?a=b",
        f"{X}/a;v=1/b~c/!$&'()*+,=:@",
        f"{X}/%C3%A9/%2F/a%20b",
        f"{X}/a//b/..c/.d/e./...",
        f"{X}/1?",
        f"{X}/1?a&b=&=c&&d=1&d=2",
        f"{X}/1?tweet.fields%5B%5d=a%5b0%5d&q=%7e+%2B;'/?@",
        f"{X}/1?q=%F0%9F%98%80&xoauth_a=1&oauth=2&realm=3",
    ],
)
def test_a_url_that_clients_send_as_it_is_may_be_signed(url: str) -> None:
    signable.check_url(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "must be a whole URL"),
        ("api.x.com/2", "must be a whole URL"),
        ("/2/users/me", "must be a whole URL"),
        ("ftp://api.x.com/", "must be a whole URL"),
        ("https:/api.x.com/", "must be a whole URL"),
        (" https://api.x.com/", "must be a whole URL"),
        ("https:\\\\api.x.com/", "must be a whole URL"),
        ("https:///2/users/me", "must have a host name"),
        ("https://bücher.example/", "must be ASCII"),
        (f"{X}/é", "must be ASCII"),
        (f"{X}/#", "must have no fragment"),
        (f"{X}/?a=b#c", "must have no fragment"),
        ("https://a:b@api.x.com/", "must have no user name"),
        ("https://@api.x.com/", "must have no user name"),
        ("https://api.x.com\\@evil.example/", "must have no user name"),
        (f"{X}:/", "at most a port"),
        (f"{X}:0/", "at most a port"),
        (f"{X}:0443/", "at most a port"),
        (f"{X}:65536/", "at most a port"),
        (f"{X}:443443/", "at most a port"),
        (f"{X}:a/", "at most a port"),
        (f"{X}./", "must have a host name"),
        ("https://-api.x.com/", "must have a host name"),
        ("https://api%2Ex.com/", "must have a host name"),
        ("https://[::1]/", "must have a host name"),
        (f"{X}\\..\\evil", "must have a host name"),
        (f"{X}/a b", "a path with characters"),
        (f"{X}/a\nb", "a path with characters"),
        (f"{X}/a\\b", "a path with characters"),
        (f"{X}/[a]", "a path with characters"),
        (f"{X}/a|b", "a path with characters"),
        (f'{X}/"', "a path with characters"),
        (f"{X}/%2f", r"a path with characters .*, in capitals \(%2F\)$"),
        (f"{X}/%zz", "a path with characters"),
        (f"{X}/%2", "a path with characters"),
        (f"{X}/%", "a path with characters"),
        (f"{X}/%41", "encodes what some clients decode"),
        (f"{X}/%2F%7E", "encodes what some clients decode"),
        (f"{X}/%2E%2E/b", "encodes what some clients decode"),
        (f"{X}/a/../b", "has . or .."),
        (f"{X}/./b", "has . or .."),
        (f"{X}/a/..", "has . or .."),
        (f"{X}/.", "has . or .."),
        (f"{X}//a", "that clients shorten"),
        (f"{X}/a;", "that clients shorten"),
        (f"{X}/?a=b c", "a query with characters"),
        (f"{X}/?a=\x00", "a query with characters"),
        (f"{X}/?a={{b}}", "a query with characters"),
        (f"{X}/?ids[]=1", r"percent-encode \[ and \] as %5B and %5D"),
        (f"{X}/?a=[b", r"percent-encode \[ and \] as %5B and %5D"),
        (f"{X}/?a=b]", r"percent-encode \[ and \] as %5B and %5D"),
        (f"{X}/?a=%", "a query with characters"),
        (f"{X}/?a=%4", "a query with characters"),
        (f"{X}/?a=%ff", "not UTF-8"),
        (f"{X}/?%ed%a0%80=b", "not UTF-8"),
        (f"{X}/?oauth_token=t", "OAuth's own"),
        (f"{X}/?a=b&OAuth_Nonce=n", "OAuth's own"),
        (f"{X}/?%6fauth%5Fsignature=s", "OAuth's own"),
        (f"{X}/?a=b&oauth_", "OAuth's own"),
    ],
)
def test_any_other_url_is_refused_with_what_to_change(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"^url .*{said}") as caught:
        signable.check_url(url)
    assert "api.x.com" not in str(caught.value)


@pytest.mark.parametrize("method", ["GET", "POST", "M-SEARCH", "PROPFIND", "X" * 32])
def test_a_method_in_capitals_may_be_signed(method: str) -> None:
    signable.check_method(method)


@pytest.mark.parametrize("method", ["", "get", "Get", "G ET", "GET\n", "GÉT", "1GET", "X" * 33, "CONNECT", "GET /"])
def test_any_other_method_is_refused(method: str) -> None:
    with pytest.raises(ValueError, match=r"^method must be an HTTP method in capitals, such as GET$"):
        signable.check_method(method)


@pytest.mark.parametrize(
    ("form", "pairs"),
    [
        (None, ()),
        ({}, ()),
        ({"a": []}, ()),
        ({"status": "Hello\nyou, é + 😀", "b": ""}, (("status", "Hello\nyou, é + 😀"), ("b", ""))),
        ({"id": ["2", "1", "2"], "a": "b"}, (("id", "2"), ("id", "1"), ("id", "2"), ("a", "b"))),
        ({"a": ["v"] * 1000}, (("a", "v"),) * 1000),
        ({"a": "v" * 65_534}, (("a", "v" * 65_534),)),
    ],
)
def test_a_form_is_read_as_pairs(form: object, pairs: signable.Pairs) -> None:
    assert signable.form_pairs(form, "POST") == pairs


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("a=b", "must be an object"),
        ([["a", "b"]], "must be an object"),
        ({1: "a"}, "must be an object"),
        ({"a": 1}, "must have strings for values"),
        ({"a": None}, "must have strings for values"),
        ({"a": {"b": "c"}}, "must have strings for values"),
        ({"a": ["b", 1]}, "must have strings for values"),
        ({"a": [["b"]]}, "must have strings for values"),
        ({"a": ["v"] * 1001}, "more than 1000 values"),
        ({"a": "v" * 65_535}, "longer than 65536 bytes"),
        ({"a": "é" * 11_000}, "longer than 65536 bytes"),
        ({"a": "\ud800"}, "half a character"),
        ({"\ud800": "a"}, "half a character"),
        ({"a": "b", "oauth_token": "t"}, "OAuth's own"),
        ({"OAUTH_verifier": "t"}, "OAuth's own"),
    ],
)
def test_any_other_form_is_refused_with_what_to_change(form: object, said: str) -> None:
    with pytest.raises(ValueError, match=f"^form .*{said}"):
        signable.form_pairs(form, "POST")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_form_is_not_sent_with_what_has_no_body(method: str) -> None:
    with pytest.raises(ValueError, match=f"^form can't be sent with {method}: put it into the URL's query$"):
        signable.form_pairs({"a": "b"}, method)
    assert signable.form_pairs({}, method) == ()
    assert signable.form_pairs({"a": "b"}, "DELETE") == (("a", "b"),)


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        (X, X),
        (f"{X}/1?", f"{X}/1?"),
        (f"{X}/1?a%5b%5D=%7e&b&a+c=d'", f"{X}/1?a%5B%5D=~&b=&a+c=d%27"),
        (f"{X}/a;b?c?d", f"{X}/a;b?c%3Fd="),
        (f"{X}/1?d=2&d=1&q=%F0%9F%98%80", f"{X}/1?d=2&d=1&q=%F0%9F%98%80"),
    ],
)
def test_a_query_is_signed_in_one_encoding(url: str, signed: str) -> None:
    assert signable.signed_url(url) == signed
