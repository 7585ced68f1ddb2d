"""What those do who have begun something: right in most parts, so that it comes through to where tokens are exchanged and revoked.

A value between ``~~`` is a part of an authorization that lives in the table (or of a connected user) by the time that the handler sees
the event: ``~~kind.number.part~~``. The cast puts it in.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz.schema import Event, framed
from tests.fuzz.values import PROVIDER, SEALING, cookie_lines, encoded, headers, texts
from tests.support.sandbox_app import RETURN_TO

NUMBERS = 4  # authorizations of each kind that live at once: half of them of each provider
BY_CALLBACK = (
    "callback",
    "returning",
    "returning",
    "callback",
    "returning",
    "returning",
    "direct",
    "denied",
    "pending",
    "ticket",
    "pin",
)
BY_PIN = ("pin", "pin", "pin", "callback", "pending")
KINDS = (*BY_CALLBACK, "direct-pin", "user")

Part = Callable[[str], str]


@st.composite
def visits(draw: st.DrawFn, function: str) -> Event:
    """Draw an event of ``function`` about one that lives; in one of three some part is another's, or anything."""
    is_right = draw(st.integers(0, 2)) > 0

    def one(kind: str) -> Part:
        number = draw(st.integers(0, NUMBERS - 1))

        def part(name: str) -> str:
            if is_right or draw(st.booleans()):
                return f"~~{kind}.{number}.{name}~~"
            other = st.tuples(st.sampled_from(KINDS), st.integers(0, NUMBERS - 1))
            return draw(st.one_of(other.map(lambda which: f"~~{which[0]}.{which[1]}.{name}~~"), texts))

        return part

    return draw(_VISITS[function](one, draw))


def _start(_: Callable[[str], Part], draw: st.DrawFn) -> SearchStrategy[Event]:
    asked = {"return_to": st.just(RETURN_TO), "pin": st.just("true"), "force_login": st.just("true")}
    asked |= {"endpoint": st.sampled_from(["authorize", "authenticate"]), "screen_name": texts}
    query = draw(st.fixed_dictionaries({}, optional=asked))
    provider = draw(st.sampled_from([PROVIDER, SEALING]))
    if draw(st.booleans()):
        direct = {"subject": "42", "challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}
        return st.just({"provider": provider, **direct, **({"pin": True} if "pin" in query else {})})
    return _http("GET /oauth/{provider}/start", provider, {"rawQueryString": encoded(list(query.items()))})


def _callback(one: Callable[[str], Part], draw: st.DrawFn) -> SearchStrategy[Event]:
    route = draw(st.sampled_from(["callback", "callback", "callback", "pin page", "pin", "pin", "direct"]))
    if route == "direct":
        part = one(draw(st.sampled_from(["direct-pin", "direct-pin", "pin"])))
        return st.just(
            {
                "provider": part("provider"),
                "request_token": part("token"),
                "pin": part("verifier"),
                "subject": part("subject"),
            }
        )
    part = one(draw(st.sampled_from(BY_CALLBACK if route == "callback" else BY_PIN)))
    cookies = [part("cookie"), *draw(st.lists(cookie_lines, max_size=2))]
    if route == "pin page":
        query = encoded([("request_token", part("token"))])
        return _http("GET /oauth/{provider}/pin", part("provider"), {"rawQueryString": query, "cookies": cookies})
    if route == "pin":
        content = {"request_token": part("token"), "pin": part("verifier")}
        as_json = draw(st.booleans())
        body = json.dumps(content) if as_json else encoded(list(content.items()))
        kind = "application/json" if as_json else "application/x-www-form-urlencoded"
        own = {"content-type": kind, "accept": draw(st.sampled_from(["text/html", "application/json"]))}
        form = {"body": body, "isBase64Encoded": False, "cookies": cookies, "headers": own}
        return _http("POST /oauth/{provider}/pin", part("provider"), form)
    token = part("token")
    pairs = [("denied", token)] if "denied" in token else [("oauth_token", token), ("oauth_verifier", part("verifier"))]
    return _http("GET /oauth/{provider}/callback", part("provider"), {"rawQueryString": encoded(pairs), "cookies": cookies})


def _redeem(one: Callable[[str], Part], draw: st.DrawFn) -> SearchStrategy[Event]:
    part = one(draw(st.sampled_from(["ticket", "ticket", "ticket", "direct"])))
    return st.just({"ticket": part("ticket"), "secret": part("secret")})


def _sign(one: Callable[[str], Part], draw: st.DrawFn) -> SearchStrategy[Event]:
    part = one("user")
    asked = {"provider": part("provider"), "user_id": part("user_id"), "method": draw(st.sampled_from(["GET", "POST", "PUT"]))}
    asked["url"] = "http://localhost" + draw(st.one_of(st.just("/1.1/me?a=b"), st.just("/"), texts))
    values = st.one_of(texts, st.lists(texts, max_size=3))
    return st.fixed_dictionaries(
        {name: st.just(value) for name, value in asked.items()}, optional={"form": st.dictionaries(texts, values, max_size=3)}
    )


def _check(one: Callable[[str], Part], _draw: st.DrawFn) -> SearchStrategy[Event]:
    part = one("user")
    asked = {"provider": part("provider"), "user_id": part("user_id")}
    return st.fixed_dictionaries({name: st.just(value) for name, value in asked.items()}, optional={"reported": st.booleans()})


def _revoke(one: Callable[[str], Part], draw: st.DrawFn) -> SearchStrategy[Event]:
    part = one("user")
    provider, user_id = part("provider"), part("user_id")
    if draw(st.booleans()):
        return st.just({"provider": provider, "user_id": user_id})
    route = "POST /oauth/{provider}/users/{user_id}/revoke"
    return _http(route, provider, {"pathParameters": {"provider": provider or "-", "user_id": user_id or "-"}})


def _relay(one: Callable[[str], Part], draw: st.DrawFn) -> SearchStrategy[Event]:
    def key() -> str:
        kind = draw(st.sampled_from([*KINDS, "user", "user"]))  # users: their grants owe an event
        part = one(kind)
        if kind == "user" and draw(st.booleans()):
            return f"connection#{part('provider')}#{part('user_id')}"
        return f"authorization#{part('provider')}#{part('token')}"

    keys = [key() for _ in range(draw(st.integers(1, 4)))]
    return st.just({"Records": [{"eventName": "MODIFY", "dynamodb": {"Keys": {"pk": {"S": each}}}} for each in keys]})


def _http(route: str, provider: str, fixed: Mapping[str, Any]) -> SearchStrategy[Event]:
    return st.one_of(headers, st.just({"accept": "text/html"})).flatmap(
        lambda drawn: framed(
            route,
            {"pathParameters": {"provider": provider or "-"}, "rawQueryString": "", "headers": drawn, "cookies": [], **fixed},
        )
    )


_VISITS: dict[str, Callable[[Callable[[str], Part], st.DrawFn], SearchStrategy[Event]]] = {
    "start": _start,
    "callback": _callback,
    "redeem": _redeem,
    "sign": _sign,
    "check": _check,
    "revoke": _revoke,
    "relay": _relay,
}
