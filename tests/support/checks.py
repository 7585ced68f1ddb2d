"""Checks of connections, as an app's code has them made, and what comes of them."""

from typing import Any

import tripod
from tests.support.direct import invoke
from tests.support.reading import WHO
from tests.support.sandbox_app import SandboxApp
from tests.support.waiting import eventually
from tripod import Connection


def with_identity(app: SandboxApp) -> SandboxApp:
    """Let the app's provider be asked whose a token is, as X can."""
    app.redefine(identity_url=app.sandbox.provider + WHO, identity_user_id_field="id_str")
    return app


def check(app: SandboxApp) -> tuple[str, str | None]:
    found = tripod.check(app.name, user_id=app.user.user_id)
    return found.state, found.cause


def quiet_is_over(app: SandboxApp) -> None:
    """Let the time in which nobody asks again be over."""
    item = app.connection() or {}
    past = {name: 1.0 for name in ("check_after", "checked_at") if name in item}
    if past:
        app.change_item(app.connection_key, **past)


def report(app: SandboxApp) -> None:
    invoke(app, "check", provider=app.name, user_id=app.user.user_id, reported=True)


def listed(app: SandboxApp, **asked: Any) -> list[Connection]:
    return list(tripod.users(app.name, **asked))


def told(app: SandboxApp, *expected: str) -> bool:
    """Return True once the app's events are about what is expected; those of several items come in any order."""
    app.sweep()
    return eventually(lambda: sorted(app.told()) == sorted(expected))


def events(app: SandboxApp, kind: str) -> list[dict[str, Any]]:
    """Return what the app's events of a kind say, in the order in which it happened."""
    found = [event.detail for event in app.events() if event.detail_type == kind]
    return sorted(found, key=lambda detail: float(detail["time"]))
