"""Leg 2: sign-in and consent in the browser, then the redirect to the app."""

import secrets

from flask import Response, request
from oauthlib.common import add_params_to_uri

from sandbox.provider import pages
from sandbox.provider.records import BrowserSession, IssuedRequestToken
from sandbox.provider.state import ProviderState

COOKIE = "sandbox_provider_session"


class Consent:
    """The authorize and authenticate pages."""

    def __init__(self, state: ProviderState) -> None:
        self._state = state

    def authorize(self) -> Response:
        """Always ask for consent."""
        return self._visit(always_ask=True)

    def authenticate(self) -> Response:
        """Ask for consent unless it was given before."""
        return self._visit(always_ask=request.values.get("force_login") == "true")

    def _visit(self, *, always_ask: bool) -> Response:
        session = self._state.session(request.cookies.get(COOKIE))
        token = self._state.request_token(request.values.get("oauth_token", ""))
        if token is None or self._state.is_expired(token):
            return pages.invalid()
        if token.verifier:
            return self._again(session, token)
        if request.method == "POST":
            response = self._decide(session, token, always_ask=always_ask)
        elif session.user is None or request.args.get("force_login") == "true":
            consumer = self._state.consumer_of(token.app)
            response = pages.sign_in(session, token, consumer, request.args.get("screen_name", ""))
        else:
            response = self._ask(session, token, always_ask=always_ask)
        response.set_cookie(COOKIE, session.key, httponly=True, samesite="Lax")
        return response

    def _decide(self, session: BrowserSession, token: IssuedRequestToken, *, always_ask: bool) -> Response:
        form = request.form
        if not secrets.compare_digest(form.get("form_token", "").encode(), session.form_token.encode()):
            return pages.forged()
        if form.get("decision") == "cancel":
            return self._cancel(token)
        if form.get("decision") == "authorize" and session.user is not None:
            return self._grant(session, token)
        user = self._state.sign_in(form.get("username", ""), form.get("password", ""))
        if user is None:
            consumer = self._state.consumer_of(token.app)
            return pages.sign_in(session, token, consumer, form.get("username", ""), wrong=True)
        session.user = user
        return self._ask(session, token, always_ask=always_ask)

    def _ask(self, session: BrowserSession, token: IssuedRequestToken, *, always_ask: bool) -> Response:
        if not always_ask and session.user and self._state.granted(token.app, session.user):
            return self._grant(session, token)
        return pages.consent(session, token, self._state.consumer_of(token.app))

    def _grant(self, session: BrowserSession, token: IssuedRequestToken) -> Response:
        with self._state.lock:
            if session.user is None:
                return pages.invalid()
            if token.verifier:  # another click was quicker
                return self._again(session, token)
            verifier = self._state.consent(token, session.user)
        if token.callback == "oob":
            return pages.pin(self._state.consumer_of(token.app), verifier)
        return _back(token.callback, oauth_token=token.token, oauth_verifier=verifier)

    def _again(self, session: BrowserSession, token: IssuedRequestToken) -> Response:
        """Answer a second click on "Authorize app" as the first; any other visit of a used request token finds nothing."""
        clicked = request.method == "POST" and request.form.get("decision") == "authorize"
        forged = not secrets.compare_digest(request.form.get("form_token", "").encode(), session.form_token.encode())
        if not clicked or forged or session.user != token.user or token.callback == "oob" or token.verifier is None:
            return pages.invalid()
        return _back(token.callback, oauth_token=token.token, oauth_verifier=token.verifier)

    def _cancel(self, token: IssuedRequestToken) -> Response:
        self._state.forget(token.token)
        if token.callback == "oob":
            return pages.cancelled(self._state.consumer_of(token.app))
        return _back(token.callback, denied=token.token)


def _back(callback: str, **answer: str) -> Response:
    """Send the browser to the app; what its callback URL says itself is kept."""
    return Response("", 302, {"Location": add_params_to_uri(callback, answer.items()), "Cache-Control": "no-store"})
