"""Scenes that make each function call everything that it ever calls, the rare cases too."""

import contextlib
import json
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sandbox.browser import JSON
from sandbox.provider import ProviderFault
from tests.support.direct import begin, invoke, new_pair
from tests.support.reading import WHO
from tests.support.sandbox_app import RETURN_TO, SandboxApp, make_app
from tests.support.waiting import eventually


def all_of_them(app: SandboxApp) -> None:
    """Play every scene, one after the other, each with a user of its own where it matters."""
    outcomes(app)
    who_is_it(make_app(app.sandbox, user_id_field=None, screen_name_field=None))
    at_once(another(app))
    for store in (by_callback, by_redeem, by_relay):
        stored_in_every_way(another(app), store)
    back_while_being_deleted(another(app))
    deleted_by_the_relay(another(app))
    signs = another(app)
    by_callback(signs)
    signed(signs)
    given_up(app)
    sealed(make_app(app.sandbox, secret={"store": "table"}))
    checked(make_app(app.sandbox))
    checked(make_app(app.sandbox, secret={"store": "table"}))
    app.sandbox.settle()


def sealed(app: SandboxApp) -> None:
    """Seal tokens in the callback, and in the relay where that failed; sign with them, and have the provider asked about them by revoke and the relay."""
    for failures in (0, 1):
        if failures:
            app.sandbox.aws_server.fault("kms", "Encrypt", "denied", times=failures, match=app.user.user_id)
        by_callback(app)
        app.sandbox.settle()
        app.sweep()
        signed(app)
        app.fault("invalidate_token", ProviderFault.SERVER_ERROR)
        assert invoke(app, "revoke", provider=app.name, user_id=app.user.user_id)["invalidated"] == "pending"
        app.sweep()
        assert app.sandbox.provider_server.valid_token(app.consumer.key, app.user) is None
    by_redeem(another(app))


def checked(app: SandboxApp) -> None:
    """Check a connection directly, and all of them in a round; the user is one that the app has labelled."""
    app.redefine(identity_url=app.sandbox.provider + WHO, identity_user_id_field="id_str")
    by_redeem(app)
    assert invoke(app, "check", provider=app.name, user_id=app.user.user_id)["state"] == "connected"
    assert app.sandbox.run_schedule(f"{app.sandbox.prefix}-check").error is None
    app.sandbox.provider_server.revoke(app.consumer.key, app.user)
    app.change_item(app.connection_key, check_after=1.0)
    assert invoke(app, "check", provider=app.name, user_id=app.user.user_id)["state"] == "refused"


def signed(app: SandboxApp) -> None:
    """Have a request signed as a user whose tokens are kept."""
    url = f"{app.sandbox.provider}/2/users/me"
    told = invoke(app, "sign", provider=app.name, user_id=app.user.user_id, method="GET", url=url)
    assert told["authorization"].startswith("OAuth ")


def another(app: SandboxApp) -> SandboxApp:
    """Return the same app with another user."""
    return SandboxApp(app.sandbox, app.name, app.consumer, app.sandbox.provider_server.add_user())


def outcomes(app: SandboxApp) -> None:
    """Grant with a ticket, deny, begin directly, and sweep."""
    secret, challenge = new_pair(app.name)
    browser = app.browser()
    ticket = browser.get(app.come_back(browser, challenge=challenge), accept=JSON).json()["ticket"]
    invoke(app, "redeem", ticket=ticket, secret=secret)
    browser.get(app.come_back(browser, cancel=True, return_to=RETURN_TO))
    assert browser.get(browser.start(app.name, pin="true").headers["location"]).status_code == 200
    app.sweep()


def who_is_it(app: SandboxApp) -> None:
    """Leave it to the relay to ask the provider whose tokens these are."""
    browser = app.browser()
    callback = app.come_back(browser)
    app.fault("identity", ProviderFault.SERVER_ERROR)
    browser.get(callback)
    app.sweep()


def at_once(app: SandboxApp) -> None:
    """Send one callback many times at once: whoever loses waits for the winner's outcome."""
    browser = app.browser()
    callback = app.come_back(browser)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: browser.get(callback, accept=JSON).status_code, range(8)))


