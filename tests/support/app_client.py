"""An app at the provider, played with requests and requests_oauthlib: one method per leg."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests_oauthlib import OAuth1

from sandbox.provider import ProviderServer, RegisteredApp, User, Visitor

CALLBACK = "http://127.0.0.1:9/callback"
VERIFY = "/1.1/account/verify_credentials.json"


@dataclass(frozen=True)
class Token:
    """A token and its secret, of either kind."""

    key: str
    secret: str


def query_of(url: str) -> dict[str, str]:
    """Return the query of ``url``."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def fields_of(response: requests.Response) -> dict[str, str]:
    """Return the fields of a form-encoded answer."""
    return dict(parse_qsl(response.text, keep_blank_values=True))


class AppClient:
    """An app that signs what it sends; ``signing`` are OAuth1's own arguments, such as a nonce."""

    def __init__(self, provider: ProviderServer, consumer: RegisteredApp | None = None, **signing: Any) -> None:
        self.provider = provider
        self.consumer = consumer or provider.register()
        self.signing = signing

    def auth(self, token: Token | None = None, **more: Any) -> OAuth1:
        key, secret = (token.key, token.secret) if token else (None, None)
        return OAuth1(self.consumer.key, self.consumer.secret, key, secret, **self.signing, **more)

    def call(
        self,
        method: str,
        path: str,
        token: Token | None = None,
        *,
        data: dict[str, str] | None = None,
        json: object = None,
        params: dict[str, str] | None = None,
        **more: Any,
    ) -> requests.Response:
        return requests.request(
            method,
            self.provider.url + path,
            auth=self.auth(token, **more),
            data=data,
            json=json,
            params=params,
            timeout=5,
            allow_redirects=False,
        )

    def ask_request_token(self, callback: str = CALLBACK, **params: str) -> requests.Response:
        return self.call("POST", "/oauth/request_token", params=params, callback_uri=callback)

    def request_token(self, callback: str = CALLBACK, **params: str) -> Token:
        response = self.ask_request_token(callback, **params)
        assert response.status_code == 200, response.text
        fields = fields_of(response)
        return Token(fields["oauth_token"], fields["oauth_token_secret"])

    def page(self, token: Token, page: str = "authorize", **params: str) -> str:
        more = "".join(f"&{name}={value}" for name, value in params.items())
        return f"{self.provider.url}/oauth/{page}?oauth_token={token.key}{more}"

    def consent(self, token: Token, user: User | None = None) -> str:
        """Return the verifier, or the PIN."""
        visitor = Visitor(user or self.provider.users[0])
        answer = visitor.authorize(self.page(token))
        visitor.close()
        return query_of(answer).get("oauth_verifier", answer)

    def exchange(self, token: Token, verifier: str) -> requests.Response:
        return self.call("POST", "/oauth/access_token", token, verifier=verifier)

    def connect(self, user: User | None = None, **params: str) -> Token:
        """Run the whole handshake; return the access token."""
        token = self.request_token(**params)
        response = self.exchange(token, self.consent(token, user))
        assert response.status_code == 200, response.text
        fields = fields_of(response)
        return Token(fields["oauth_token"], fields["oauth_token_secret"])

    def verify(self, token: Token) -> requests.Response:
        return self.call("GET", VERIFY, token)
