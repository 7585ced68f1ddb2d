"""An app of a provider that the sandbox plays: requests and requests_oauthlib, at the provider's real URLs, rewritten."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote

import requests
from requests_oauthlib import OAuth1

from sandbox.provider import ProviderServer, RegisteredApp, User, Visitor
from tests.support.app_client import CALLBACK, Token, fields_of, query_of
from tests.support.known_providers import KNOWN


class PlayClient:
    """An app of ``name``; ``changes`` are to what is known of the provider, ``signing`` is OAuth1's, such as a timestamp."""

    def __init__(self, provider: ProviderServer, name: str, consumer: RegisteredApp | None = None, **changes: Any) -> None:
        self.provider = provider
        self.name = name
        self.known = replace(KNOWN[name], **changes)
        self.consumer = consumer or provider.register(play=name)
        self.user = provider.users[0]
        self.signing: dict[str, Any] = {}

    def address(self, url: str) -> str:
        """Return where the sandbox serves a URL of the provider."""
        return f"{self.provider.url}/{self.name}/{url.removeprefix('https://')}"

    def call(
        self, method: str, url: str, token: Token | None = None, *, headers: dict[str, str] | None = None, **signing: Any
    ) -> requests.Response:
        """Make a signed call."""
        key, secret = (token.key, token.secret) if token else (None, None)
        told = {"signature_method": self.known.signature_method, **self.signing, **signing}
        in_body = told.get("signature_type") == "BODY"
        return requests.request(
            method,
            self.address(url),
            auth=OAuth1(self.consumer.key, self.consumer.secret, key, secret, **told),
            data={"from": "tests"} if in_body else None,
            headers=headers,
            timeout=5,
            allow_redirects=False,
        )

    def ask_request_token(self, **signing: Any) -> requests.Response:
        """Call leg 1."""
        callback = {} if self.known.late else {"callback_uri": CALLBACK}
        where = {"signature_type": self.known.signature_type}
        return self.call(self.known.method, self.known.request_token, **{**where, **callback, **signing})

    def request_token(self, **signing: Any) -> Token:
        return token_of(self.ask_request_token(**signing))

    def page(self, token: Token, callback: str = CALLBACK) -> str:
        """Return the authorize URL."""
        address = self.address(self.known.authorize)
        late = f"&oauth_callback={quote(callback, safe='')}" if self.known.late else ""
        return f"{address}{'&' if '?' in address else '?'}oauth_token={token.key}{late}"

    def consent(self, token: Token, *, cancel: bool = False, user: User | None = None) -> str:
        """Press a button; return where the browser comes back, empty if it doesn't."""
        visitor = Visitor(user or self.user)
        try:
            return (visitor.cancel if cancel else visitor.authorize)(self.page(token))
        finally:
            visitor.close()

    def exchange(self, token: Token, verifier: str | None, **signing: Any) -> requests.Response:
        """Call leg 3."""
        where = {"signature_type": self.known.signature_type}
        return self.call(self.known.method, self.known.access_token, token, verifier=verifier, **{**where, **signing})

    def sign_in(self, **signing: Any) -> requests.Response:
        """Run the whole handshake; return the token answer."""
        token = self.request_token(**signing)
        return self.exchange(token, query_of(self.consent(token)).get("oauth_verifier"))

    def connect(self, **signing: Any) -> Token:
        return token_of(self.sign_in(**signing))

    def read(self, token: Token) -> requests.Response:
        """Make the call that a token opens, as this provider wants it."""
        url = self.known.read.format(user_id=self.user.user_id, screen_name=self.user.screen_name)
        if self.name == "zotero":
            return requests.get(self.address(url), headers={"Zotero-API-Key": token.secret}, timeout=5)
        if self.name == "evernote":
            return requests.post(self.address(url), data=f"getUser {token.key}".encode(), timeout=5)
        realm: dict[str, Any] = {"realm": self.known.realm} if self.known.realm else {}
        return self.call("GET", url, token, headers={"Accept": "application/json"}, **realm)

    def revoke(self, token: Token) -> requests.Response:
        """Let the app revoke its token."""
        assert self.known.revoke is not None
        method, url = self.known.revoke
        url = url.format(token=token.key, secret=token.secret)
        if self.name == "zotero":
            return requests.request(method, self.address(url), timeout=5)
        realm: dict[str, Any] = {"realm": self.known.realm} if self.known.realm else {}
        return self.call(method, url, token, **realm)

    @property
    def exchange_refused(self) -> tuple[int, str]:
        """Return the status of a request token that is unknown, used, expired or denied."""
        return self.known.signature_refused[0], ""

    @property
    def user_id(self) -> str:
        return self.known.user_id.format(user_id=self.user.user_id, screen_name=self.user.screen_name)


def token_of(response: requests.Response) -> Token:
    """Return the token of an answer."""
    assert response.status_code == 200, response.text
    fields = fields_of(response)
    return Token(fields["oauth_token"], fields["oauth_token_secret"])


def found(path: str, content: Any) -> Any:
    """Return what is at a dotted path."""
    for name in path.split("."):
        content = content[name]
    return content


def is_refused(response: requests.Response, said: tuple[int, str]) -> bool:
    """Return True if the answer is this refusal, and holds no token."""
    status, text = said
    return response.status_code == status and text in response.text and "oauth_token_secret" not in dict(parse_qsl(response.text))
