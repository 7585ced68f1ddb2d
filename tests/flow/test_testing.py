"""`tripod.testing` beside production: the same code sees the same in memory and in the sandbox."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from functools import partial
from typing import Any, Protocol

import pytest

import tripod
from tests.support.reading import WHO, grant, reading, revoke
from tests.support.sandbox_app import RETURN_TO, SandboxApp
from tests.support.waiting import eventually
from tripod import fake_aws, process, testing, tickets
from tripod_flow.api import parameters
from tripod_flow.rules import tickets as rules

LIMITS = "/1.1/application/rate_limit_status.json"


class Elsewhere(Protocol):
    """What happens where the code under test is not: at the provider, in a browser, in another process."""

    def sign_in(self, *, challenge: str = "", expires_at: int | None = None) -> str:
        """Let the user sign in, with tokens that are new; return the ticket, where there is a challenge."""

    def revoke(self) -> None:
        """Let the user revoke the app at the provider."""


class InSandbox:
    def __init__(self, app: SandboxApp) -> None:
        self.app = app

    def sign_in(self, *, challenge: str = "", expires_at: int | None = None) -> str:
        with suppress(LookupError):  # X gives the same tokens again, unless they were revoked
            revoke(self.app)
        ticket = ""
        if challenge:
            browser = self.app.browser()
            callback = self.app.come_back(browser, challenge=challenge, return_to=RETURN_TO)
            ticket = browser.get(callback).headers["location"].partition("ticket=")[2].partition("&")[0]
        else:
            grant(self.app)
        if expires_at is not None:
            content = json.dumps((self.app.stored() or {}) | {"expires_at": expires_at})
            self.app.sandbox.client("secretsmanager").put_secret_value(SecretId=self.app.secret_name, SecretString=content)
        return ticket

    def revoke(self) -> None:
        revoke(self.app)


class InMemory:
    def __init__(self, fake: testing.FakeTripod, user: testing.FakeUser) -> None:
        self.fake, self.user = fake, user

    def sign_in(self, *, challenge: str = "", expires_at: int | None = None) -> str:
        self.fake.sign_in(replace(self.user, expires_at=expires_at))
        named = {"challenge": challenge, "return_to": RETURN_TO}
        return self.fake.ticket(self.user.provider, self.user.user_id, **named) if challenge else ""

    def revoke(self) -> None:
        self.fake.revoke(self.user.provider, self.user.user_id)


@contextmanager
def in_sandbox(app: SandboxApp) -> Iterator[Elsewhere]:
    with reading(app.sandbox):
        yield InSandbox(app)


@contextmanager
def in_memory(app: SandboxApp, definition: dict[str, Any]) -> Iterator[Elsewhere]:
    """With the sandbox's names and definition, and without its AWS or provider: whatever is sent to the latter is answered here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIPOD_PREFIX", app.sandbox.environment()["TRIPOD_PREFIX"])
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
            patch.delenv(name, raising=False)
        user = testing.user(app.name, app.user.user_id, screen_name=app.user.screen_name)
        with testing.users(providers={app.name: definition}, answer=lambda _: (200, {})) as fake:
            yield InMemory(fake, user)


