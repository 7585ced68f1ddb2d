"""What the floor is told: the very calls of a real start and a real callback, with names of their own."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from botocore import xform_name

from sandbox.runtime.emulator import Emulator
from tests.support.sandbox_app import SandboxApp
from tools.bench.scene import Scene, invoke

Calls = list[tuple[str, str, dict[str, Any]]]


class Replay:
    """The calls to AWS of one sign-in, as they came in; ``starter`` and ``finisher`` are the built functions, warm."""

    def __init__(self, stage: Scene, starter: Emulator, finisher: Emulator) -> None:
        self._stage = stage
        before = len(stage.sandbox.aws_server.calls)
        app, event = stage.callback_event(starter)
        invoke(finisher, event)
        self._token, self._user_id = dict(parse_qsl(event["rawQueryString"]))["oauth_token"], app.user.user_id
        self._calls = {leg: self._made_by(f"{stage.sandbox.prefix}-{leg}", before) for leg in ("start", "callback")}

    def start(self, name: str = "") -> Any:
        """Return the event of a start, whose item has this name in place of the request token."""
        told = self._told("request_token_url", {"callback_uri": "https://api.example/callback"})
        return told | {"before": [], "after": self._renamed("start", name or _name(), self._user_id)}

    def callback(self, floor: Emulator) -> Any:
        """Return the event of a callback, whose start ``floor`` has made, and to which a new user has consented."""
        stage, name = self._stage, _name()
        got = dict(parse_qsl(invoke(floor, self.start(name))["body"]))
        app = SandboxApp(stage.sandbox, stage.app.name, stage.app.consumer, stage.sandbox.provider_server.add_user())
        url = urlsplit(app.consent(f"{stage.sandbox.provider}/oauth/authorize?oauth_token={got['oauth_token']}"))
        credentials = {
            "resource_owner_key": got["oauth_token"],
            "resource_owner_secret": got["oauth_token_secret"],
            "verifier": dict(parse_qsl(url.query))["oauth_verifier"],
        }
        claim, *rest = self._renamed("callback", name, app.user.user_id)
        return self._told("access_token_url", credentials) | {"before": [claim], "after": rest}

    def _told(self, url: str, credentials: dict[str, str]) -> dict[str, Any]:
        consumer = self._stage.app.consumer
        return {
            "url": self._stage.url(url),
            "credentials": {"client_key": consumer.key, "client_secret": consumer.secret, **credentials},
        }

    def _made_by(self, function: str, since: int) -> Calls:
        made: Calls = []
        for call in self._stage.sandbox.aws_server.calls[since:]:
            parameters = dict(call.parameters)
            if call.operation == "TransactWriteItems":
                del parameters["ClientRequestToken"]  # botocore makes one for each
            if call.caller == function:
                made.append((call.service, xform_name(call.operation), parameters))
        return made

    def _renamed(self, leg: str, name: str, user_id: str) -> Calls:
        text = json.dumps(self._calls[leg]).replace(self._token, name).replace(self._user_id, user_id)
        renamed: Calls = json.loads(text)
        return renamed


def _name() -> str:
    return f"floor-{uuid4().hex}"
