"""The provider's server, with what tests use: registering apps, arming faults, reading calls and issued secrets."""

import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from sandbox.provider.app import make_app
from sandbox.provider.faults import Fault
from sandbox.provider.journal import ArmedFault
from sandbox.provider.play import Play, X, real
from sandbox.provider.records import Leg, Post, ProviderCall, RegisteredApp, User
from sandbox.provider.state import ProviderState
from sandbox.provider.token_forms import random_text
from sandbox.provider.wsgi_server import WsgiServer

FAULT_SECONDS = 30.0  # seconds; the longest that a fault takes: API Gateway gives up then
URLS: dict[str, Leg] = {  # by their names in a definition, of the legs that a play has
    "request_token_url": "request_token",
    "authorize_url": "authorize",
    "authenticate_url": "authenticate",
    "access_token_url": "access_token",
    "identity_url": "identity",
    "invalidate_url": "invalidate_token",
}


class ProviderServer:
    """An OAuth 1.0a provider that behaves like X, at :attr:`url` for as long as the ``with`` block lasts.

    As another provider, it serves https://HOST/PATH at url/NAME/HOST/PATH, to apps that are registered there (``play=NAME``).

    Everything is kept per app (consumer key), so that many tests can share one provider. ``clock`` gives epoch seconds.
    """

    def __init__(self, port: int = 0, clock: Callable[[], float] = time.time) -> None:
        self._state = ProviderState(clock)
        self._server = WsgiServer(make_app(self._state), port, clock)
        self.url = f"http://localhost:{self._server.port}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.stop()

    @property
    def users(self) -> tuple[User, ...]:
        """The accounts, with their passwords."""
        return tuple(self._state.users)

    @property
    def down(self) -> bool:
        """Whether every request is answered 503; may be set."""
        return self._state.down

    @down.setter
    def down(self, down: bool) -> None:
        self._state.down = down

    @property
    def refuses_apps(self) -> bool:
        """Whether every app is refused, as if its key had been regenerated in the developer console; may be set."""
        return self._state.refuses_apps

    @refuses_apps.setter
    def refuses_apps(self, refuses: bool) -> None:
        self._state.refuses_apps = refuses

    def add_user(self, screen_name: str | None = None, user_id: str | None = None) -> User:
        """Open an account; what is None is generated."""
        user_id = user_id or "9" + random_text(15, "0123456789")
        screen_name = screen_name or f"user{user_id[-11:]}"  # X's have 15 characters at most
        user = User(user_id, screen_name, screen_name.title(), random_text(12))
        self._state.users.append(user)
        return user

    def register(
        self,
        consumer_key: str | None = None,
        consumer_secret: str | None = None,
        callback_urls: Iterable[str] | None = None,
        *,
        name: str = "Sandbox app",
        user_id_field: str | None = "user_id",
        screen_name_field: str | None = "screen_name",
        callback_confirmed: str | None = "true",
        renews: bool = False,
        play: str = "x",
    ) -> RegisteredApp:
        """Register an app, as :class:`RegisteredApp` describes it; key and secret are generated where None.

        Raise LookupError where plays.toml has no ``play``.
        """
        approved = None if callback_urls is None else tuple(callback_urls)
        return self._state.add(
            RegisteredApp(
                consumer_key or "",
                consumer_secret or "",
                approved,
                name,
                user_id_field,
                screen_name_field,
                callback_confirmed,
                renews,
                play,
            )
        )

    def consumer(self, consumer_key: str) -> RegisteredApp:
        """Return the app that has, or had, this key."""
        return self._state.consumer_of(self._state.app(consumer_key))

    def rotate(self, consumer_key: str) -> RegisteredApp:
        """Give the app a new key and secret; the old ones answer 32, users' tokens stay in force."""
        return self._state.rotate(consumer_key)

    def endpoints(self, consumer_key: str | None = None) -> dict[str, str]:
        """Return the ``provider`` object of a Tripod consumer secret; for an app, with the fields of its answers.

        For an app at a play, it says which provider this one is like, and where the sandbox serves that one's URLs.
        """
        known = {
            "request_token_url": f"{self.url}/oauth/request_token",
            "authorize_url": f"{self.url}/oauth/authorize",
            "authenticate_url": f"{self.url}/oauth/authenticate",
            "access_token_url": f"{self.url}/oauth/access_token",
            "invalidate_url": f"{self.url}/1.1/oauth/invalidate_token.json",
            "bearer_token_url": f"{self.url}/oauth2/token",
            "invalidate_bearer_token_url": f"{self.url}/oauth2/invalidate_token",
        }
        if consumer_key is None:
            return known
        consumer = self._state.consumer_of(consumer_key)
        if consumer.play != X.name:
            return self._played(self._state.play_of(consumer_key))
        if consumer.user_id_field is None:
            return known | {
                "identity_url": f"{self.url}/identity",
                "user_id_field": "response.user.id",
                "screen_name_field": "response.user.name",
            }
        fields = {"user_id_field": consumer.user_id_field, "screen_name_field": consumer.screen_name_field}
        return known | {name: value for name, value in fields.items() if value is not None and value != name[:-6]}

    def identity(self) -> dict[str, str]:
        """Return the part of a ``provider`` object that says where X is asked whose a token is."""
        return {"identity_url": f"{self.url}/1.1/account/verify_credentials.json", "identity_user_id_field": "id_str"}

    def fault(self, consumer_key: str, leg: Leg, fault: Fault, times: int = 1, seconds: float = FAULT_SECONDS) -> None:
        """Let the app's next ``times`` calls of ``leg`` fail; ``seconds`` bounds a fault that takes time."""
        self._state.journal.arm(self._state.app(consumer_key), leg, ArmedFault(fault, times, seconds))

    def calls(self, consumer_key: str, leg: Leg | None = None) -> list[ProviderCall]:
        """Return the app's calls, oldest first, under any key that it ever had."""
        return [call for call in self._state.journal.calls(self._state.app(consumer_key)) if leg in (None, call.leg)]

    def posts(self, consumer_key: str) -> list[Post]:
        """Return what the app has posted, oldest first."""
        return self._state.journal.posts(self._state.app(consumer_key))

    def issued(self, consumer_key: str | None = None) -> list[str]:
        """Return every secret value ever issued, to one app or to all, so that a test can search logs for them.

        These are consumer secrets, request-token secrets, verifiers and PINs, access tokens and secrets, bearer tokens.
        """
        return self._state.journal.issued(consumer_key and self._state.app(consumer_key))

    def expire(self, request_token: str) -> None:
        """Let a request token expire now."""
        self._state.expire(request_token)

    def expire_access(self, consumer_key: str, user: User) -> None:
        """Let the user's access token end now; raise LookupError where it is one that lasts for ever."""
        token = self._state.granted(consumer_key, user)
        if token is None or token.expires is None:
            raise LookupError(f"{user.screen_name} has granted this app nothing that ends")
        token.expires = self._state.clock()

    def valid_token(self, consumer_key: str, user: User) -> str | None:
        """Return the access token that the user has granted the app and that is still good; None where there is none."""
        token = self._state.granted(consumer_key, user)
        return token.token if token else None

    def revoke(self, consumer_key: str, user: User) -> None:
        """Let the user revoke the app in the provider's own settings: its token answers 89 from now on."""
        token = self._state.granted(consumer_key, user)
        if token is None:
            raise LookupError(f"{user.screen_name} has granted this app nothing")
        self._state.revoke(token)

    def _played(self, play: Play) -> dict[str, str]:
        urls = {name: play.url(leg) for name, leg in URLS.items()}
        site = {"site": play.site} if play.site else {}
        return {"like": play.name, **site} | {name: real(self.url, play.name, url) for name, url in urls.items() if url}