def seen(call: Callable[[], Any]) -> Any:
    """Return what a call returns, or what it raises, in words."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001  # whatever it is, both must raise it
        more = {name: value for name, value in vars(error).items() if name != "args"}
        return f"{type(error).__name__}: {error} {more}"


def story(app: SandboxApp, elsewhere: Elsewhere) -> Iterator[tuple[str, Any]]:
    """Yield what an app's code sees in a user's life."""
    provider, user_id, url = app.name, app.user.user_id, app.sandbox.provider

    def answered(session: Any, path: str, host: str = url) -> Any:
        def call() -> Any:
            answer = session.get(host + path, timeout=5)
            signed = sorted(pair.partition("=")[0] for pair in answer.request.headers["Authorization"].split(", "))
            return answer.status_code, [each.status_code for each in answer.history], signed

        return seen(call)

    def tokens(**other: Any) -> Any:
        def call() -> Any:
            found = tripod.user_tokens(**{"provider": provider, "user_id": user_id, **other})
            plain = {name: getattr(found, name) for name in ("provider", "user_id", "screen_name", "expires_at", "extra")}
            return plain, all(getattr(found, field.name) for field in fields(found) if field.name.startswith("oauth_"))

        return seen(call)

    def listed(name: str = provider) -> Any:
        return seen(lambda: [(one.provider, one.user_id, one.screen_name, one.subject, one.extra) for one in tripod.users(name)])

    def disconnected(**other: Any) -> Any:
        return seen(lambda: tripod.disconnect(**{"provider": provider, "user_id": user_id, **other}))

    for unknown in ("nobodys", "No Provider", ""):
        yield (
            f"provider {unknown!r}",
            (
                tokens(provider=unknown),
                listed(unknown),
                disconnected(provider=unknown),
                seen(partial(tripod.app_session, unknown)),
                seen(partial(tripod.user_session, unknown, user_id=user_id)),
            ),
        )
    for odd in ("", "a b/ü", 0, "x" * 600, "a\nb", None, True):
        yield f"user {odd!r}", (tokens(user_id=odd), disconnected(user_id=odd))
    yield "nobody has signed in", (tokens(), listed(), disconnected())
    secret = tickets.new_secret()
    ticket = elsewhere.sign_in(challenge=tickets.challenge(secret, provider=provider, return_to=RETURN_TO))
    for one, other in (
        (ticket, tickets.new_secret()),
        ("made-up", secret),
        (ticket + "0", secret),
        (ticket, secret),
        (ticket, secret),
    ):
        yield "a ticket", seen(partial(tripod.redeem, one, other))
    elsewhere_bound = tickets.challenge(secret, provider=provider, return_to=RETURN_TO + "/other")
    other_ticket = elsewhere.sign_in(challenge=elsewhere_bound)
    yield "a ticket of another address", seen(lambda: tripod.redeem(other_ticket, secret))
    yield "signed in", (tokens(), tokens(user_id=int(user_id)), listed())
    with tripod.user_session(provider, user_id=user_id) as session:
        yield "a request", answered(session, WHO)
        yield "a foreign host", answered(session, "/", "http://api.example")
        elsewhere.sign_in()
        yield "signed in anew", [answered(session, WHO) for _ in range(2)]
        elsewhere.revoke()
        yield "revoked, API v2", answered(session, "/2/users/me")
        yield "revoked, v1.1", answered(session, WHO)
        yield "revoked, the rest", (tokens(), listed())
        elsewhere.sign_in()
        yield "signed in again", (answered(session, WHO), tokens())
        yield "disconnected", disconnected()
        yield "disconnected, the rest", (answered(session, WHO), tokens(), listed(), disconnected())
        elsewhere.sign_in()
        yield "back", (answered(session, WHO), tokens(), listed())
        elsewhere.sign_in(expires_at=1)
        process.forget()
        yield "expired", (tokens(), answered(session, WHO), listed())
    with tripod.app_session(provider) as as_app:
        yield "the app", [seen(lambda: as_app.get(url + LIMITS, timeout=5).status_code) for _ in range(2)]
    elsewhere.sign_in()
    process.forget()
    yield "the app's token ends", seen(lambda: tripod.invalidate_app_token(provider, owner_id=user_id))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIPOD_PREFIX", "other")
        process.forget()
        yield "another prefix", (tokens(), listed(), disconnected(), seen(lambda: tripod.redeem(ticket, secret)))
    process.forget()


def test_code_sees_in_memory_what_it_sees_in_production(app: SandboxApp) -> None:
    app.redefine(
        bearer_token_url=f"{app.sandbox.provider}/oauth2/token",
        invalidate_bearer_token_url=f"{app.sandbox.provider}/oauth2/invalidate_token",
    )
    with in_sandbox(app) as elsewhere:
        expected = list(story(app, elsewhere))
    definition = app._consumer_content()["provider"]
    before = len(app.sandbox.aws_server.calls), len(app.sandbox.provider_server.calls(app.consumer.key))
    with in_memory(app, definition) as elsewhere:
        found = list(story(app, elsewhere))
    for one, other in zip(found, expected, strict=True):
        assert one == other
    assert (len(app.sandbox.aws_server.calls), len(app.sandbox.provider_server.calls(app.consumer.key))) == before


def test_what_the_functions_allow_is_the_same() -> None:
    assert (fake_aws.TICKET_LIFETIME, fake_aws.TICKET_REPEAT) == (rules.LIFETIME, rules.REPEAT)
    assert fake_aws.MAX_USER_ID == parameters.MAX_VALUE


def life(app: SandboxApp, elsewhere: Elsewhere) -> Iterator[Any]:
    """Yield what an app's code learns of whether a connection works."""
    provider, user_id = app.name, app.user.user_id

    def listed(**asked: Any) -> Any:
        return [(one.user_id, one.state, one.cause, one.refused_at is None) for one in tripod.users(provider, **asked)]

    def check() -> Any:
        found = tripod.check(provider, user_id=user_id)
        return found.state, found.cause, found.checked_at is None

    yield seen(check)
    elsewhere.sign_in()
    yield listed(), listed(state="refused"), listed(state="connected")
    elsewhere.revoke()
    yield seen(lambda: tripod.user_session(provider, user_id=user_id).get(app.sandbox.provider + WHO, timeout=5))
    yield eventually(lambda: listed(state="refused"))
    yield listed(), listed(state="refused"), listed(state="connected"), seen(check)
    elsewhere.sign_in()
    yield listed(), listed(state="refused"), seen(check)
    tripod.disconnect(provider, user_id=user_id)
    yield listed(), seen(check), seen(lambda: tripod.check("nobodys", user_id=user_id))


def test_a_connection_is_refused_and_works_again_in_memory_as_in_production(app: SandboxApp) -> None:
    app.redefine(identity_url=app.sandbox.provider + WHO, identity_user_id_field="id_str")
    definition = app._consumer_content()["provider"]
    with in_sandbox(app) as elsewhere:
        production = list(life(app, elsewhere))
    with in_memory(app, definition) as elsewhere:
        assert list(life(app, elsewhere)) == production
    assert production[3] is True
    assert production[4][1] == [(app.user.user_id, "refused", "token_revoked", False)]
