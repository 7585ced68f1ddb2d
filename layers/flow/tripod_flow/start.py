"""Start: what is asked for, and what comes of it (leg 1; RFC 5849, section 2.1)."""

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from urllib.parse import urlencode

from tripod.credentials import Consumer
from tripod_flow import binding, diagnoses, errors, progress
from tripod_flow.authorization import OOB, Authorization
from tripod_flow.consumers import Consumers
from tripod_flow.legs import Legs, Refused, TokenAnswer, Unavailable
from tripod_flow.provider import Provider
from tripod_flow.return_to import AllowList
from tripod_flow.table import KeyTaken, Table


@dataclass(frozen=True, slots=True)
class StartRequest:
    """What start was asked for; the field names are those of its query. ``subject`` comes from direct invocation alone."""

    provider: str
    return_to: str | None = None
    challenge: str | None = None
    endpoint: str = "authorize"
    force_login: bool = False
    screen_name: str | None = None
    x_auth_access_type: str | None = None
    pin: bool = False
    subject: str | None = None

    def query(self) -> str:
        """Return the query that asks for the same again."""
        asked = asdict(self)
        del asked["provider"], asked["subject"]
        if self.endpoint == "authorize":
            del asked["endpoint"]
        return urlencode({name: "true" if value is True else value for name, value in asked.items() if value})


@dataclass(frozen=True, slots=True)
class Begun:
    """A begun authorization: where to send the user; ``expires_at`` in epoch seconds. The cookie's key is None without a browser."""

    authorize_url: str
    request_token: str
    expires_at: int
    cookie: str
    cookie_key: str | None = field(repr=False)
    label: str


class Start:
    """Begins authorizations; ``clock`` in epoch seconds, ``token`` makes n random bytes URL-safe."""

    def __init__(
        self,
        table: Table,
        consumers: Consumers,
        provider_legs: Legs,
        return_urls: AllowList,
        *,
        pin_allowed: bool,
        clock: Callable[[], float],
        token: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        self._table = table
        self._consumers = consumers
        self._legs = provider_legs
        self._return_urls = return_urls
        self._pin_allowed = pin_allowed
        self._clock = clock
        self._token = token

    def begin(self, asked: StartRequest, *, callback_url: str, browser: bool = True) -> Begun:
        """Get a request token, keep its secret, and say where the user consents.

        Without a ``browser`` to bind, a ``challenge`` must be there: whoever holds the authorize URL could make somebody else consent.
        """
        self._check(asked, browser=browser)
        definition, temporary = self._request_token(asked, OOB if asked.pin else callback_url, callback_url)
        cookie_key = binding.new_key(self._clock(), self._token) if browser else None
        begun = progress.begin(
            asked.provider,
            temporary.token,
            temporary.secret,
            browser=binding.digest(cookie_key) if cookie_key else None,
            pin=asked.pin,
            subject=asked.subject,
            challenge=asked.challenge,
            return_to=asked.return_to,
            restart=asked.query(),
            now=self._clock(),
        )
        try:
            self._table.add(begun)
        except KeyTaken:
            raise errors.ProviderUnavailable("the provider issued a request token that it had issued before") from None
        return _told(asked, definition, temporary, begun, cookie_key)

    def _check(self, asked: StartRequest, *, browser: bool) -> None:
        flaw = self._return_urls.flaw(asked.return_to) if asked.return_to is not None else None
        if flaw:
            raise errors.ReturnToNotAllowed(detail=f"return_to is not allowed: {flaw}.")
        if asked.pin and not self._pin_allowed:
            raise errors.BadRequest(detail="PIN-based authorization is switched off (the stack's parameter EnablePin).")
        if browser:
            return
        if asked.pin and asked.subject is None:
            raise errors.BadRequest(detail="A PIN by direct invocation needs a subject: who hands it in must be who asked.")
        if not asked.pin and asked.challenge is None:
            raise errors.BadRequest(detail="A direct invocation needs a challenge: only redeem, with its secret, completes it.")

    def _request_token(self, asked: StartRequest, callback: str, callback_url: str) -> tuple[Provider, TokenAnswer]:
        provider_legs = self._legs.for_request()

        def leg(definition: Provider, consumer: Consumer) -> tuple[Provider, TokenAnswer]:
            if asked.endpoint == "authenticate" and definition.authenticate_url is None:
                raise errors.BadRequest(detail="This provider has no authenticate endpoint: leave endpoint out.")
            answer = provider_legs.request_token(definition, consumer, callback, access_type=asked.x_auth_access_type)
            return definition, answer

        try:
            return self._consumers.call(asked.provider, leg)
        except Unavailable as error:
            raise errors.ProviderUnavailable(str(error), error.retry_after) from None
        except Refused as error:
            cause = error.refusal.cause
            raise errors.ProviderRejected(cause, str(error), diagnoses.diagnosis(cause, callback_url)) from None


def _told(
    asked: StartRequest, definition: Provider, temporary: TokenAnswer, begun: Authorization, cookie_key: str | None
) -> Begun:
    options = {"force_login": "true" if asked.force_login else "", "screen_name": asked.screen_name or ""}
    url = definition.authorize(
        temporary.token, endpoint=asked.endpoint, options={name: value for name, value in options.items() if value}
    )
    cookie = binding.cookie_name(asked.provider, temporary.token)
    return Begun(url, temporary.token, int(begun.expires_at), cookie, cookie_key, begun.label)
