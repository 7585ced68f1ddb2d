"""Requests in: an API Gateway HTTP API event (payload 2.0) becomes an ``HttpRequest``, whose parameters are read here."""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from tripod.loopback import is_loopback
from tripod_flow.api import parameters, text
from tripod_flow.api.pages import PLAIN, Look
from tripod_flow.flows.start import StartRequest
from tripod_flow.rules.errors import BadRequest, FlowError, WrongBrowser

MAX_BODY = 8192  # characters of a posted PIN, base64 included

_START = ("return_to", "challenge", "endpoint", "force_login", "screen_name", "x_auth_access_type", "pin")
_PIN = ("request_token", "pin")
_CALLBACK = ("oauth_token", "oauth_verifier", "denied")
_REFUSALS = ("denied", "error", "rejected")  # with any value: the user said no
_NO_VERIFIERS = ("denied", "none", "null", "undefined")  # what some providers send in a verifier's place
_YES = ("1", "true", "yes")  # what some providers say to ``denied``, which is the request token at X


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request, taken apart and not yet checked."""

    id: str
    provider: str
    look: Look
    origin: str  # the API's own, from API Gateway: never from a header that the caller writes
    prefers_page: bool
    accept_language: str  # as the browser sends it: ``languages`` reads it for a page
    posted: bool
    at_pin: bool  # the PIN's page, or what it posts to
    user_id: str  # of revoke's path; empty in others
    content_type: str
    fetch_site: str  # Sec-Fetch-Site, where the browser sends it
    body_is_base64: bool
    body: str = field(repr=False)
    query: str = field(repr=False)
    cookies: Mapping[str, str] = field(repr=False)
    called: Callable[[str], str] = field(default=text.provider_name, repr=False)

    @property
    def provider_name(self) -> str:
        """The provider's name as people write it: its definition's, once that has been read."""
        return self.called(self.provider)

    @property
    def callback_url(self) -> str:
        """The URL that the provider sends the browser back to, as it must be registered there."""
        return f"{self.origin}/oauth/{self.provider}/callback"

    def pin_page(self, request_token: str) -> str:
        """Return the URL of the page that asks for a PIN, and shows the outcome later."""
        return f"{self.origin}/oauth/{quote(self.provider)}/pin?{urlencode({'request_token': request_token})}"


@dataclass(frozen=True, slots=True)
class ProviderReturn:
    """The parameters that the provider sent the browser back with.

    ``request_token`` and ``verifier`` are None where it named none; ``is_refusal`` where it said in words that the user refused.
    ``others`` are parameters of names that are not OAuth's.
    """

    request_token: str | None = field(repr=False)
    verifier: str | None = field(repr=False)
    is_refusal: bool = False
    others: Mapping[str, str] = field(default_factory=dict, repr=False)


def read(
    event: Mapping[str, Any], *, loopback: bool, look: Look = PLAIN, called: Callable[[str], str] = text.provider_name
) -> HttpRequest:
    """Take an event apart; nothing that a caller can write makes it raise. ``called`` returns a provider's name."""
    proxied = APIGatewayProxyEventV2(dict(event))
    context, headers, in_path = proxied.request_context, proxied.headers, proxied.path_parameters or {}
    stage = "" if context.stage == "$default" else f"/{context.stage}"
    host = context.domain_name
    scheme = "http" if loopback and is_loopback(host.partition(":")[0]) else "https"
    return HttpRequest(
        id=context.request_id,
        provider=in_path.get("provider", "").encode(errors="replace").decode(),
        origin=f"{scheme}://{host}{stage}",
        look=look,
        prefers_page=_prefers_page(headers.get("accept", "")),
        accept_language=headers.get("accept-language", ""),
        posted=(context.get("http") or {}).get("method") == "POST",
        at_pin=(proxied.get("routeKey") or "").endswith("/pin"),
        user_id=in_path.get("user_id", ""),
        content_type=headers.get("content-type", ""),
        fetch_site=headers.get("sec-fetch-site", "same-origin"),
        body_is_base64=bool(proxied.get("isBase64Encoded")),
        body=proxied.get("body") or "",
        query=proxied.get("rawQueryString") or "",
        cookies=_cookies(proxied.get("cookies") or []),
        called=called,
    )


def start_request(request: HttpRequest) -> tuple[StartRequest, list[str]]:
    """Read start's query; returns the names that were ignored too: links get trackers hung on.

    OAuth's own names are refused: nobody slips one through.
    """
    asked, others = parameters.of_query(request.query, _START)
    if any(name.lower().startswith("oauth_") for name in others):
        raise BadRequest(detail="OAuth's own parameters (oauth_…) can't be given to start.")
    started = StartRequest(
        provider=request.provider,
        return_to=asked.get("return_to"),
        challenge=parameters.challenge(asked.get("challenge")),
        endpoint=parameters.one_of(asked, "endpoint", ("authorize", "authenticate")) or "authorize",
        force_login=parameters.one_of(asked, "force_login", ("true", "false")) == "true",
        screen_name=asked.get("screen_name"),
        x_auth_access_type=parameters.one_of(asked, "x_auth_access_type", ("read", "write")),
        pin=parameters.one_of(asked, "pin", ("true", "false")) == "true",
    )
    return started, parameters.plain(others)


