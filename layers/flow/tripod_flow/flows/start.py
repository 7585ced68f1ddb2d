"""Start: begin an authorization (leg 1; RFC 5849, section 2.1)."""

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from urllib.parse import urlencode

from tripod.credentials import Consumer
from tripod_flow.edges import telemetry
from tripod_flow.edges.consumers import Consumers
from tripod_flow.edges.identity_response import is_user_id
from tripod_flow.edges.provider_answer import Refused, Unavailable
from tripod_flow.edges.provider_client import ProviderClient
from tripod_flow.edges.table import DuplicateKey, Table
from tripod_flow.edges.token_response import TokenResponse
from tripod_flow.rules import binding, errors, transitions
from tripod_flow.rules.authorization import OOB
from tripod_flow.rules.provider import ProviderDefinition
from tripod_flow.rules.return_to import AllowList


@dataclass(frozen=True, slots=True)
class StartRequest:
    """The parameters of start, named as in its query. ``subject`` and ``labels`` come from direct invocation alone."""

    provider: str
    return_to: str | None = None
    challenge: str | None = None
    endpoint: str = "authorize"
    force_login: bool = False
    screen_name: str | None = None
    x_auth_access_type: str | None = None
    pin: bool = False
    subject: str | None = None
    labels: tuple[str, ...] | None = None

    def query(self) -> str:
        """Return the query that asks for the same again."""
        asked = asdict(self)
        del asked["provider"], asked["subject"], asked["labels"]
        if self.endpoint == "authorize":
            del asked["endpoint"]
        return urlencode({name: "true" if value is True else value for name, value in asked.items() if value})


@dataclass(frozen=True, slots=True)
class BegunAuthorization:
    """A new authorization: where to send the user; ``expires_at`` in epoch seconds. Without a browser there is no cookie value."""

    authorize_url: str
    request_token: str = field(repr=False)
    expires_at: int
    cookie_name: str
    cookie_value: str | None = field(repr=False)
    log_id: str


class Start:
    """Begins authorizations; ``clock`` in epoch seconds, ``token`` makes n random bytes URL-safe."""

    def __init__(
        self,
        table: Table,
        consumers: Consumers,
        provider_client: ProviderClient,
        return_urls: AllowList,
        *,
        pin_allowed: bool,
        clock: Callable[[], float],
        token: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        self._table = table
        self._consumers = consumers
        self._provider_client = provider_client
        self._return_urls = return_urls
        self._pin_allowed = pin_allowed
        self._clock = clock
        self._token = token

    def begin(self, asked: StartRequest, *, callback_url: str, browser: bool = True) -> BegunAuthorization:
        """Get a request token, keep its secret, and return where the user consents.

        Without a ``browser`` to bind, a ``challenge`` is required: anyone with the authorize URL could make another person consent.
        Raises ``BadRequest``, ``ReturnToNotAllowed``, ``UnknownProvider``, ``NotConfigured``, ``ProviderRejected`` or
        ``ProviderUnavailable``.
        """
        self._check(asked, browser=browser)
        definition, request_token = self._request_token(asked, OOB if asked.pin else callback_url, browser=browser)
        cookie = binding.new_cookie_value(request_token.token, self._clock(), self._token) if browser else None
        begun = transitions.begin(
            asked.provider,
            request_token.token,
            request_token.secret,
            cookie_digest=binding.digest(cookie) if cookie else None,
            pin=asked.pin,
            subject=asked.subject,
            labels=asked.labels,
            challenge=asked.challenge,
            return_to=asked.return_to,
            restart_query=asked.query(),
            now=self._clock(),
        )
        try:
            self._table.add(begun)
        except DuplicateKey:
            raise errors.ProviderUnavailable("the provider issued a request token that it had issued before") from None
        return BegunAuthorization(
            authorize_url=_authorize_url(asked, definition, request_token.token, callback_url),
            request_token=request_token.token,
            expires_at=int(begun.expires_at),
            cookie_name=binding.cookie_name(asked.provider, request_token.token),
            cookie_value=cookie,
            log_id=begun.log_id,
        )

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

    def _request_token(self, asked: StartRequest, callback: str, *, browser: bool) -> tuple[ProviderDefinition, TokenResponse]:
        client = self._provider_client.for_request()

        def request(definition: ProviderDefinition, consumer: Consumer) -> tuple[ProviderDefinition, TokenResponse]:
            _check_against(definition, asked, browser=browser)
            response = client.request_token(definition, consumer, callback, access_type=asked.x_auth_access_type)
            if not response.callback_confirmed:  # allowed by the definition
                telemetry.log().warning("the provider did not confirm the callback", extra={"provider": asked.provider})
            return definition, response

        try:
            return self._consumers.call(asked.provider, request)
        except Unavailable as error:
            raise errors.ProviderUnavailable(str(error), error.retry_after) from None
        except Refused as error:
            raise errors.ProviderRejected(error.refusal.cause, str(error)) from None


def _check_against(definition: ProviderDefinition, asked: StartRequest, *, browser: bool) -> None:
    """Raise ``BadRequest`` for what this provider can't do."""
    if asked.endpoint == "authenticate" and definition.authenticate_url is None:
        raise errors.BadRequest(detail="This provider has no authenticate endpoint: leave endpoint out.")
    if asked.pin and not definition.pin:
        raise errors.BadRequest(detail="This provider shows no PIN: leave pin out.")
    if not definition.verifier and (asked.pin or not browser):
        raise errors.BadRequest(detail="This provider issues no verifier: only a browser that visits start itself can finish.")
    if definition.user_id == "subject" and not is_user_id(asked.subject or ""):
        raise errors.BadRequest(detail="This provider names no user: begin by direct invocation, with the user's id as subject.")


def _authorize_url(asked: StartRequest, definition: ProviderDefinition, request_token: str, callback_url: str) -> str:
    options = {"force_login": "true" if asked.force_login else "", "screen_name": asked.screen_name or ""}
    given = {name: value for name, value in options.items() if value}
    return definition.authorize(request_token, endpoint=asked.endpoint, options=given, callback_url=callback_url)
