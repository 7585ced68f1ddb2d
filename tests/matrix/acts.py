"""What is done while a remote call fails: each act's first try, its repetition, and how things then stand."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import requests

from sandbox.browser import JSON, Browser
from tests.support.direct import begin, new_pair
from tests.support.kept_tokens import is_in_the_clear, sealed
from tests.support.pin import begin as begin_by_pin
from tests.support.pin import post
from tests.support.reading import WHO, revoke
from tests.support.sandbox_app import SandboxApp, make_app

GONE = "no answer"  # the function died, or was cut off: API Gateway's 500, or Lambda's FunctionError


@dataclass
class UserScene:
    """One user on the way, right before the act; ``key`` is the authorization's."""

    app: SandboxApp
    key: str = ""
    browser: Browser | None = None
    given: dict[str, Any] = field(default_factory=dict)
    store: str = "secrets-manager"

    def kept(self) -> tuple[str, str] | None:
        """Return whose tokens are kept for the user, and the token; None where there are none."""
        if self.store == "table":
            tokens = sealed(self.app)
            return None if tokens is None else (tokens.user_id, tokens.oauth_token)
        stored = self.app.stored()
        return None if stored is None else (stored["user_id"], stored["oauth_token"])

    @property
    def is_in_the_clear(self) -> bool:
        """True if the table shows a token of the user's."""
        return any(
            is_in_the_clear(self.app.item(key), self.app.user.user_id) for key in (self.key, self.app.connection_key) if key
        )


@dataclass(frozen=True)
class Act:
    """``do`` tries, and returns the outcome's name or the error's code; ``end`` says how things stand after all."""

    name: str
    function: str
    prepare: Callable[[SandboxApp], UserScene]
    do: Callable[[UserScene], str]
    end: Callable[[UserScene], str]
    app_options: dict[str, Any] = field(default_factory=dict)

    def scene(self, sandbox: Any) -> UserScene:
        """Return a scene with an app and a user of its own."""
        scene = self.prepare(make_app(sandbox, **self.app_options))
        return replace(scene, store=self.app_options.get("secret", {}).get("store", scene.store))


def _told(response: Any) -> str:
    if response.status_code >= 500 and "application/problem+json" not in response.headers.get("content-type", ""):
        return GONE
    content = response.json()
    return str(content.get("outcome") or content.get("code") or "begun")


def _invoked(scene: UserScene, function: str, payload: dict[str, Any]) -> str:
    outcome = scene.app.sandbox.functions.invoke(f"{scene.app.sandbox.prefix}-{function}", payload)
    if outcome.error is not None:
        return GONE
    content = outcome.payload or {}  # the relay answers nothing
    return str(content.get("outcome") or content.get("code") or "done")


def _key(app: SandboxApp, request_token: str) -> str:
    return f"authorization#{app.name}#{request_token}"


def _token_of(callback: str) -> str:
    return callback.partition("oauth_token=")[2].partition("&")[0]


def _about_to_start(app: SandboxApp) -> UserScene:
    return UserScene(app, browser=app.browser())


def _start(scene: UserScene) -> str:
    assert scene.browser
    return _told(scene.browser.start(scene.app.name, accept=JSON))


def _can_start(scene: UserScene) -> str:
    """Start again from nothing, and sign in: what a failed start left must not stand in the way."""
    browser = scene.app.browser()
    outcome = _told(browser.get(scene.app.come_back(browser), accept=JSON))
    return "stored" if outcome == "granted" and scene.app.stored() else f"stuck: {outcome}"


def _back(app: SandboxApp) -> UserScene:
    browser = app.browser()
    callback = app.come_back(browser)
    return UserScene(app, _key(app, _token_of(callback)), browser, {"callback": callback})


def _callback(scene: UserScene) -> str:
    assert scene.browser
    return _told(scene.browser.get(scene.given["callback"], accept=JSON))


def _denied(app: SandboxApp) -> UserScene:
    browser = app.browser()
    callback = app.come_back(browser, cancel=True)
    return UserScene(app, _key(app, callback.partition("denied=")[2].partition("&")[0]), browser, {"callback": callback})


def _with_pin(app: SandboxApp) -> UserScene:
    browser = app.browser()
    token, pin = begin_by_pin(app, browser)
    return UserScene(app, _key(app, token), browser, {"request_token": token, "pin": pin})


