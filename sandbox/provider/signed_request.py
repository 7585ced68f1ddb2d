"""An incoming call in the form that oauthlib verifies: URI, method, body, headers."""

import base64
import binascii
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlencode

from flask import Request

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class SignedRequest:
    """One call. ``oauth`` holds its ``oauth_*`` parameters, unverified, from header, query and body: ``places`` says from which.

    ``asked`` are the parameters of query and body beside these; ``realm`` is the header's, ``agent`` the
    client's name of itself.
    """

    uri: str
    method: str
    body: str
    headers: dict[str, str]
    oauth: dict[str, str]
    places: frozenset[str] = frozenset()
    asked: dict[str, str] = field(default_factory=dict)
    realm: str | None = None
    agent: str = ""

    @classmethod
    def of(cls, request: Request) -> "SignedRequest":
        """Read ``request`` whole.

        Clients may put ``oauth_verifier`` into the form body and the rest into the header, as X's own examples do.
        oauthlib refuses protocol parameters that come from two places, so those of the body move into the header, where
        the signature covers them the same. A name in both places is left in both, for oauthlib to refuse.
        """
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        raw = request.get_data(cache=True)  # read even where it isn't a form, so that nothing is left unread on the connection
        body = raw.decode("utf-8", "replace") if FORM in headers.get("Content-Type", "") else ""
        in_query = _oauth(parse_qsl(request.query_string.decode("latin-1")))
        in_body = _oauth(parse_qsl(body, keep_blank_values=True))
        in_header: dict[str, str] = {}
        if request.authorization and request.authorization.type == "oauth":
            stood = request.authorization.parameters.items()
            in_header = {name: unquote(value or "") for name, value in stood}
            if in_body and not in_body.keys() & in_header.keys():
                headers["Authorization"] += "".join(f', {n}="{quote(value, safe="")}"' for n, value in in_body.items())
                rest = (pair for pair in parse_qsl(body, keep_blank_values=True) if pair[0] not in in_body)
                body = urlencode(list(rest))
        # REQUEST_URI is as the client signed it; request.url is decoded for display
        uri = f"{request.scheme}://{request.host}{request.environ['REQUEST_URI']}"
        places = {"query": in_query, "body": in_body, "header": in_header}
        given = frozenset(place for place, stood in places.items() if stood)
        asked = {name: value for name, value in request.values.items() if not name.startswith("oauth_")}
        told = in_query | in_body | in_header
        agent = request.headers.get("User-Agent", "")
        return cls(uri, request.method, body, headers, told, given, asked, in_header.get("realm"), agent)


def _oauth(pairs: list[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in pairs if name.startswith("oauth_")}


def basic(request: Request) -> tuple[str, str]:
    """Return key and secret of a Basic header, percent-decoded (RFC 6749, section 2.3.1); empty if there is none."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        key, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote(key), unquote(secret)


def bearer(request: Request) -> str:
    """Return the token of a Bearer header, empty if there is none."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value if scheme.lower() == "bearer" else ""
