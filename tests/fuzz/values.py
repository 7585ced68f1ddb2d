"""What a caller may write: values that are right, values that are not, and any others."""

from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
TICKET = f"x.TlBjdWR4eTB5VTVUM3RCemhv.{'A' * 43}"
PROVIDER = "~~provider~~"  # one that there is: what stands between such signs is put in by ``cast``
SEALING = "~~sealing~~"  # another, whose users' tokens are sealed in the table
HUGE = 9_000  # characters; API Gateway takes 10,240 bytes of request line and headers

_PLAIN = (
    "x",
    PROVIDER,
    SEALING,
    "nobody",
    "a-b",
    "jo",
    "true",
    "false",
    "authenticate",
    "write",
    "1234567",
    "2244994945",
    CHALLENGE,
    TICKET,
)
_NASTY = (
    "",
    " ",
    "\0",
    "a\r\nset-cookie: a=b",
    "\r\n\r\n<script>",
    '"><script>',
    "é",
    "\u2028",
    "\U0001f600",
    "\u202e",
    "\ud800",
    "%0d%0a",
    "%ff%fe",
    "%",
    "../..",
    "{provider}",
    "{0.__class__}",
    "%s",
    "authorization#x#y",
    "x" * 33,
    "x" * 513,
    "é" * 300,
    "https://app.example/done",
    "http://127.0.0.1:3000/done",
    "http://[",
    "//evil.example",
)

_huge = st.sampled_from(["X", "é"]).map(lambda letter: letter * HUGE)
texts = st.one_of(st.sampled_from(_PLAIN), st.sampled_from(_PLAIN), st.sampled_from(_NASTY), st.text(max_size=20), _huge)
junk: SearchStrategy[Any] = st.one_of(
    st.sampled_from([None, True, False, 0, -1, 2**70, 1.5, [], {}, [[]], [None], {"": None}, ""]),
    st.lists(st.one_of(texts, st.integers(), st.none()), max_size=3),
    st.dictionaries(texts, st.one_of(texts, st.integers(), st.none()), max_size=3),
    texts,
)
parameters = st.sampled_from(
    (
        *("oauth_token", "oauth_verifier", "oauth_callback", "oauth_problem", "denied", "request_token", "pin", "return_to"),
        *("challenge", "endpoint", "force_login", "screen_name", "x_auth_access_type", "subject", "provider", "ticket", "secret"),
        "user_id",
    )
)


def encoded(pairs: list[tuple[str, str]]) -> str:
    return "&".join(f"{name}={quote(value, errors='surrogatepass')}" for name, value in pairs)


pairs = st.lists(st.tuples(parameters, texts), max_size=4)
cookie_lines = st.one_of(
    st.tuples(texts, texts).map("=".join),
    st.tuples(st.sampled_from(["__Host-tripod-0123456789abcdef", "__Host-tripod-"]), texts).map("=".join),
    st.integers(0, 30).map(lambda number: f"__Host-tripod-{number:016x}={number}.junk"),
)
_languages = (
    "de-AT,de;q=0.9",
    "ar",
    "he;q=1.0000",
    "*;q=0",
    "*, en;q=0",
    "zh-Hant-TW;q=1,zh;q=.9",
    "../de",
    "__init__",
    "de;q=nan",
)
_header_values = {
    "accept": st.one_of(
        st.sampled_from(["text/html", "application/json", "*/*", "text/html;q=0.1, application/json;q=0.", "text/html;q=1.0.0"]),
        texts,
    ),
    "content-type": st.sampled_from(["application/json", "application/x-www-form-urlencoded", "application/json; charset=x", ""]),
    "sec-fetch-site": st.sampled_from(["same-origin", "none", "cross-site", ""]),
    "host": texts,
    "accept-language": st.sampled_from(_languages),
}
headers = st.tuples(
    st.fixed_dictionaries({}, optional=_header_values), st.dictionaries(st.text(max_size=8).map(str.lower), texts, max_size=2)
).map(lambda both: {**both[1], **both[0]})
