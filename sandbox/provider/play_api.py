"""The addresses of a play: https://HOST/PATH of the provider is served at /NAME/HOST/PATH."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from flask import Response, jsonify, request

from sandbox.provider import pages, plays
from sandbox.provider.consent import Consent
from sandbox.provider.failures import ProviderFailure
from sandbox.provider.play import PAGES, Endpoint, Play, real
from sandbox.provider.play_answer import JWT_LIFETIME, filled, jwt, token_facts
from sandbox.provider.play_demands import lacking, refused
from sandbox.provider.records import IssuedAccessToken
from sandbox.provider.signed_request import FORM, SignedRequest
from sandbox.provider.state import ProviderState
from sandbox.provider.token_server import TokenServer


@dataclass(frozen=True)
class Visit:
    """One request to an endpoint of a play; ``named`` is what the names in its URL stand for."""

    play: Play
    endpoint: Endpoint
    named: Mapping[str, str]

    @classmethod
    def of(cls, play: str, address: str) -> "Visit | None":
        """Return whom the current request visits: at ``address`` (host and path) of the play; None if nobody is there.

        Of two endpoints at one address, it is the one whose method it has, and then whose token.
        """
        played, query = plays.of(play), request.args.to_dict()
        found = [(endpoint, played.at(endpoint, address, query)) for endpoint in played.endpoints]
        there = [cls(played, endpoint, named) for endpoint, named in found if named is not None]
        names_token = "oauth_token" in SignedRequest.of(request).oauth
        there.sort(
            key=lambda visit: (request.method not in visit.endpoint.methods, visit.endpoint.names_token is not names_token)
        )
        return there[0] if there else None


class PlayApi:
    """Answers what comes to the plays."""

    def __init__(self, state: ProviderState) -> None:
        self._state = state

    def answer(self, visit: Visit | None) -> Response:
        """Answer a visit; None is to an address that the provider doesn't have."""
        if visit is None:
            return Response("the provider has nothing at this address", 404, content_type="text/plain")
        if request.method not in visit.endpoint.methods:
            return Response("", 405, {"Allow": ", ".join(visit.endpoint.methods)})
        if visit.endpoint.leg in PAGES:
            return self._page(visit)
        call = SignedRequest.of(request)
        failure = refused(call, visit.play, visit.endpoint, visit.named)
        if failure is not None:
            return failure.response()
        legs: dict[str, Callable[[Visit, SignedRequest], Response]] = {
            "request_token": self._request_token,
            "access_token": self._access_token,
            "invalidate_token": self._invalidate,
        }
        return legs.get(visit.endpoint.leg, self._tell)(visit, call)

    def caller(self, visit: Visit) -> str:
        """Return the app that an unsigned call is of, not verified; empty if it is nobody's."""
        token = self._unsigned(visit, SignedRequest.of(request))
        return token.app if token else ""

    def _request_token(self, visit: Visit, call: SignedRequest) -> Response:
        return _token(visit, TokenServer(self._state, visit.play.behave(visit.endpoint)).request_token(call))

    def _access_token(self, visit: Visit, call: SignedRequest) -> Response:
        return _token(visit, TokenServer(self._state, visit.play.behave(visit.endpoint)).access_token(call))

    def _page(self, visit: Visit) -> Response:
        """Show the sign-in and consent pages, once the authorize URL has what the provider wants there."""
        play, token = visit.play, self._state.request_token(request.args.get("oauth_token", ""))
        if token is not None and self._state.play_of(token.app) is play:
            consumer = self._state.consumer_of(token.app)
            flaw = lacking(request.args, visit.endpoint)
            if flaw:
                return pages.refused(consumer, flaw)
            if play.callback == "authorize":
                token.callback = request.args.get("oauth_callback", "")
            compared = play.compares_late and consumer.callback_urls is not None and token.callback not in ("", "oob")
            if compared and not play.approves(token.callback, consumer.callback_urls or ()):
                return pages.refused(consumer, "Invalid return_url")
            token.asked |= {name: value for name, value in request.args.items() if not name.startswith("oauth_")}
        consent = Consent(self._state, play)
        return consent.authorize() if visit.endpoint.leg == "authorize" else consent.authenticate()

    def _invalidate(self, visit: Visit, call: SignedRequest) -> Response:
        """Revoke the access token that the call is about."""
        token = self._token(visit, call)
        if isinstance(token, ProviderFailure):
            return token.response()
        self._state.revoke(token)
        return _json(visit, filled(visit.endpoint.answer, token_facts(visit.play, token)))

    def _tell(self, visit: Visit, call: SignedRequest) -> Response:
        """Answer a call on a user's behalf: who the user is, or whatever the endpoint tells."""
        token, endpoint = self._token(visit, call), visit.endpoint
        if isinstance(token, ProviderFailure):
            return token.response()
        consumer = self._state.consumer_of(token.app)
        facts = {**visit.named, **token_facts(visit.play, token), "app": consumer.name}
        if endpoint.redirect:
            there = real(request.host_url.rstrip("/"), visit.play.name, endpoint.redirect.format(**facts))
            return Response("", 303, {"Location": there})
        answer = filled(endpoint.answer, facts)
        if endpoint.signed:
            now = int(self._state.clock())
            times = {"aud": consumer.key, "iat": now, "exp": now + JWT_LIFETIME, "nonce": call.oauth.get("oauth_nonce", "")}
            return Response(jwt({**answer, **times}, consumer.secret), content_type="application/json")
        if endpoint.otherwise and not _asks_for_json(endpoint):
            text = endpoint.otherwise.format(**facts)
            return Response(text, content_type="text/html;charset=utf-8" if "<html" in text else "application/xml;charset=utf-8")
        return _json(visit, _chosen(answer, endpoint))

    def _token(self, visit: Visit, call: SignedRequest) -> IssuedAccessToken | ProviderFailure:
        """Return the access token that proves the call; for a URL with another of the same app's, that one."""
        play = visit.play.behave(visit.endpoint)
        if visit.endpoint.proof == "signature" or "oauth_signature" in call.oauth:
            token = TokenServer(self._state, play).signed_by(call)
        else:
            token = self._unsigned(visit, call) or play.refusals.revoked
        if isinstance(token, ProviderFailure) or "token" not in visit.named:
            return token
        meant = self._state.access_token(visit.named["token"])
        return meant if meant and meant.app == token.app else play.refusals.revoked

    def _unsigned(self, visit: Visit, call: SignedRequest) -> IssuedAccessToken | None:
        """Return the access token that an unsigned call shows, None if it shows none that is in force."""
        proof = visit.endpoint.proof
        tokens = {token.token: token for token in self._state.access_tokens(visit.play.name)}
        if proof == "key and token":
            token = tokens.get(call.asked.get("token", ""))
            return token if token and self._state.consumer_of(token.app).key == call.asked.get("key") else None
        if proof == "token in body":
            content = request.get_data(cache=True)
            return next((token for name, token in tokens.items() if name.encode() in content), None)
        secret = {
            "secret in header": request.headers.get(visit.endpoint.header),
            "secret in path": visit.named.get("token_secret"),
        }.get(proof)
        return next((token for token in tokens.values() if token.secret and token.secret == secret), None)


