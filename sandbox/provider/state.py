"""The provider's state, in memory behind one lock; apps share nothing but the users."""

import secrets
import string
import threading
from collections.abc import Callable
from dataclasses import replace

from sandbox.provider.journal import Journal
from sandbox.provider.records import Access, BrowserSession, IssuedAccessToken, IssuedRequestToken, RegisteredApp, User

REQUEST_TOKEN_LIFETIME = 600  # seconds; X's is unknown, Wikimedia's is this
TIMESTAMP_WINDOW = 300  # seconds either way; X's is unknown, Wikimedia's is this
NONCES_KEPT = 20_000  # beyond it, those outside the timestamp window are forgotten
PIN_DIGITS = 7
LETTERS = string.ascii_letters + string.digits

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
        self.users: list[User] = list(USERS)
        self._apps: dict[str, str] = {}  # any key, current or former, to the app's first key
        self._consumers: dict[str, RegisteredApp] = {}  # by the app's first key
        self._request_tokens: dict[str, IssuedRequestToken] = {}
        self._access_tokens: dict[str, IssuedAccessToken] = {}
        self._grants: dict[tuple[str, str], IssuedAccessToken] = {}  # by app and user id
        self._bearers: dict[str, str] = {}  # app to its one bearer token
        self._sessions: dict[str, BrowserSession] = {}
        self._nonces: dict[tuple[str, ...], int] = {}

    # Apps

    def add(self, consumer: RegisteredApp) -> RegisteredApp:
        """Register an app; an empty key or secret is generated. Raise ValueError if the key is taken."""
        with self.lock:
            consumer = replace(consumer, key=consumer.key or random_text(25), secret=consumer.secret or random_text(50))
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
            consumer = replace(self._consumers[app], key=random_text(25), secret=random_text(50))
            self._apps[consumer.key] = app
            self._consumers[app] = consumer
            self.journal.add_issued(app, consumer.secret)
            return consumer

    def consumer(self, key: str) -> RegisteredApp | None:
        """Return the app whose current key is ``key``."""
        with self.lock:
            consumer = self._consumers.get(self.app(key))
            return consumer if consumer and consumer.key == key else None

    def consumer_of(self, app: str) -> RegisteredApp:
        """Return the app's current credentials, by any key that it ever had."""
        return self._consumers[self.app(app)]

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

    def new_request_token(self, key: str, callback: str, access: Access) -> IssuedRequestToken:
        """Issue temporary credentials."""
        with self.lock:
            app = self.app(key)
            token = IssuedRequestToken(app, random_text(27), random_text(32), callback, access, self.clock())
            self._request_tokens[token.token] = token
            self.journal.add_issued(app, token.secret)
            return token

    def request_token(self, token: str) -> IssuedRequestToken | None:
        """Return a request token that was not exchanged or denied, expired or not."""
        return self._request_tokens.get(token)

    def is_expired(self, token: IssuedRequestToken) -> bool:
        """Return True if the request token has expired."""
        return self.clock() - token.created > REQUEST_TOKEN_LIFETIME

    def expire(self, token: str) -> None:
        """End a request token's lifetime now."""
        with self.lock:
            self._request_tokens[token].created = self.clock() - REQUEST_TOKEN_LIFETIME - 1

    def consent(self, token: IssuedRequestToken, user: User) -> str:
        """Record the user's consent to the request token; return the verifier, or the PIN if there is no callback."""
        with self.lock:
            digits = secrets.choice(string.digits[1:]) + random_text(PIN_DIGITS - 1, string.digits)
            token.user, token.verifier = user, digits if token.callback == "oob" else random_text(32)
            self.journal.add_issued(token.app, token.verifier)
            return token.verifier

    def forget(self, token: str) -> None:
        """Delete a request token that was exchanged or denied."""
        with self.lock:
            self._request_tokens.pop(token, None)

    # Access tokens

    def granted(self, app: str, user: User) -> IssuedAccessToken | None:
        """Return the user's access token for the app, None if there is none in force."""
        return self._grants.get((self.app(app), user.user_id))

    def exchange(self, token: IssuedRequestToken) -> IssuedAccessToken:
        """Return the access token of a consented request token: the same until the user revokes it, as X does, or the app renews."""
        with self.lock:
            if token.user is None:
                raise ValueError("the user has not consented")
            access = self.granted(token.app, token.user)
            if access is not None and self.consumer_of(token.app).renews:
                self.revoke(access)
                access = None
            if access is None:
                name = f"{token.user.user_id}-{random_text(40)}"
                access = IssuedAccessToken(token.app, token.user, name, random_text(45), token.access)
                self._access_tokens[name] = self._grants[token.app, token.user.user_id] = access
                self.journal.add_issued(token.app, access.token, access.secret)
            access.access = token.access
            return access

    def access_token(self, token: str) -> IssuedAccessToken | None:
        """Return an access token that is in force."""
        return self._access_tokens.get(token)

    def revoke(self, token: IssuedAccessToken) -> None:
        """Revoke an access token."""
        with self.lock:
            if self._access_tokens.pop(token.token, None):
                del self._grants[token.app, token.user.user_id]

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
            return next((app for app, held in self._bearers.items() if held == bearer), None)

    def revoke_bearer(self, app: str) -> None:
        """Revoke the app's bearer token."""
        with self.lock:
            self._bearers.pop(app, None)


def random_text(length: int, alphabet: str = LETTERS) -> str:
    """Return a random string."""
    return "".join(secrets.choice(alphabet) for _ in range(length))
