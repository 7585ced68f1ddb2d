"""A play: how the provider behaves as one of the living ones. X is the play of all defaults; plays.toml describes the others."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

from sandbox.provider.failures import ProviderFailure, Refusals
from sandbox.provider.records import Leg
from sandbox.provider.token_forms import TokenForms

REQUEST_TOKEN_LIFETIME = 600  # seconds; X's is unknown, Wikimedia's is this
TOKEN_LEGS = ("request_token", "access_token")
PAGES = ("authorize", "authenticate")
ANYTHING = "[^/]+"  # what a name in braces stands for in a URL, unless ``places`` says so

Place = Literal["header", "query", "body"]
Proof = Literal["signature", "key and token", "secret in header", "secret in path", "token in body"]
CallbackRule = Literal["exact", "prefix", "origin"]


@dataclass(frozen=True)
class VaryingName:
    """A name in the URLs of a provider that is at many hosts: what it may be (a pattern), and one example."""

    pattern: str
    example: str


@dataclass(frozen=True)
class Endpoint:
    """One address of a provider, and what it answers.

    ``urls``: the first is the one to use. Names in braces stand for what varies; a query must be there as it is written.
    ``asks``: the query that an app should add. ``needs``: parameters that must be there, and their values (none: any); ``takes``:
    values of those that may be. ``names_token``: whether the call has an oauth_token, where two legs share a URL.
    ``proof``: how the app shows whose data it may see. ``header`` is that of the proof "secret in header".
    ``answer``: JSON, with the user's data for names in braces; ``signed``: as a JWT. ``otherwise``: the answer in another form,
    unless ``Accept`` names JSON or the query has ``json_if``. ``fields``: the parameter that names the answer's fields, and what
    stands between them. ``redirect``: where the answer is instead. ``refusals``: this endpoint's own.
    """

    leg: Leg
    urls: tuple[str, ...]
    methods: tuple[str, ...] = ("GET", "POST")
    asks: Mapping[str, str] = field(default_factory=dict)
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    takes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    names_token: bool | None = None
    proof: Proof = "signature"
    header: str = ""
    status: int = 200
    answer: Mapping[str, Any] | None = None
    signed: bool = False
    otherwise: str = ""
    json_if: tuple[str, str] | None = None
    fields: tuple[str, str] | None = None
    redirect: str = ""
    refusals: Mapping[str, ProviderFailure] = field(default_factory=dict)


@dataclass(frozen=True)
class Play:
    """How one provider behaves.

    ``site``: what a consumer secret says where the URLs vary, and ``places`` the names in them that do.
    ``parameters_in``: where the token legs take OAuth's parameters.
    ``realm``: what a header's realm must be, if there is one; ``realm_on``: the legs that must have one.
    ``nonce``: its length. ``agent``, ``version``: whether a User-Agent and oauth_version must be there. ``ordered``: whether
    timestamps may not go back.
    ``callback``: whether leg 1 must name it ("required"), or it stands on the authorize URL, as before 1.0a ("authorize").
    ``callback_rule``: how it is compared with the app's own. ``confirms``: whether leg 1 says so. ``verifier``: whether there is one.
    ``yes``, ``no``: what the callback gets; a ``no`` of None never comes back. ``echoes``: parameters of the authorize URL that it
    gets back. ``fragment``: what a yes ends in. ``oob``: where the browser goes without a callback, instead of to a PIN's page.
    ``names_user``: whether any answer says who the user is; if not, no sign-in begins in a browser.
    ``app_name``: the parameter of the authorize URL that names the app.
    ``answer``: what the token answer has beside the token; ``json_if``: the parameter that makes JSON of it. ``user_id``: the user's
    id as this provider has it. ``access_lifetime``: seconds (0: for ever), unless one of ``lifetimes`` was asked for: parameter,
    value, seconds. ``no_secret_if``: the parameter that makes the access secret empty.
    ``sure``: which of all this is how sure.
    """

    name: str = "x"
    title: str = "X"
    site: str = ""
    endpoints: tuple[Endpoint, ...] = ()
    places: Mapping[str, VaryingName] = field(default_factory=dict)
    signature_methods: tuple[str, ...] = ("HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT")
    parameters_in: tuple[Place, ...] = ("header", "query", "body")
    realm: str = ""
    realm_on: tuple[Leg, ...] = ()
    nonce: tuple[int, int] = (1, 128)
    agent: bool = False
    version: bool = False
    ordered: bool = False
    callback: Literal["required", "authorize"] = "required"
    callback_rule: CallbackRule = "exact"
    confirms: bool = True
    verifier: bool = True
    yes: Mapping[str, str] = field(default_factory=lambda: {"oauth_token": "{token}", "oauth_verifier": "{verifier}"})
    no: Mapping[str, str] | None = field(default_factory=lambda: {"denied": "{token}"})
    echoes: tuple[str, ...] = ()
    fragment: str = ""
    oob: str = ""
    app_name: str = ""
    names_user: bool = True
    answer: Mapping[str, str] = field(default_factory=dict)
    json_if: tuple[str, str] | None = None
    user_id: str = "{user_id}"
    forms: TokenForms = field(default_factory=TokenForms)
    request_token_lifetime: int = REQUEST_TOKEN_LIFETIME
    access_lifetime: int = 0
    lifetimes: tuple[tuple[str, str, int], ...] = ()
    no_secret_if: tuple[str, str] | None = None
    refusals: Refusals = field(default_factory=Refusals)
    api_refusals: Mapping[str, ProviderFailure] = field(default_factory=dict)
    sure: Mapping[str, str] = field(default_factory=dict)

    def endpoint(self, leg: Leg) -> Endpoint | None:
        """Return the first endpoint of a leg."""
        return next((endpoint for endpoint in self.endpoints if endpoint.leg == leg), None)

    def at(self, endpoint: Endpoint, address: str, query: Mapping[str, str]) -> dict[str, str] | None:
        """Return what the names in the endpoint's URL stand for in ``address`` (host and path); None if it isn't the endpoint's."""
        for url in endpoint.urls:
            path, _, wanted = url.removeprefix("https://").partition("?")
            found = re.fullmatch(self._pattern(path), address)
            if found and all(
                query.get(name) == value for name, _, value in (one.partition("=") for one in wanted.split("&") if one)
            ):
                return found.groupdict()
        return None

    def behave(self, endpoint: Endpoint) -> "Play":
        """Return the play as this endpoint has it: with its own refusals."""
        of_api = {} if endpoint.leg in TOKEN_LEGS else self.api_refusals
        return replace(self, refusals=replace(self.refusals, **{**of_api, **endpoint.refusals}))

    def url(self, leg: Leg) -> str | None:
        """Return a leg's real URL, for the example of what varies, with the query that an app should add; None if there is none."""
        endpoint = self.endpoint(leg)
        if endpoint is None:
            return None
        url = endpoint.urls[0]
        for name, sample in self.places.items():
            url = url.replace(f"{{{name}}}", sample.example)
        return f"{url}{'&' if '?' in url else '?'}{urlencode(endpoint.asks)}" if endpoint.asks else url

    def approves(self, callback: str, registered: Iterable[str]) -> bool:
        """Return True if an app with these callbacks in its settings may use ``callback``."""
        if self.callback_rule == "prefix":
            return any(_begins(callback, one) for one in registered)
        if self.callback_rule == "origin":
            return origin(callback) in map(origin, registered)
        return callback in registered

    @property
    def compares_late(self) -> bool:
        """Return True if the callback is compared with the app's own on the authorize page, not in leg 1."""
        return self.callback == "authorize" or self.callback_rule == "origin"

    def access_lifetime_of(self, asked: Mapping[str, str]) -> int:
        """Return for how many seconds an access token lasts after ``asked``; 0 is for ever."""
        for name, value, seconds in self.lifetimes:
            if value in re.split(r"[|, ]", asked.get(name, "")):
                return seconds
        return self.access_lifetime

    def _pattern(self, path: str) -> str:
        """Return the pattern of a URL's host and path."""
        parts = re.split(r"{(\w+)}", path)  # names at odd places
        return "".join(f"(?P<{part}>{self._meant(part)})" if place % 2 else re.escape(part) for place, part in enumerate(parts))

    def _meant(self, name: str) -> str:
        return self.places[name].pattern if name in self.places else ANYTHING


X = Play()


def _begins(callback: str, registered: str) -> bool:
    """Return True if ``callback`` begins with what is registered, as MediaWiki sees it: its scheme may be better, its host is the same.

    A registered port of 1 is any.
    """
    here, there = urlsplit(callback), urlsplit(registered)
    ports = there.port in (1, here.port)
    schemes = here.scheme == there.scheme or (there.scheme, here.scheme) == ("http", "https")
    rest = urlunsplit(here._replace(scheme="", netloc=""))
    return (
        schemes
        and here.hostname == there.hostname
        and ports
        and rest.startswith(urlunsplit(there._replace(scheme="", netloc="")))
    )


def origin(url: str) -> tuple[str, str]:
    """Return a URL's scheme and host, with its port."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def real(base: str, play: str, url: str) -> str:
    """Return where the sandbox at ``base`` serves the real ``url`` of a play."""
    return f"{base}/{play}/{url.removeprefix('https://')}"
