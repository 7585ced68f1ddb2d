"""Authorizations that live in the table, and connected users, for events to be about."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sandbox.provider import User
from tests.fuzz.schema import Event
from tests.support.sandbox_app import RETURN_TO, SandboxApp
from tripod import challenges

USES = {"user": 2, "ticket": 2}  # of one authorization: the first decides it, the others come after
_PART = re.compile(r"~~(?:(provider|sealing)|([a-z-]+)\.(\d)\.([a-z_]+))~~")

Invoke = Callable[[str, Event], Any]


class Cast:
    """Puts what lives into events; ``invoke`` runs a function's handler.

    Authorizations of even numbers are of ``app``, those of odd ones of ``sealing``, whose users' tokens are sealed in the table.
    """

    def __init__(self, app: SandboxApp, sealing: SandboxApp, invoke: Invoke) -> None:
        self._apps = {"provider": app, "sealing": sealing}
        self._invoke = invoke
        self._living: dict[tuple[str, str], dict[str, str]] = {}
        self._uses: dict[tuple[str, str], int] = {}

    def put_in(self, event: Event) -> Event:
        """Return a copy of the event with every part of somebody's put in its place."""
        text = json.dumps(event)
        for which in {(found[2], found[3]) for found in _PART.finditer(text) if found[2]}:
            self._uses[which] = self._uses.get(which, 0) + 1
            if which not in self._living or self._uses[which] > USES.get(which[0], 4):
                app = self._apps["sealing" if int(which[1]) % 2 else "provider"]
                self._living[which], self._uses[which] = {"provider": app.name, **self._begin(app, which[0])}, 1
        return json.loads(_PART.sub(self._part, text))

    def _part(self, found: re.Match[str]) -> str:
        return self._apps[found[1]].name if found[1] else self._living[found[2], found[3]].get(found[4], "x")

    def _begin(self, app: SandboxApp, kind: str) -> dict[str, str]:
        """Begin an authorization of this kind, and take it as far as the kind says."""
        user = app.sandbox.provider_server.add_user()
        if kind in ("direct", "direct-pin", "ticket"):
            return self._directly(app, kind, user)
        asked = {"pin": "pin=true", "returning": f"return_to={RETURN_TO}"}.get(kind, "")
        begun = self._invoke("start", _event(app, "GET /oauth/{provider}/start", asked))
        content, cookie = json.loads(begun["body"]), begun["cookies"][0].partition(";")[0]
        parts = {"token": content["request_token"], "cookie": cookie, "user_id": user.user_id}
        if kind == "pending":
            return parts
        back = app.consent(content["authorize_url"], user, cancel=kind == "denied")
        parts["verifier"] = back if kind == "pin" else _verifier(back)
        if kind == "user":
            self._invoke("callback", _event(app, "GET /oauth/{provider}/callback", urlsplit(back).query, cookie))
        return parts

    def _directly(self, app: SandboxApp, kind: str, user: User) -> dict[str, str]:
        secret = f"{user.user_id} in a session"
        challenge = challenges.challenge(secret, provider=app.name, return_to="")
        asked = {"pin": True} if kind == "direct-pin" else {"challenge": challenge}
        begun = self._invoke("start", {"provider": app.name, "subject": user.user_id, **asked})
        parts = {"token": begun["request_token"], "subject": user.user_id, "secret": secret, "user_id": user.user_id}
        back = app.consent(begun["authorize_url"], user)
        parts["verifier"] = back if kind == "direct-pin" else _verifier(back)
        if kind == "ticket":
            answer = self._invoke("callback", _event(app, "GET /oauth/{provider}/callback", urlsplit(back).query))
            parts["ticket"] = json.loads(answer["body"])["ticket"]
        return parts


def _event(app: SandboxApp, route: str, query: str, cookie: str = "") -> Event:
    http = {"method": "GET", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": ""}
    context = {"routeKey": route, "domainName": "127.0.0.1:8765", "stage": "$default", "requestId": "a", "http": http}
    return {
        "version": "2.0",
        "routeKey": route,
        "rawQueryString": query,
        "headers": {"accept": "application/json"},
        "cookies": [cookie],
        "pathParameters": {"provider": app.name},
        "requestContext": context,
        "isBase64Encoded": False,
    }


def _verifier(callback: str) -> str:
    return parse_qs(urlsplit(callback).query).get("oauth_verifier", [""])[0]