def _pin(scene: UserScene) -> str:
    assert scene.browser
    return _told(post(scene.app, scene.browser, scene.given))


def _with_ticket(app: SandboxApp) -> UserScene:
    secret, challenge = new_pair(app.name)
    begun = begin(app, challenge=challenge, subject="42")
    ticket = app.browser().get(app.consent(begun["authorize_url"]), accept=JSON).json()["ticket"]
    return UserScene(app, _key(app, begun["request_token"]), None, {"ticket": ticket, "secret": secret})


def _connected(app: SandboxApp) -> UserScene:
    scene = _back(app)
    assert _callback(scene) == "granted"
    app.relay(scene.key, app.connection_key)
    return scene


def _revoke(scene: UserScene) -> str:
    return _invoked(scene, "revoke", {"provider": scene.app.name, "user_id": scene.app.user.user_id})


def _refused_there(app: SandboxApp) -> UserScene:
    """Let the user be connected, and the provider no longer take the token."""
    app.redefine(identity_url=app.sandbox.provider + WHO, identity_user_id_field="id_str")
    scene = _connected(app)
    revoke(app)
    return scene


def _check(scene: UserScene) -> str:
    if "tried" in scene.given:  # a minute ago
        scene.app.change_item(scene.app.connection_key, check_after=1.0)
    scene.given["tried"] = True
    return _invoked(scene, "check", {"provider": scene.app.name, "user_id": scene.app.user.user_id})


def _known_as_refused(scene: UserScene) -> str:
    connection = scene.app.connection() or {}
    if "refused_by" not in connection:
        return "not known"
    told = {event.detail["id"] for event in scene.app.events() if event.detail_type == "connection.refused"}
    return "owed" if "outbox" in connection else "refused" if len(told) == 1 else f"{len(told)} events"


def _asked_to_sign(scene: UserScene) -> dict[str, Any]:
    app = scene.app
    return {"provider": app.name, "user_id": app.user.user_id, "method": "GET", "url": app.sandbox.provider + WHO}


def _sign(scene: UserScene) -> str:
    return _invoked(scene, "sign", _asked_to_sign(scene))


def _signed(scene: UserScene) -> str:
    """Have the request signed, and send it: the provider must know the user by it."""
    outcome = scene.app.sandbox.functions.invoke(f"{scene.app.sandbox.prefix}-sign", _asked_to_sign(scene))
    signed = (outcome.payload or {}).get("authorization", "")
    answer = requests.get(scene.app.sandbox.provider + WHO, headers={"Authorization": signed}, timeout=5)
    is_theirs = answer.status_code == 200 and answer.json()["id_str"] == scene.app.user.user_id
    return "signed" if is_theirs else f"not signed: {answer.status_code}"


def _unpaid(app: SandboxApp) -> UserScene:
    """Leave it to the relay to store and to tell."""
    scene = _back(app)
    app.sandbox.aws_server.fault("secretsmanager", "*", "denied", times=1, match=f"/{app.user.user_id}")
    assert _callback(scene) == "granted"
    app.come_due(scene.key)
    return scene


def _unsealed(app: SandboxApp) -> UserScene:
    """Leave it to the relay to seal and to tell."""
    scene = _back(app)
    app.sandbox.aws_server.fault("kms", "Encrypt", "denied", times=1, match=app.name)  # the callback tries once
    assert _callback(scene) == "granted"
    assert scene.is_in_the_clear
    app.come_due(scene.key)
    return scene


def _unconnected(app: SandboxApp) -> UserScene:
    """Leave it to the relay to keep what is sealed with its connection, and to tell."""
    scene = _back(app)
    app.sandbox.aws_server.fault("dynamodb", "TransactWriteItems", "denied", times=2, match=app.name)
    assert _callback(scene) == "granted"
    assert sealed(app) is None
    app.come_due(scene.key)
    return scene


def _disconnected_before(app: SandboxApp) -> UserScene:
    connected = _connected(app)
    assert _revoke(connected) == "revoked"
    app.relay(app.connection_key)
    return _back(app)


def _relay(scene: UserScene) -> str:
    records = [{"eventName": "MODIFY", "dynamodb": {"Keys": {"pk": {"S": key}}}} for key in (scene.key, scene.app.connection_key)]
    return _invoked(scene, "relay", {"Records": records})


