"""Leg 2: sign-in and consent in the browser, then the redirect to the app."""

import secrets
from collections.abc import Mapping
from dataclasses import replace

from flask import Response, request
from oauthlib.common import add_params_to_uri

from sandbox.provider import pages
from sandbox.provider.play import Play, X, real
from sandbox.provider.play_answer import filled, user_facts
from sandbox.provider.records import BrowserSession, IssuedRequestToken, RegisteredApp
from sandbox.provider.state import ProviderState

COOKIE = "sandbox_provider_session"


class Consent:
    """The authorize and authenticate pages, X's or a play's."""

    def __init__(self, state: ProviderState, play: Play = X) -> None:
        self._state = state
        self._play = play

    def authorize(self) -> Response:
        """Always ask for consent."""
        return self._visit(always_ask=True)

    def authenticate(self) -> Response:
        """Ask for consent unless it was given before."""
        return self._visit(always_ask=request.values.get("force_login") == "true")

    def _visit(self, *, always_ask: bool) -> Response:
        session = self._state.session(request.cookies.get(COOKIE))
        token = self._state.request_token(request.values.get("oauth_token", ""))
        if token is None or self._state.is_expired(token) or self._state.play_of(token.app) is not self._play:
            return pages.invalid()
        if token.verifier:
            return self._again(session, token)
        if request.method == "POST":
            response = self._decide(session, token, always_ask=always_ask)
        elif session.user is None or request.args.get("force_login") == "true":
            response = pages.sign_in(session, token, self._consumer(token), request.args.get("screen_name", ""))
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
            return pages.sign_in(session, token, self._consumer(token), form.get("username", ""), wrong=True)
        session.user = user
        return self._ask(session, token, always_ask=always_ask)

    def _ask(self, session: BrowserSession, token: IssuedRequestToken, *, always_ask: bool) -> Response:
        if not always_ask and session.user and self._state.granted(token.app, session.user):
            return self._grant(session, token)
        return pages.consent(session, token, self._consumer(token))

    def _grant(self, session: BrowserSession, token: IssuedRequestToken) -> Response:
        with self._state.lock:
            if session.user is None:
                return pages.invalid()
            if token.verifier:  # another click was quicker
                return self._again(session, token)
            verifier = self._state.consent(token, session.user)
        if not token.callback:
            return pages.granted(self._consumer(token))
        if token.callback == "oob" and not self._play.oob:
            return pages.pin(self._consumer(token), verifier)
        return self._back(token, self._play.yes, self._play.fragment)

    def _again(self, session: BrowserSession, token: IssuedRequestToken) -> Response:
        """Answer a second click on "Authorize app" as the first; any other visit of a used request token finds nothing."""
        clicked = request.method == "POST" and request.form.get("decision") == "authorize"
        forged = not secrets.compare_digest(request.form.get("form_token", "").encode(), session.form_token.encode())
        if not clicked or forged or session.user != token.user or token.callback in ("", "oob") or token.verifier is None:
            return pages.invalid()
        return self._back(token, self._play.yes, self._play.fragment)

    def _cancel(self, token: IssuedRequestToken) -> Response:
        self._state.forget(token.token)
        if token.callback in ("", "oob") or self._play.no is None:
            return pages.cancelled(self._consumer(token))
        return self._back(token, self._play.no)

    def _consumer(self, token: IssuedRequestToken) -> RegisteredApp:
        """Return the token's app, by the name that the authorize URL gives it where the provider has names from there."""
        consumer = self._state.consumer_of(token.app)
        if not self._play.app_name:
            return consumer
        return replace(consumer, name=request.args.get(self._play.app_name, "An unknown application"))

    def _back(self, token: IssuedRequestToken, told: Mapping[str, str], fragment: str = "") -> Response:
        """Send the browser to the app, with what the provider tells it there."""
        callback = token.callback
        if callback == "oob":
            callback = real(request.host_url.rstrip("/"), self._play.name, self._play.oob)
        facts = {"token": token.token, "verifier": token.verifier or ""}
        facts |= user_facts(self._play, token.user) if token.user else {}
        query = filled(told, facts) | {name: token.asked[name] for name in self._play.echoes if name in token.asked}
        location = add_params_to_uri(callback, query.items())  # what the callback URL says itself is kept
        location += f"#{fragment}" if fragment else ""
        return Response("", 302, {"Location": location, "Cache-Control": "no-store"})
