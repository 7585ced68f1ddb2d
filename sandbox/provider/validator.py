"""oauthlib's checks of a signed call, answered from the provider's state."""

import hmac

from oauthlib.common import Request
from oauthlib.oauth1 import RequestValidator

from sandbox.provider.failures import ProviderFailure
from sandbox.provider.play import Play, X
from sandbox.provider.records import IssuedAccessToken, IssuedRequestToken, RegisteredApp
from sandbox.provider.state import ProviderState

NOBODY = "nobody"  # in place of an unknown key or token, so that oauthlib still computes a signature


class Validator(RequestValidator):
    """Validates one call; afterwards ``failure`` is the provider's error for it: X's, or that of the play."""

    enforce_ssl = False  # the sandbox is plain HTTP on loopback
    client_key_length = request_token_length = access_token_length = verifier_length = (1, 128)
    timestamp_lifetime = 10**10  # seconds: never oauthlib's to judge, so that 135 can be told from the rest
    dummy_client = dummy_request_token = dummy_access_token = NOBODY

    def __init__(self, state: ProviderState, play: Play = X) -> None:
        super().__init__()
        self._state = state
        self._play = play
        self._refused: ProviderFailure | None = None
        self._request: Request | None = None
        self._expired = False

    @property
    def allowed_signature_methods(self) -> tuple[str, ...]:
        """Return the provider's signature methods."""
        return self._play.signature_methods

    @property
    def nonce_length(self) -> tuple[int, int]:
        """Return the least and the greatest length of a nonce."""
        return self._play.nonce

    @property
    def safe_characters(self) -> set[str]:
        """Accept printable ASCII: clients differ in how they make a nonce."""
        return set(map(chr, range(0x21, 0x7F)))

    @property
    def failure(self) -> ProviderFailure:
        """Return why the call was refused; MALFORMED if it lacked a required parameter, so that no check was made."""
        failures = self._play.refusals
        if self._refused is not None:
            return self._refused
        if self._request is None:
            return failures.malformed
        found = self._request.validator_log
        if not found["client"]:
            return failures.not_authenticated
        if not found.get("resource_owner", True):
            return self._token_failure(exchange="verifier" in found)
        if not found["signature"]:
            return failures.not_authenticated
        if not found.get("verifier", True):
            return failures.wrong_verifier
        return self._callback_failure(self._request)

    def _token_failure(self, *, exchange: bool) -> ProviderFailure:
        failures = self._play.refusals
        if not exchange:
            return failures.revoked
        return failures.expired_request_token if self._expired else failures.unknown_request_token

    def _callback_failure(self, request: Request) -> ProviderFailure:
        failures, consumer = self._play.refusals, self._consumer(str(request.client_key))
        return failures.no_callback if consumer and not consumer.callback_urls else failures.callback_not_approved

    def validate_timestamp_and_nonce(  # noqa: PLR0917 oauthlib's signature
        self,
        client_key: str,
        timestamp: str,
        nonce: str,
        request: Request,
        request_token: str | None = None,
        access_token: str | None = None,
    ) -> bool:
        """Refuse a timestamp outside the window, and a nonce that was used with it before."""
        if not self._state.is_fresh(timestamp):
            self._refused = self._play.refusals.clock_off
        elif not self._state.is_first(client_key, request_token or access_token or "", timestamp, nonce):
            self._refused = self._play.refusals.not_authenticated
        elif self._play.ordered and not self._state.is_in_order(client_key, timestamp):
            self._refused = self._play.refusals.clock_off
        self._request = request
        return self._refused is None

    def validate_client_key(self, client_key: str, _request: Request) -> bool:
        """Know only the current keys of this provider's apps."""
        return self._consumer(client_key) is not None

    def validate_redirect_uri(self, client_key: str, redirect_uri: str, _request: Request) -> bool:
        """Accept ``oob``, and what the app's settings list, to the letter or as the play compares it, if it does so here."""
        consumer = self._consumer(client_key)
        if consumer is None or consumer.callback_urls is None or redirect_uri == "oob" or self._play.compares_late:
            return True
        return self._play.approves(redirect_uri, consumer.callback_urls)

    def validate_request_token(self, client_key: str, token: str, _request: Request) -> bool:
        """Know this app's request tokens that are neither expired nor exchanged."""
        known = self._request_token(client_key, token)
        self._expired = known is not None and self._state.is_expired(known)
        return known is not None and not self._expired

    def validate_verifier(self, client_key: str, token: str, verifier: str, _request: Request) -> bool:
        """Accept only the verifier that the user's consent yielded; where there is none, the consent is enough."""
        known = self._request_token(client_key, token)
        if not self._play.verifier:
            return bool(known and known.verifier)
        return bool(known and known.verifier and hmac.compare_digest(known.verifier.encode(), verifier.encode()))

    def validate_access_token(self, client_key: str, token: str, _request: Request) -> bool:
        """Know this app's access tokens that are in force."""
        return self._access_token(client_key, token) is not None

    def get_client_secret(self, client_key: str, _request: Request) -> str:
        """Return the app's secret."""
        consumer = self._consumer(client_key)
        return consumer.secret if consumer else NOBODY

    def get_request_token_secret(self, client_key: str, token: str, _request: Request) -> str:
        """Return the secret of a request token."""
        known = self._request_token(client_key, token)
        return known.secret if known else NOBODY

    def get_access_token_secret(self, client_key: str, token: str, _request: Request) -> str:
        """Return the secret of an access token."""
        known = self._access_token(client_key, token)
        return known.secret if known else NOBODY

    def invalidate_request_token(self, _client_key: str, request_token: str, _request: Request) -> None:
        """Forget an exchanged request token."""
        self._state.forget(request_token)

    # Realms are not used: whatever a header says of them is accepted, and none is asked for.

    def check_realms(self, _realms: list[str]) -> bool:
        """Accept any realm."""
        return True

    def get_default_realms(self, _client_key: str, _request: Request) -> list[str]:
        """Return no realm."""
        return []

    def validate_requested_realms(self, _client_key: str, _realms: list[str], _request: Request) -> bool:
        """Accept any realm."""
        return True

    def validate_realms(self, *_asked: object, **_named: object) -> bool:
        """Accept any realm."""
        return True

    def _consumer(self, client_key: str) -> RegisteredApp | None:
        return self._state.consumer(client_key, self._play.name)

    def _request_token(self, client_key: str, token: str) -> IssuedRequestToken | None:
        known = self._state.request_token(token)
        return known if known and known.app == self._state.app(client_key) else None

    def _access_token(self, client_key: str, token: str) -> IssuedAccessToken | None:
        known = self._state.access_token(token)
        return known if known and known.app == self._state.app(client_key) else None