def how_it_stands(scene: UserScene) -> str:
    """Return what came of an authorization: "stored", "again" and "interrupted" are ends, and everything else is a defect."""
    record = scene.app.item(scene.key)
    if record is None:
        return "again"
    state, kept = record["state"]["S"], scene.kept()
    if state == "granted" and scene.store == "none":
        return "signed in" if kept is None and not {"outbox", "pending_tokens"} & record.keys() else "kept"
    if kept is not None and kept[0] != scene.app.user.user_id:
        return "wrong user"
    if "request_secret" in record and state in ("granted", "denied", "failed"):
        return "a secret is left"
    if state == "granted":
        return _kept(scene, record, kept[1] if kept else None)
    if scene.is_in_the_clear:
        return "in the clear"
    if state == "failed":
        return "interrupted" if record["error"]["S"] == "interrupted" else "again"
    return "denied" if state == "denied" and "outbox" not in record else f"stuck: {state}"


def _kept(scene: UserScene, granted: dict[str, Any], token: str | None) -> str:
    if token is None:
        return "lost"
    if "outbox" in granted or "pending_tokens" in granted:
        return "owed"
    if scene.is_in_the_clear:
        return "in the clear"
    if scene.store == "secrets-manager":
        return "stored"
    if token != scene.app.sandbox.provider_server.valid_token(scene.app.consumer.key, scene.app.user):
        return "void"
    return "sealed" if scene.app.stored() is None else "kept twice"


def _disconnected(scene: UserScene) -> str:
    connection = scene.app.connection() or {}
    if not (scene.kept() is None if scene.store == "table" else scene.app.is_deleted()):
        return "still stored"
    if "outbox" in connection or "revoked_at" not in connection:
        return "owed"
    return "in the clear" if scene.is_in_the_clear else "deleted"


def _told_all(scene: UserScene) -> str:
    ids = {event.detail["id"] for event in scene.app.events()}
    return how_it_stands(scene) if len(ids) == 1 else f"{len(ids)} events"


_NAMELESS: dict[str, Any] = {"user_id_field": None, "screen_name_field": None}
_SIGN_IN_ONLY = {"store": "none"}
_SEALED: dict[str, Any] = {"secret": {"store": "table"}}
ACTS = (
    Act("start", "start", _about_to_start, _start, _can_start),
    Act("callback", "callback", _back, _callback, how_it_stands),
    Act("callback, then whose", "callback", _back, _callback, how_it_stands, _NAMELESS),
    Act("callback, whose, and nothing kept", "callback", _back, _callback, how_it_stands, {**_NAMELESS, "secret": _SIGN_IN_ONLY}),
    Act("denial", "callback", _denied, _callback, how_it_stands),
    Act("PIN", "callback", _with_pin, _pin, how_it_stands),
    Act("PIN, whose, and nothing kept", "callback", _with_pin, _pin, how_it_stands, {**_NAMELESS, "secret": _SIGN_IN_ONLY}),
    Act("redeem", "redeem", _with_ticket, lambda scene: _invoked(scene, "redeem", scene.given), how_it_stands),
    Act("revoke", "revoke", _connected, _revoke, _disconnected),
    Act("check", "check", _refused_there, _check, _known_as_refused),
    Act("check, sealed", "check", _refused_there, _check, _known_as_refused, _SEALED),
    Act("sign", "sign", _connected, _sign, _signed),
    Act("sign, sealed", "sign", _connected, _sign, _signed, _SEALED),
    Act("relay", "relay", _unpaid, _relay, _told_all),
    Act("callback, sealed", "callback", _back, _callback, how_it_stands, _SEALED),
    Act("callback, whose, sealed", "callback", _back, _callback, how_it_stands, {**_NAMELESS, **_SEALED}),
    Act("callback after a disconnect, sealed", "callback", _disconnected_before, _callback, how_it_stands, _SEALED),
    Act("PIN, sealed", "callback", _with_pin, _pin, how_it_stands, _SEALED),
    Act("redeem, sealed", "redeem", _with_ticket, lambda scene: _invoked(scene, "redeem", scene.given), how_it_stands, _SEALED),
    Act("revoke, sealed", "revoke", _connected, _revoke, _disconnected, _SEALED),
    Act("relay seals", "relay", _unsealed, _relay, _told_all, _SEALED),
    Act("relay connects, sealed", "relay", _unconnected, _relay, _told_all, _SEALED),
)