def by_callback(app: SandboxApp) -> None:
    browser = app.browser()
    assert browser.get(app.come_back(browser), accept=JSON).json()["outcome"] == "granted"


def by_redeem(app: SandboxApp) -> None:
    secret, challenge = new_pair(app.name)
    begun = begin(app, challenge=challenge, subject="42", labels=["played"])
    ticket = app.browser().get(app.consent(begun["authorize_url"]), accept=JSON).json()["ticket"]
    assert invoke(app, "redeem", ticket=ticket, secret=secret)["user_id"] == app.user.user_id


def by_relay(app: SandboxApp) -> None:
    fault = app.sandbox.aws_server.fault("secretsmanager", "*", "denied", times=1, match=f"/{app.user.user_id}")
    by_callback(app)
    assert fault.strikes
    app.sandbox.settle()
    app.sweep()


def stored_in_every_way(app: SandboxApp, store: Callable[[SandboxApp], None]) -> None:
    """Create the secret, make an earlier version current again, bring a deleted one back."""
    store(app)
    first = app.stored()
    assert first
    secrets_manager = app.sandbox.client("secretsmanager")
    secrets_manager.put_secret_value(SecretId=app.secret_name, SecretString=json.dumps(first | {"screen_name": "edited"}))
    store(app)
    assert app.stored() == first
    assert invoke(app, "revoke", provider=app.name, user_id=app.user.user_id)["outcome"] == "revoked"
    assert app.is_deleted()
    store(app)
    assert app.stored()


def back_while_being_deleted(app: SandboxApp) -> None:
    """Grant anew between a revocation's mark and its deletion; meanwhile somebody edits the secret, and the relay hears of nothing."""
    with app.sandbox.streams_lost():
        _back_while_being_deleted(app)


def _back_while_being_deleted(app: SandboxApp) -> None:
    by_callback(app)
    fault = app.sandbox.aws_server.fault("secretsmanager", "DeleteSecret", "hang", times=1, match=app.user.user_id)
    revoking = threading.Thread(target=invoke, args=(app, "revoke"), kwargs={"provider": app.name, "user_id": app.user.user_id})
    revoking.start()
    assert eventually(lambda: fault.strikes)
    by_callback(app)
    stored = app.stored()
    assert stored
    app.sandbox.client("secretsmanager").put_secret_value(
        SecretId=app.secret_name, SecretString=json.dumps(stored | {"edited": "yes"})
    )
    revoking.join()
    assert app.stored() == stored


def deleted_by_the_relay(app: SandboxApp) -> None:
    """Leave a deletion that failed to the relay."""
    by_callback(app)
    fault = app.sandbox.aws_server.fault("secretsmanager", "DeleteSecret", "denied", times=1, match=app.user.user_id)
    invoke(app, "revoke", provider=app.name, user_id=app.user.user_id)
    assert fault.strikes
    app.sandbox.settle()
    app.sweep()
    assert app.is_deleted()


def given_up(app: SandboxApp) -> None:
    """Kill the relay with each try at one record, until Lambda gives it up."""
    browser = app.browser()
    callback = app.come_back(browser)
    token = callback.partition("oauth_token=")[2].partition("&")[0]
    hanging = app.sandbox.aws_server.fault("dynamodb", "GetItem", "hang", times=100, match=f"#{token}")
    browser.get(callback)
    sqs = app.sandbox.client("sqs")
    url = app.sandbox.template.attribute("DeadLetters", "QueueUrl")

    def noted() -> bool:
        for process in processes(f"{app.sandbox.prefix}-relay", app.sandbox.aws):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        return "Messages" in sqs.receive_message(QueueUrl=url)

    assert eventually(noted, 20)
    hanging.times = 0


def processes(function: str, aws: str) -> list[int]:
    """Return the processes in which a function's events run, without the one that they are forked from."""
    wanted, found = {f"AWS_LAMBDA_FUNCTION_NAME={function}", f"AWS_ENDPOINT_URL={aws}"}, {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and wanted <= set((entry / "environ").read_text().split("\0")):
                found[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    return [process for process, parent in found.items() if parent in found]
