"""The provider's state, in memory behind one lock; apps share nothing but the users."""

import secrets
import string
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from sandbox.provider import plays
from sandbox.provider.journal import Journal
from sandbox.provider.play import Play
from sandbox.provider.records import Access, BrowserSession, IssuedAccessToken, IssuedRequestToken, RegisteredApp, User
from sandbox.provider.token_forms import fill, random_text

TIMESTAMP_WINDOW = 300  # seconds either way; X's is unknown, Wikimedia's is this
NONCES_KEPT = 20_000  # beyond it, those outside the timestamp window are forgotten
PIN_DIGITS = 7

USERS = (
    User("2244994945", "ada", "Ada Lovelace", "engine-1843"),
    User("783214", "grace", "Grace Hopper", "compiler-1952"),
    User("1462894532875063296", "katherine", "Katherine Johnson", "orbit-1962"),
)


class ProviderState:
    """Apps, users and tokens. ``clock`` returns epoch seconds; every method may be called from any thread."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.lock = threading.RLock()  # held by a leg across its checks and its effect, so that an exchange is atomic
        self.clock = clock
        self.journal = Journal()
        self.down = False  # True: every request is answered 503
        self.refuses_apps = False  # True: no app's key is known
        self.users: list[User] = list(USERS)
        self._apps: dict[str, str] = {}  # any key, current or former, to the app's first key
        self._consumers: dict[str, RegisteredApp] = {}  # by the app's first key
        self._request_tokens: dict[str, IssuedRequestToken] = {}
        self._access_tokens: dict[str, IssuedAccessToken] = {}
        self._grants: dict[tuple[str, str], IssuedAccessToken] = {}  # by app and user id
        self._bearers: dict[str, str] = {}  # app to its one bearer token
        self._sessions: dict[str, BrowserSession] = {}
        self._nonces: dict[tuple[str, ...], int] = {}
        self._latest: dict[str, int] = {}  # app to the latest timestamp that it has sent

    # Apps

    def add(self, consumer: RegisteredApp) -> RegisteredApp:
        """Register an app; an empty key or secret is generated. Raise ValueError if the key is taken."""
        with self.lock:
            consumer = _with_credentials(consumer)
            if consumer.key in self._apps:
                raise ValueError(f"consumer key {consumer.key} is taken")
            self._apps[consumer.key] = consumer.key
            self._consumers[consumer.key] = consumer
            self.journal.add_issued(consumer.key, consumer.secret)
            return consumer

    def rotate(self, key: str) -> RegisteredApp:
        """Give the app of ``key`` a new key and secret; users' grants stay."""
        with self.lock:
            app = self._apps[key]
            consumer = _with_credentials(replace(self._consumers[app], key="", secret=""))
            self._apps[consumer.key] = app
            self._consumers[app] = consumer
            self.journal.add_issued(app, consumer.secret)
            return consumer

    def consumer(self, key: str, play: str = "x") -> RegisteredApp | None:
        """Return the app of ``play`` whose current key is ``key``; none while the provider refuses apps."""
        with self.lock:
            if self.refuses_apps:
                return None
            consumer = self._consumers.get(self.app(key))
            return consumer if consumer and (consumer.key, consumer.play) == (key, play) else None

    def consumer_of(self, app: str) -> RegisteredApp:
        """Return the app's current credentials, by any key that it ever had."""
        return self._consumers[self.app(app)]

    def play_of(self, app: str) -> Play:
        """Return the play of the provider that an app is registered at."""
        return plays.of(self.consumer_of(app).play)

    def app(self, key: str) -> str:
        """Return the app's identifier: its first key."""
        return self._apps.get(key, key)

    # Users

    def sign_in(self, screen_name: str, password: str) -> User | None:
        """Return the user of that name if the password is right."""
        for user in self.users:
            if user.screen_name.lower() == screen_name.lower().removeprefix("@"):
                return user if secrets.compare_digest(user.password.encode(), password.encode()) else None
        return None

    def session(self, key: str | None) -> BrowserSession:
        """Return the browser's session, a new one when ``key`` is unknown."""
        with self.lock:
            if key is None or key not in self._sessions:
                key = random_text(32)
                self._sessions[key] = BrowserSession(key, random_text(32))
            return self._sessions[key]

    # Request tokens

    def is_fresh(self, timestamp: str) -> bool:
        """Return True if ``timestamp`` (epoch seconds) is within the window."""
        return abs(self.clock() - int(timestamp)) <= TIMESTAMP_WINDOW

    def is_first(self, key: str, token: str, timestamp: str, nonce: str) -> bool:
        """Record a nonce; return True if it is new for this app, token and timestamp (RFC 5849, section 3.3)."""
        with self.lock:
            if len(self._nonces) > NONCES_KEPT:
                oldest = self.clock() - TIMESTAMP_WINDOW
                self._nonces = {used: when for used, when in self._nonces.items() if when >= oldest}
            used = (key, token, timestamp, nonce)
            if used in self._nonces:
                return False
            self._nonces[used] = int(timestamp)
            return True

    def is_in_order(self, key: str, timestamp: str) -> bool:
        """Record a timestamp; return True if the app has sent no later one."""
        with self.lock:
            app = self.app(key)
            latest = self._latest[app] = max(self._latest.get(app, 0), int(timestamp))
            return latest == int(timestamp)

    def new_request_token(
        self, key: str, callback: str, access: Access, asked: Mapping[str, str] | None = None
    ) -> IssuedRequestToken:
        """Issue temporary credentials; ``asked`` is what the call asked for beside them."""
        with self.lock:
            app = self.app(key)
            play = self.play_of(app)
            name, secret = fill(play.forms.request_token), fill(play.forms.request_secret)
            lifetime = play.request_token_lifetime
            token = IssuedRequestToken(app, name, secret, callback, access, self.clock(), lifetime, asked=dict(asked or {}))
            self._request_tokens[token.token] = token
            self.journal.add_issued(app, token.secret)
            return token

    def request_token(self, token: str) -> IssuedRequestToken | None:
        """Return a request token that was not exchanged or denied, expired or not."""
        return self._request_tokens.get(token)

    def is_expired(self, token: IssuedRequestToken) -> bool:
        """Return True if the request token has expired."""
        return self.clock() - token.created > token.lifetime

    def expire(self, token: str) -> None:
        """End a request token's lifetime now."""
        with self.lock:
            self._request_tokens[token].lifetime = self.clock() - self._request_tokens[token].created - 1

    def consent(self, token: IssuedRequestToken, user: User) -> str:
        """Record the user's consent to the request token; return the verifier, or the PIN if there is no callback."""
        with self.lock:
            digits = secrets.choice(string.digits[1:]) + random_text(PIN_DIGITS - 1, string.digits)
            form = self.play_of(token.app).forms.verifier
            token.user, token.verifier = user, digits if token.callback == "oob" else fill(form)
            self.journal.add_issued(token.app, token.verifier)
            return token.verifier

    def forget(self, token: str) -> None:
        """Delete a request token that was exchanged or denied."""
        with self.lock:
            self._request_tokens.pop(token, None)

    # Access tokens

    def granted(self, app: str, user: User) -> IssuedAccessToken | None:
        """Return the user's access token for the app, None if there is none in force."""
        token = self._grants.get((self.app(app), user.user_id))
        return token if token and self._lasts(token) else None

    def exchange(self, token: IssuedRequestToken) -> IssuedAccessToken:
        """Return the access token of a consented request token: the same until the user revokes it, as X does, or the app renews.

        One that lasts for some time only is made anew.
        """
        with self.lock:
            if token.user is None:
                raise ValueError("the user has not consented")
            access, play = self.granted(token.app, token.user), self.play_of(token.app)
            lifetime = play.access_lifetime_of(token.asked)
            if access is not None and (self.consumer_of(token.app).renews or access.expires or lifetime):
                self.revoke(access)
                access = None
            if access is None:
                name = fill(play.forms.access_token, user_id=token.user.user_id)
                nothing = play.no_secret_if and token.asked.get(play.no_secret_if[0]) == play.no_secret_if[1]
                secret = "" if nothing else fill(play.forms.access_secret)
                access = IssuedAccessToken(token.app, token.user, name, secret, token.access)
                access.expires = self.clock() + lifetime if lifetime else None
                self._access_tokens[name] = self._grants[token.app, token.user.user_id] = access
                self.journal.add_issued(token.app, access.token, access.secret)
            access.access = token.access
            return access

    def access_token(self, token: str) -> IssuedAccessToken | None:
        """Return an access token that is in force."""
        known = self._access_tokens.get(token)
        return known if known and self._lasts(known) else None

    def access_tokens(self, play: str) -> list[IssuedAccessToken]:
        """Return every access token of a play's apps that is in force."""
        with self.lock:
            known = list(self._access_tokens.values())
        return [token for token in known if self._lasts(token) and self.consumer_of(token.app).play == play]

    def revoke(self, token: IssuedAccessToken) -> None:
        """Revoke an access token."""
        with self.lock:
            if self._access_tokens.pop(token.token, None) and self._grants.get((token.app, token.user.user_id)) is token:
                del self._grants[token.app, token.user.user_id]

    def _lasts(self, token: IssuedAccessToken) -> bool:
        return token.expires is None or self.clock() < token.expires

    def bearer(self, app: str) -> str:
        """Return the app's one bearer token."""
        with self.lock:
            if app not in self._bearers:
                self._bearers[app] = "A" * 22 + random_text(80)
                self.journal.add_issued(app, self._bearers[app])
            return self._bearers[app]

    def app_of_bearer(self, bearer: str) -> str | None:
        """Return the app that a bearer token belongs to."""
        with self.lock:
            return None if self.refuses_apps else next((app for app, held in self._bearers.items() if held == bearer), None)

    def revoke_bearer(self, app: str) -> None:
        """Revoke the app's bearer token."""
        with self.lock:
            self._bearers.pop(app, None)


def _with_credentials(consumer: RegisteredApp) -> RegisteredApp:
    """Return the app with a key and a secret, as its provider makes them, where it has none."""
    forms = plays.of(consumer.play).forms
    key, secret = consumer.key or fill(forms.consumer_key), consumer.secret or fill(forms.consumer_secret)
    return replace(consumer, key=key, secret=secret)
