"""The endpoints that apps call: the token legs, and those that need a token."""

import hmac
import string
from collections.abc import Callable

from flask import Response, jsonify, request

from sandbox.provider import failures
from sandbox.provider.failures import ProviderFailure
from sandbox.provider.records import IssuedAccessToken, Post
from sandbox.provider.signed_request import SignedRequest, basic, bearer
from sandbox.provider.state import ProviderState
from sandbox.provider.token_forms import random_text
from sandbox.provider.token_server import TokenServer


class Api:
    """One method per leg."""

    def __init__(self, state: ProviderState) -> None:
        self._state = state

    def request_token(self) -> Response:
        """Leg 1: issue a request token."""
        return _form(TokenServer(self._state).request_token(SignedRequest.of(request)))

    def access_token(self) -> Response:
        """Leg 3: exchange a request token for an access token."""
        return _form(TokenServer(self._state).access_token(SignedRequest.of(request)))

    def verify_credentials(self) -> Response:
        """Answer who the user is, as v1.1 does."""
        return self._as_user(
            lambda token: jsonify(
                id=int(token.user.user_id),
                id_str=token.user.user_id,
                name=token.user.name,
                screen_name=token.user.screen_name,
            )
        )

    def users_me(self) -> Response:
        """Answer who the user is, as v2 does."""
        return self._as_user(
            lambda token: jsonify(data={"id": token.user.user_id, "name": token.user.name, "username": token.user.screen_name}),
            v2=True,
        )

    def identity(self) -> Response:
        """Answer who the user is where the token answer doesn't; nested, with a number for an id."""
        return self._as_user(
            lambda token: jsonify(
                response={"user": {"id": int(token.user.user_id), "name": token.user.screen_name}},
            )
        )

    def invalidate_token(self) -> Response:
        """Revoke the access token that signed the call."""

        def end(token: IssuedAccessToken) -> Response:
            self._state.revoke(token)
            return jsonify(access_token=token.token)

        return self._as_user(end)

    def update_status(self) -> Response:
        """Record a post sent as a form."""
        return self._as_user(lambda token: self._post(token, request.values.get("status", "")))

    def create_post(self) -> Response:
        """Record a post sent as JSON, which no signature covers."""
        content = request.get_json(silent=True)
        text = content.get("text") if isinstance(content, dict) else None
        if not isinstance(text, str) or not text:
            return self._as_user(lambda _: failures.V2_INVALID.response(), v2=True)
        return self._as_user(lambda token: self._post(token, text), v2=True)

    def bearer_token(self) -> Response:
        """Issue the app's bearer token for its key and secret."""
        key, secret = basic(request)
        consumer = self._state.consumer(key)
        known = consumer is not None and hmac.compare_digest(consumer.secret.encode(), secret.encode())
        if not known or request.form.get("grant_type") != "client_credentials":
            return failures.UNVERIFIED.response()
        return jsonify(token_type="bearer", access_token=self._state.bearer(self._state.app(key)))  # noqa: S106 no secret

    def invalidate_bearer_token(self) -> Response:
        """Revoke the app's bearer token; signed with a user's token of the same app."""

        def end(token: IssuedAccessToken) -> Response:
            held = request.values.get("access_token", "")
            if self._state.app_of_bearer(held) != token.app:
                return failures.UNVERIFIED.response()
            self._state.revoke_bearer(token.app)
            return jsonify(access_token=held)

        return self._as_user(end)

    def rate_limit_status(self) -> Response:
        """Answer an app that sends its bearer token."""
        app = self._state.app_of_bearer(bearer(request))
        if app is None:
            return failures.REVOKED.response()
        return jsonify(rate_limit_context={"application": self._state.consumer_of(app).key}, resources={})

    def _as_user(self, answer: Callable[[IssuedAccessToken], Response], *, v2: bool = False) -> Response:
        """Verify the access token's signature, then answer the call; v2 never says which credential it refuses, or misses."""
        if v2 and self._state.app_of_bearer(bearer(request)):
            return failures.V2_APP_ONLY.response()
        token = TokenServer(self._state).signed_by(SignedRequest.of(request))
        if isinstance(token, ProviderFailure):
            return (failures.V2_UNAUTHORIZED if v2 and token.status in {400, 401} else token).response()
        response = answer(token)
        response.headers["x-access-level"] = "read" if token.access == "read" else "read-write"
        return response

    def _post(self, token: IssuedAccessToken, text: str) -> Response:
        if token.access == "read":
            return (failures.V2_PERMISSIONS if request.is_json else failures.READ_ONLY).response()
        post = Post(random_text(19, string.digits[1:]), token.user.user_id, text)
        self._state.journal.add_post(token.app, post)
        if request.is_json:
            created = jsonify(data={"id": post.post_id, "text": text})
            created.status_code = 201
            return created
        return jsonify(id_str=post.post_id, text=text, user={"id_str": token.user.user_id})


def _form(answer: str | ProviderFailure) -> Response:
    """Answer a token leg: form-encoded, and labelled as HTML, as X does."""
    if isinstance(answer, ProviderFailure):
        return answer.response()
    return Response(answer, content_type=failures.TEXT, headers={"Cache-Control": "no-store"})
