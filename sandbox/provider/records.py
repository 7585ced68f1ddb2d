"""The provider's records: apps, users, tokens, calls and posts."""

from dataclasses import dataclass, field
from typing import Literal

from sandbox.provider.faults import Fault

Leg = Literal[
    "request_token",
    "authorize",
    "authenticate",
    "access_token",
    "verify_credentials",
    "users_me",
    "identity",
    "invalidate_token",
    "update_status",
    "create_post",
    "bearer_token",
    "invalidate_bearer_token",
    "rate_limit_status",
    "api",
]
Access = Literal["read", "write"]


@dataclass(frozen=True)
class RegisteredApp:
    """A registered app: its credentials, its approved callbacks, and what its responses contain.

    ``callback_urls``: None accepts any, empty makes it a desktop app (PIN only, else 417), others match exactly.
    ``user_id_field``, ``screen_name_field``: names in the access-token answer; None leaves the field out.
    ``callback_confirmed``: the value of ``oauth_callback_confirmed``; None leaves it out.
    ``renews``: each exchange ends the user's access token and makes another; X returns the same one.
    ``play``: the provider that it is registered at, one of plays.toml's or ``x``; what its responses contain is then that provider's.
    """

    key: str
    secret: str = field(repr=False)
    callback_urls: tuple[str, ...] | None = None
    name: str = "Sandbox app"
    user_id_field: str | None = "user_id"
    screen_name_field: str | None = "screen_name"
    callback_confirmed: str | None = "true"
    renews: bool = False
    play: str = "x"


@dataclass(frozen=True)
class User:
    """An account at the provider; ``user_id`` is a numeric string."""

    user_id: str
    screen_name: str
    name: str
    password: str = field(repr=False)


@dataclass
class IssuedRequestToken:
    """Temporary credentials, for ``lifetime`` seconds; ``verifier`` and ``user`` are set by the user's consent.

    ``asked`` are the parameters beside the protocol's that leg 1 and the authorize URL had.
    """

    app: str
    token: str
    secret: str
    callback: str
    access: Access
    created: float
    lifetime: float
    user: User | None = None
    verifier: str | None = None
    asked: dict[str, str] = field(default_factory=dict)


@dataclass
class IssuedAccessToken:
    """Lasting credentials of one user for one app; ``expires`` (epoch seconds) is None where they last for ever."""

    app: str
    user: User
    token: str
    secret: str
    access: Access
    expires: float | None = None


@dataclass
class BrowserSession:
    """One browser's sign-in at the provider; every form of a page carries ``form_token``."""

    key: str
    form_token: str
    user: User | None = None


@dataclass(frozen=True)
class ProviderCall:
    """One call that the provider saw; ``status`` is None where it sent no HTTP response."""

    leg: str
    status: int | None
    time: float
    fault: Fault | None = None
    user_agent: str = ""
    signature_method: str = ""


@dataclass(frozen=True)
class Post:
    """A text that an app posted for a user."""

    post_id: str
    user_id: str
    text: str
