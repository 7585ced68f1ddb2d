"""What can be signed for another client: a request that every HTTP client sends as it is written (RFC 5849, section 3.4.1).

Clients correct URLs, each in its own way: dots in a path, a letter that needs no encoding, the case of an escape. A signature covers
the path as it is sent, so whatever clients don't agree on is refused. Of query and form it covers the decoded names and values: these
may be encoded in any way that RFC 3986 allows.

What is wrong is raised as ``ValueError``, whose text begins with the parameter's name and quotes none of its content.
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, unquote, urlencode

MAX_URL = 8192  # characters: what servers and proxies take at most, headers included
MAX_FORM = 65_536  # bytes of the encoded form; files go as multipart, which is not signed
MAX_FORM_VALUES = 1000

Pairs = tuple[tuple[str, str], ...]

_METHOD = re.compile(r"[A-Z][A-Z0-9!#$%&'*+.^_`|~-]{0,31}")  # a token of RFC 9110, section 5.6.2, in capitals
_URL = re.compile(r"(https?://)([^/?#]*)([^?#]*)\??([^#]*)", re.IGNORECASE)
_AUTHORITY = re.compile(r"[A-Z0-9](?:[A-Z0-9.-]*[A-Z0-9])?(?::([1-9][0-9]{0,4}))?", re.IGNORECASE)
_PATH = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-F]{2})*")
_NEEDLESS = re.compile(r"[A-Za-z0-9._~-]")  # what needs no encoding
_QUERY = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")  # of RFC 3986, section 3.4


def check_method(method: str) -> None:
    """Raise ValueError unless ``method`` is an HTTP method in capitals, of a request that has a URL."""
    if not _METHOD.fullmatch(method) or method == "CONNECT":
        raise ValueError("method must be an HTTP method in capitals, such as GET")


def check_url(url: str) -> None:
    """Raise ValueError unless clients send ``url`` as it is; whose host it is, and whether it is https, is not looked at here."""
    if not url.isascii():
        raise ValueError("url must be ASCII: percent-encode the path and the query, and write the host as xn--…")
    if "#" in url:
        raise ValueError("url must have no fragment (#…): it is never sent")
    authority, path, query = _parts(url)
    if "@" in authority:
        raise ValueError("url must have no user name and password before its host")
    found = _AUTHORITY.fullmatch(authority)
    if found is None or int(found[1] or 0) > 65535:
        raise ValueError("url must have a host name, and after it at most a port, such as :8443")
    _check_path(path)
    _check_query(query)


def form_pairs(form: object, method: str) -> Pairs:
    """Return the names and values of ``form``: an object whose values are strings, or lists of strings for a name that comes repeatedly.

    None is no form. Raises ValueError for what is anything else, too large, or can't be the body of a ``method``.
    """
    if form is None:
        return ()
    if not isinstance(form, Mapping) or not all(isinstance(name, str) for name in form):
        raise ValueError("form must be an object")
    pairs = tuple((name, one) for name, value in form.items() for one in (value if isinstance(value, list) else [value]))
    if not all(isinstance(value, str) for _, value in pairs):
        raise ValueError("form must have strings for values, or lists of strings")
    if len(pairs) > MAX_FORM_VALUES:
        raise ValueError(f"form has more than {MAX_FORM_VALUES} values")
    try:
        size = len(urlencode(pairs))
    except UnicodeEncodeError:
        raise ValueError("form holds half a character") from None
    if size > MAX_FORM:
        raise ValueError(f"form is longer than {MAX_FORM} bytes")
    _refuse_oauths_own("form", (name for name, _ in pairs))
    if pairs and method in ("GET", "HEAD"):
        raise ValueError(f"form can't be sent with {method}: put it into the URL's query")
    return pairs


def signed_url(url: str) -> str:
    """Return ``url``, which was checked, with its query encoded in the one way that oauthlib reads."""
    before, mark, query = url.partition("?")
    return f"{before}{mark}{urlencode(_decoded(query))}"


def _parts(url: str) -> tuple[str, str, str]:
    """Return authority, path and query."""
    found = _URL.fullmatch(url)
    if found is None:
        raise ValueError("url must be a whole URL, such as https://api.example.com/1/me")
    return found[2], found[3], found[4]


def _check_path(path: str) -> None:
    if not _PATH.fullmatch(path):
        raise ValueError("url has a path with characters that clients encode: percent-encode them, in capitals (%2F)")
    if any(_NEEDLESS.fullmatch(unquote(escape)) for escape in re.findall("%..", path)):
        raise ValueError("url has a path that encodes what some clients decode: write letters, digits, - . _ ~ as they are")
    if any(part in (".", "..") for part in path.split("/")):
        raise ValueError("url has . or .. in its path, which clients resolve")
    if path.startswith("//") or path.endswith(";"):
        raise ValueError("url has a path that clients shorten: it may not begin with // nor end with ;")


def _check_query(query: str) -> None:
    if "[" in query or "]" in query:  # clients send them as they are, and providers that read queries by the RFC answer 400
        raise ValueError("url has a query with brackets: percent-encode [ and ] as %5B and %5D, and send it so")
    if not _QUERY.fullmatch(query):
        raise ValueError("url has a query with characters that must be percent-encoded")
    try:
        pairs = _decoded(query)
    except UnicodeDecodeError:
        raise ValueError("url has a query that is not UTF-8") from None
    _refuse_oauths_own("url", (name for name, _ in pairs))


def _decoded(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True, errors="strict")


def _refuse_oauths_own(parameter: str, names: Iterable[str]) -> None:
    if any(name.lower().startswith("oauth_") for name in names):
        raise ValueError(f"{parameter} names one of OAuth's own parameters (oauth_…), which sign adds")