def _token(visit: Visit, answer: str | ProviderFailure) -> Response:
    """Answer a token leg: form-encoded, or as JSON where the call asks for it."""
    if isinstance(answer, ProviderFailure):
        return answer.response()
    form = visit.play.json_if
    if form and request.values.get(form[0]) == form[1]:
        return jsonify(dict(parse_qsl(answer, keep_blank_values=True)))
    return Response(answer, content_type=FORM, headers={"Cache-Control": "no-store"})


def _json(visit: Visit, answer: Any) -> Response:
    """Answer with JSON; an endpoint without a described answer has none."""
    response = Response("") if answer is None else jsonify(answer)
    response.status_code = visit.endpoint.status
    return response


def _asks_for_json(endpoint: Endpoint) -> bool:
    if endpoint.json_if:
        return request.args.get(endpoint.json_if[0]) == endpoint.json_if[1]
    return "application/json" in request.headers.get("Accept", "")


def _chosen(answer: Any, endpoint: Endpoint) -> Any:
    """Return the fields of the answer that the call asks for, all of them if it doesn't say."""
    if not endpoint.fields or endpoint.fields[0] not in request.args:
        return answer
    wanted = request.args[endpoint.fields[0]].split(endpoint.fields[1])
    return {name: value for name, value in answer.items() if name in wanted}
