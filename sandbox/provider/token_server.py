"""oauthlib's server with X's tokens in place of its own random ones."""

from collections.abc import Callable

from oauthlib.common import Request, urlencode
from oauthlib.oauth1 import WebApplicationServer

from sandbox.provider import failures
from sandbox.provider.failures import Failure
from sandbox.provider.records import Access, IssuedAccessToken
from sandbox.provider.signed_request import SignedRequest
from sandbox.provider.state import ProviderState
from sandbox.provider.validator import Validator


class TokenServer(WebApplicationServer):
    """Verifies one call and, if it is valid, performs it."""

    def __init__(self, state: ProviderState) -> None:
        self.validator = Validator(state)
        super().__init__(self.validator)
        self._state = state

    def request_token(self, call: SignedRequest) -> str | Failure:
        """Verify leg 1 and return its form-encoded answer."""
        return self._answer(self.create_request_token_response, call)

    def access_token(self, call: SignedRequest) -> str | Failure:
        """Verify leg 3 and return its form-encoded answer; of two at once, one finds the request token gone."""
        if not call.oauth.get("oauth_verifier"):
            return failures.WRONG_VERIFIER
        return self._answer(self.create_access_token_response, call)

    def signed_by(self, call: SignedRequest) -> IssuedAccessToken | Failure:
        """Verify a call on a user's behalf and return the access token that signed it."""
        with self._state.lock:
            try:
                valid, request = self.validate_protected_resource_request(call.uri, call.method, call.body, call.headers)
            except ValueError:  # what oauthlib raises on a header that it can't parse
                return failures.MALFORMED
            token = self._state.access_token(request.resource_owner_key) if valid else None
            return token or self.validator.failure

    def _answer(self, leg: Callable[..., tuple[dict[str, str], str, int]], call: SignedRequest) -> str | Failure:
        with self._state.lock:
            try:
                _, body, status = leg(call.uri, call.method, call.body, call.headers)
            except ValueError:  # what oauthlib raises on a header that it can't parse
                return failures.MALFORMED
        return body if status == 200 else self.validator.failure

    def create_request_token(self, request: Request, _credentials: dict[str, str]) -> str:
        """Issue a request token; called by oauthlib once the call is verified."""
        consumer = self._state.consumer_of(str(request.client_key))
        access: Access = "read" if ("x_auth_access_type", "read") in (request.params or []) else "write"
        token = self._state.new_request_token(consumer.key, str(request.redirect_uri), access)
        fields = {"oauth_token": token.token, "oauth_token_secret": token.secret}
        if consumer.callback_confirmed is not None:
            fields["oauth_callback_confirmed"] = consumer.callback_confirmed
        return str(urlencode(fields.items()))

    def create_access_token(self, request: Request, _credentials: dict[str, str]) -> str:
        """Exchange a request token; called by oauthlib once the call is verified."""
        consumer = self._state.consumer_of(str(request.client_key))
        known = self._state.request_token(str(request.resource_owner_key))
        if known is None:
            raise LookupError("oauthlib has just verified this request token")
        token = self._state.exchange(known)
        fields = {"oauth_token": token.token, "oauth_token_secret": token.secret}
        if consumer.user_id_field:
            fields[consumer.user_id_field] = token.user.user_id
        if consumer.screen_name_field:
            fields[consumer.screen_name_field] = token.user.screen_name
        return str(urlencode(fields.items()))
