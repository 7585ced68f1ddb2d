"""oauthlib's server with the provider's tokens, X's or a play's, in place of its own random ones."""

from collections.abc import Callable, Mapping
from typing import cast

from oauthlib.common import Request, urlencode
from oauthlib.oauth1 import WebApplicationServer

from sandbox.provider.failures import ProviderFailure
from sandbox.provider.play import Play, X
from sandbox.provider.play_answer import filled, token_facts
from sandbox.provider.records import Access, IssuedAccessToken
from sandbox.provider.signed_request import SignedRequest
from sandbox.provider.state import ProviderState
from sandbox.provider.validator import Validator


class TokenServer(WebApplicationServer):
    """Verifies one call and, if it is valid, performs it."""

    def __init__(self, state: ProviderState, play: Play = X) -> None:
        self.validator = Validator(state, play)
        super().__init__(self.validator)
        self._state = state
        self._play = play

    def request_token(self, call: SignedRequest) -> str | ProviderFailure:
        """Verify leg 1 and return its form-encoded answer."""
        return self._answer(self.create_request_token_response, call)

    def access_token(self, call: SignedRequest) -> str | ProviderFailure:
        """Verify leg 3 and return its form-encoded answer; of two at once, one finds the request token gone."""
        if self._play.verifier and not call.oauth.get("oauth_verifier"):
            return self._play.refusals.wrong_verifier
        return self._answer(self.create_access_token_response, call)

    def signed_by(self, call: SignedRequest) -> IssuedAccessToken | ProviderFailure:
        """Verify a call on a user's behalf and return the access token that signed it."""
        with self._state.lock:
            try:
                valid, request = self.validate_protected_resource_request(call.uri, call.method, call.body, call.headers)
            except ValueError:  # what oauthlib raises on a header that it can't parse
                return self._play.refusals.malformed
            token = self._state.access_token(request.resource_owner_key) if valid else None
            return token or self.validator.failure

    def _answer(self, leg: Callable[..., tuple[dict[str, str], str, int]], call: SignedRequest) -> str | ProviderFailure:
        with self._state.lock:
            try:
                _, body, status = leg(call.uri, call.method, call.body, call.headers)
            except ValueError:  # what oauthlib raises on a header that it can't parse
                return self._play.refusals.malformed
        return body if status == 200 else self.validator.failure

    def create_request_token(self, request: Request, _credentials: dict[str, str]) -> str:
        """Issue a request token; called by oauthlib once the call is verified."""
        consumer = self._state.consumer_of(str(request.client_key))
        given = cast("list[tuple[str, str]]", request.params)
        asked = {name: value for name, value in given if not name.startswith("oauth_")}
        access: Access = "read" if ("x_auth_access_type", "read") in given else "write"
        callback = "" if self._play.callback == "authorize" else str(request.redirect_uri)
        token = self._state.new_request_token(consumer.key, callback, access, asked)
        fields = {"oauth_token": token.token, "oauth_token_secret": token.secret}
        if consumer.callback_confirmed is not None and self._play.confirms:
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
        if consumer.play != X.name:
            return str(urlencode((fields | self._answer_of(token)).items()))
        if consumer.user_id_field:
            fields[consumer.user_id_field] = token.user.user_id
        if consumer.screen_name_field:
            fields[consumer.screen_name_field] = token.user.screen_name
        return str(urlencode(fields.items()))

    def _create_request(self, uri: str, http_method: str, body: str | None, headers: Mapping[str, str] | None) -> Request:
        """Read a call. oauthlib demands a callback and a verifier, which some providers don't have."""
        request: Request = super()._create_request(uri, http_method, body, headers)  # type: ignore[misc]  # its stubs leave it out
        if self._play.callback == "authorize":
            request.redirect_uri = "oob"
        if not self._play.verifier:
            request.verifier = "none"  # type: ignore[attr-defined]  # its stubs leave this out, too
        return request

    def _answer_of(self, token: IssuedAccessToken) -> dict[str, str]:
        """Return what a play's token answer says beside the token."""
        return {name: str(value) for name, value in filled(self._play.answer, token_facts(self._play, token)).items()}
