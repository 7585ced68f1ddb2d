"""The provider's routes; each call gets the fault that a test has armed for it, and is recorded."""

from flask import Flask, Response, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from sandbox.provider import failures, faults, pages, plays
from sandbox.provider.api import Api
from sandbox.provider.consent import Consent
from sandbox.provider.play_api import PlayApi, Visit
from sandbox.provider.raw_connection import RawConnection
from sandbox.provider.records import ProviderCall
from sandbox.provider.signed_request import SignedRequest, basic, bearer
from sandbox.provider.state import ProviderState

PLAYS = "plays"


def make_app(state: ProviderState) -> Flask:
    """Return the WSGI app; the name of each route is the leg's, but for the plays' one route, which has all of theirs."""
    app = Flask(__name__, static_folder=None)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=0, x_proto=1)  # type: ignore[method-assign]  # behind TLS, signatures are over https
    app.config["PROPAGATE_EXCEPTIONS"] = True  # a connection that was hung up must reach the server, not become a 500
    api, consent = Api(state), Consent(state)
    post, get, page = ["POST"], ["GET"], ["GET", "POST"]
    for path, leg, view, methods in (
        ("/oauth/request_token", "request_token", api.request_token, post),
        ("/oauth/authorize", "authorize", consent.authorize, page),
        ("/oauth/authenticate", "authenticate", consent.authenticate, page),
        ("/oauth/access_token", "access_token", api.access_token, post),
        ("/1.1/account/verify_credentials.json", "verify_credentials", api.verify_credentials, get),
        ("/2/users/me", "users_me", api.users_me, get),
        ("/identity", "identity", api.identity, get),
        ("/1.1/oauth/invalidate_token", "invalidate_token", api.invalidate_token, post),
        ("/1.1/oauth/invalidate_token.json", "invalidate_token", api.invalidate_token, post),
        ("/1.1/statuses/update.json", "update_status", api.update_status, post),
        ("/2/tweets", "create_post", api.create_post, post),
        ("/oauth2/token", "bearer_token", api.bearer_token, post),
        ("/oauth2/invalidate_token", "invalidate_bearer_token", api.invalidate_bearer_token, post),
        ("/1.1/application/rate_limit_status.json", "rate_limit_status", api.rate_limit_status, get),
    ):
        app.add_url_rule(path, leg, view, methods=methods)
    play_api = PlayApi(state)
    app.add_url_rule(
        f"/<any({', '.join(plays.names())}):play>/<path:address>",
        view_func=lambda play, address: play_api.answer(g.visit),  # noqa: ARG005 found before the fault is taken
        endpoint=PLAYS,
        methods=[*page, "PUT", "PATCH", "DELETE"],
    )
    app.register_error_handler(404, lambda _: failures.NOT_FOUND.response())

    @app.before_request
    def apply_fault() -> Response | None:
        g.visit = Visit.of(**request.view_args) if request.endpoint == PLAYS and request.view_args else None
        g.leg = (g.visit and g.visit.endpoint.leg) if request.endpoint == PLAYS else request.endpoint
        g.app, g.method = _caller(state)
        if not g.app and g.visit:
            g.app = play_api.caller(g.visit)
        g.armed = None
        if state.down:
            return pages.down() if g.leg in {"authorize", "authenticate"} else failures.OVER_CAPACITY.response()
        g.armed = state.journal.take_fault(g.app, g.leg) if g.leg else None
        if g.armed is None or g.armed.fault.work_done:
            return None
        elsewhere = f"http://127.0.0.1:{request.host.rpartition(':')[2]}{request.path}"
        if g.armed.fault.hangs_up:  # recorded first: a client that sees the connection end may count calls at once
            _record(state, None)
        return faults.replaced_response(g.armed.fault, _raw_connection(), g.armed.seconds, state.clock(), elsewhere)

    @app.after_request
    def spoil_and_record(response: Response) -> Response:
        if g.armed is not None and g.armed.fault.work_done:
            if g.armed.fault.hangs_up:
                _record(state, None)
            response = faults.spoiled_response(g.armed.fault, _raw_connection(), g.armed.seconds, response)
        _record(state, response.status_code)
        return response

    return app


def _caller(state: ProviderState) -> tuple[str, str]:
    """Return the app that a call names (not verified) and the signature method; each is empty if absent."""
    oauth = SignedRequest.of(request).oauth
    if "oauth_consumer_key" in oauth:
        return state.app(oauth["oauth_consumer_key"]), oauth.get("oauth_signature_method", "")
    token = state.request_token(request.values.get("oauth_token", ""))  # a browser at leg 2
    if token is not None:
        return token.app, ""
    return state.app(basic(request)[0]) or state.app_of_bearer(bearer(request)) or "", ""


def _raw_connection() -> RawConnection:
    return RawConnection(request.environ["werkzeug.socket"])


def _record(state: ProviderState, status: int | None) -> None:
    if g.leg is None:
        return
    fault = g.armed.fault if g.armed else None
    agent = request.headers.get("User-Agent", "")
    state.journal.add_call(g.app, ProviderCall(g.leg, status, state.clock(), fault, agent, g.method))