def asked_return_to(request: HttpRequest) -> str | None:
    """Return start's ``return_to``, whatever else is wrong with the request; None where it can't be read."""
    try:
        return parameters.of_query(request.query, ("return_to",))[0].get("return_to")
    except BadRequest:
        return None


def provider_return(request: HttpRequest) -> ProviderReturn:
    """Read callback's query; other names are ignored: providers add their own.

    Some providers say ``oauth_verifier=denied`` for a refusal; others have a word of their own for it (``denied``, ``error``,
    ``rejected``, ``oauth_problem``).
    """
    given, others = parameters.of_query(request.query, _CALLBACK, may_be_empty=True)
    verifier = given.get("oauth_verifier")
    says_no = verifier is not None and verifier.strip().lower() in ("", *_NO_VERIFIERS)
    if says_no:
        verifier = None
    if verifier is not None and any(given.get(word) or others.get(word) for word in _REFUSALS):
        raise BadRequest(detail="A refusal and oauth_verifier can't come together.")
    is_refusal = says_no or any(given.get(word) or others.get(word) for word in (*_REFUSALS, "oauth_problem"))
    denied = given.get("denied")
    request_token = given.get("oauth_token") or (None if denied in _YES else denied)
    return ProviderReturn(request_token, verifier, is_refusal, others)


def posted_pin(request: HttpRequest) -> tuple[str, str]:
    """Read a posted PIN, from a form or from JSON: request token and PIN, without its spaces.

    Raises ``BadRequest``, or ``WrongBrowser`` if another site's page posted it. (Our own pages' ``no-referrer`` makes their
    ``Origin`` null, so ``Sec-Fetch-Site`` tells; for a browser without it the SameSite cookie decides.)
    """
    if request.fetch_site not in ("same-origin", "none"):
        raise WrongBrowser("posted from another site")
    body = _body(request)
    if request.content_type.partition(";")[0].strip().lower() == "application/json":
        given = parameters.of_json(body, _PIN)
    else:
        given = parameters.of_form(body, _PIN)
    for name in _PIN:
        if name not in given:
            raise BadRequest(detail=f"The parameter {name} is missing.")
    if not re.fullmatch(r"[A-Za-z0-9._~-]{1,128}", given["pin"]):
        raise BadRequest(detail="That can't be a PIN: it has letters, digits and hyphens alone.")
    return given["request_token"], given["pin"]


def posted_pin_page(request: HttpRequest) -> str | None:
    """Return the URL of the page that a PIN was posted from; None for any other request."""
    if not (request.posted and request.at_pin):
        return None
    try:
        request_token = parameters.of_query(_body(request), _PIN[:1])[0].get("request_token")
    except FlowError:
        return None
    return None if request_token is None else request.pin_page(request_token)


def pin_page_token(request: HttpRequest) -> str:
    """Read the PIN page's query: the request token of a begun authorization."""
    given, _ = parameters.of_query(request.query, _PIN[:1])
    if "request_token" not in given:
        raise BadRequest(detail="The parameter request_token is missing: begin at start, with pin=true.")
    return given["request_token"]


def _body(request: HttpRequest) -> str:
    """Return the body as text; bytes that are no UTF-8 become characters that no parameter may hold."""
    text = request.body
    if len(text) > MAX_BODY:
        raise BadRequest(detail="The body is too long.")
    try:
        content = base64.b64decode(text) if request.body_is_base64 else text.encode()
        return content.decode(errors="surrogateescape")
    except ValueError:
        raise BadRequest(detail="The body can't be read.") from None


def user_id(request: HttpRequest) -> str:
    """Return the user id of revoke's path, checked."""
    return parameters.checked("user_id", request.user_id)


def _cookies(lines: list[str]) -> dict[str, str]:
    """Read the event's cookies; one that can't be read counts as missing."""
    found: dict[str, str] = {}
    for line in lines:
        # Each of the event's cookies is one: a parser of whole headers would find another one in a value that a neighbouring host set.
        # And a name is what the browser takes for one: with Unicode's blanks cut off, a neighbour's would become ``__Host-``.
        name, _, value = line.partition("=")
        found[name.strip(" \t")] = value.strip(" \t")
    return found


def _prefers_page(accept: str) -> bool:
    """Return True if HTML is preferred to JSON (RFC 9110, section 12.5.1): browsers name text/html, programs seldom do."""
    html = json = 0.0
    for part in accept.lower().split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((_quality(one[2:]) for one in parameters if one.startswith("q=")), 1.0)
        if kind in ("text/html", "application/xhtml+xml"):
            html = max(html, quality)
        elif kind in ("application/json", "application/problem+json"):
            json = max(json, quality)
    return html > json


def _quality(text: str) -> float:
    return float(text) if re.fullmatch(r"[01](\.[0-9]{0,3})?", text) else 0.0
