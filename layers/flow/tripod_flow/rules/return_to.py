"""``return_to``: where the browser goes when all is done; only where the stack's allow-list says, or it were an open redirect."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_plus, urlencode, urlsplit, urlunsplit

from tripod.loopback import is_loopback

MAX_LENGTH = 2048  # characters
OUR_NAMES = frozenset({"outcome", "provider", "ticket", "error"})  # what the redirect adds: a caller's own would be taken for it

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]", re.I)
_NUMBER = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)", re.I)  # a host that ends so is an address to a browser: 0x7f.1 is 127.0.0.1
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_ADDRESS = re.compile(rf"{_OCTET}(\.{_OCTET}){{3}}")
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class _Place:
    """What must be equal: an entry of the list and a ``return_to`` are compared as these."""

    scheme: str
    host: str
    port: int
    path: str


@dataclass(frozen=True, slots=True)
class AllowList:
    """The stack's allowed return URLs."""

    entries: tuple[_Place, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "AllowList":
        """Read URLs separated by commas; raises ``ValueError`` that says which one is wrong and why.

        Plain http is for an app under development on one's own machine, so only for its loopback addresses.
        """
        entries = []
        for entry in filter(None, (part.strip() for part in text.split(","))):
            try:
                place = _place(entry)
            except ValueError as error:
                raise ValueError(f"{entry}: {error}") from None
            if place.scheme == "http" and not is_loopback(place.host):
                raise ValueError(f"{entry}: it must be https")
            if urlsplit(entry).query:
                raise ValueError(f"{entry}: it may not have a query")
            if "*" in place.path.removesuffix("/*"):
                raise ValueError(f"{entry}: * may only stand at the end, as /*")
            entries.append(place)
        return cls(tuple(entries))

    def flaw(self, url: str) -> str | None:
        """Return why ``url`` may not be returned to, or None where it may."""
        try:
            place = _place(url)
        except ValueError as error:
            return str(error)
        if "%00" in url:
            return "it may not hold %00, where some parsers end"
        ours = sorted(OUR_NAMES & set(_names_in(urlsplit(url).query)))
        if ours:
            return f"its query may not have {', '.join(ours)}: these are added to it"
        if any(_allows(entry, place) for entry in self.entries):
            return None
        return "it is not among the allowed return URLs (the stack's parameter AllowedReturnUrls)"


def _names_in(query: str) -> Iterator[str]:
    """Yield a query's names as the most lenient of parsers might read them: split at ``;`` too, without case, blanks and brackets."""
    for pair in re.split("[&;]", query):
        name = unquote_plus(pair.partition("=")[0])
        yield next(filter(None, re.split(r"[\[\]\s]+", name)), "").casefold()


def with_outcome(url: str, outcome: dict[str, str]) -> str:
    """Return ``url``, its own query kept as it is, with the outcome added."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(outcome))))))


def without_query(url: str) -> str:
    """Return ``url`` without its query."""
    return urlunsplit(urlsplit(url)._replace(query=""))


def origin(url: str) -> str:
    """Return scheme, host and port of an allowed URL, as a Content-Security-Policy names them."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _allows(entry: _Place, place: _Place) -> bool:
    if (entry.scheme, entry.host, entry.port) != (place.scheme, place.host, place.port):
        return False
    if entry.path.endswith("/*"):
        return place.path.startswith(entry.path[:-1])
    return entry.path == place.path


def _place(url: str) -> _Place:
    """Take a URL apart; raises ``ValueError`` for all that browsers and servers read in more than one way."""
    if len(url) > MAX_LENGTH:
        raise ValueError(f"it is longer than {MAX_LENGTH} characters")
    if not re.fullmatch(r"[!-~]+", url) or "\\" in url:
        raise ValueError("it may hold neither spaces, control characters, backslashes nor anything outside ASCII")
    if "#" in url:
        raise ValueError("it may not have a fragment")
    if not re.match(r"https?://[^/?@]+([/?]|$)", url):
        raise ValueError("it must be an absolute https URL, without user name or password")
    parts = urlsplit(url)
    host = parts.netloc.rpartition(":")[0] if re.search(r":[0-9]*$", parts.netloc) else parts.netloc
    if not _HOST.fullmatch(host) or ".." in host or parts.netloc.endswith(":"):
        raise ValueError("it must have a plain host name")
    if _NUMBER.fullmatch(host) and not _ADDRESS.fullmatch(host):
        raise ValueError("its address must be four decimal numbers")
    path = parts.path or "/"
    if re.search(r"%(2f|5c|2e|00|0a|0d|25)", path, re.I) or re.search(r"/\.{1,2}(/|;|$)", path) or "//" in path:
        raise ValueError("its path may hold neither dot segments, empty segments, nor encoded slashes, dots or controls")
    return _Place(parts.scheme, host.lower(), _DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port, path)
