"""Events that nobody thought of: API Gateway's (payload 2.0), direct invocations, the table's stream, and damaged examples.

What the caller writes is anything. What API Gateway writes itself is right in most events; in the others a field is missing or is of
another type. ``sendable`` tells them apart: only of the former must every answer be an answer.
"""

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Event = Any  # JSON

ROUTES = {
    "start": ("GET /oauth/{provider}/start",),
    "callback": ("GET /oauth/{provider}/callback", "GET /oauth/{provider}/pin", "POST /oauth/{provider}/pin"),
    "revoke": ("POST /oauth/{provider}/users/{user_id}/revoke",),
    "redeem": (),
    "relay": (),
}
FOLDER = Path(__file__).resolve().parents[2] / "events"
EXAMPLES = {
    function: tuple(path.read_bytes() for path in sorted(FOLDER.glob(f"{function}-*.json")) or [FOLDER / f"{function}.json"])
    for function in ROUTES
}
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
TICKET = f"x.TlBjdWR4eTB5VTVUM3RCemhv.{'A' * 43}"
HUGE = 9_000  # characters; API Gateway takes 10,240 bytes of request line and headers

_PLAIN = ("x", "x", "nobody", "a-b", "jo", "true", "false", "authenticate", "write", "1234567", "2244994945", CHALLENGE, TICKET)
_NASTY = (
    "",
    " ",
    "\0",
    "a\r\nset-cookie: a=b",
    "\r\n\r\n<script>",
    '"><script>',
    "é",
    "\u2028",
    "\U0001f600",
    "\u202e",
    "\ud800",
    "%0d%0a",
    "%ff%fe",
    "%",
    "../..",
    "{provider}",
    "{0.__class__}",
    "%s",
    "authorization#x#y",
    "x" * 33,
    "x" * 513,
    "é" * 300,
    "https://app.example/done",
    "http://127.0.0.1:3000/done",
    "http://[",
    "//evil.example",
)

_huge = st.sampled_from(["X", "é"]).map(lambda letter: letter * HUGE)
texts = st.one_of(st.sampled_from(_PLAIN), st.sampled_from(_PLAIN), st.sampled_from(_NASTY), st.text(max_size=20), _huge)
junk: SearchStrategy[Any] = st.one_of(
    st.sampled_from([None, True, False, 0, -1, 2**70, 1.5, [], {}, [[]], [None], {"": None}, ""]),
    st.lists(st.one_of(texts, st.integers(), st.none()), max_size=3),
    st.dictionaries(texts, st.one_of(texts, st.integers(), st.none()), max_size=3),
    texts,
)
_names = st.sampled_from(
    (
        *("oauth_token", "oauth_verifier", "oauth_callback", "oauth_problem", "denied", "request_token", "pin", "return_to"),
        *("challenge", "endpoint", "force_login", "screen_name", "x_auth_access_type", "subject", "provider", "ticket", "secret"),
        "user_id",
    )
)


def _encoded(pairs: list[tuple[str, str]]) -> str:
    return "&".join(f"{name}={quote(value, errors='surrogatepass')}" for name, value in pairs)


_pairs = st.lists(st.tuples(_names, texts), max_size=4)
_START = ("return_to", "challenge", "endpoint", "force_login", "screen_name", "x_auth_access_type", "pin")
_KNOWN = {  # each route's own names, so that queries come through to what is behind
    "start": st.lists(st.tuples(st.sampled_from(_START), texts), max_size=3, unique_by=lambda pair: pair[0]),
    "callback": st.tuples(st.tuples(st.just("oauth_token"), texts), st.tuples(st.just("oauth_verifier"), texts)).map(list),
    "pin": st.tuples(st.tuples(st.just("request_token"), texts), st.tuples(st.just("pin"), texts)).map(list),
    "revoke": st.just([]),
}
_mess = st.one_of(_pairs.map(_encoded), texts, st.integers(90, 120).map(lambda many: "&".join(["a=b"] * many)))
_cookie_lines = st.one_of(
    st.tuples(texts, texts).map("=".join),
    st.tuples(st.sampled_from(["__Host-tripod-0123456789abcdef", "__Host-tripod-"]), texts).map("=".join),
    st.integers(0, 30).map(lambda number: f"__Host-tripod-{number:016x}={number}.junk"),
)
_header_values = {
    "accept": st.one_of(
        st.sampled_from(["text/html", "application/json", "*/*", "text/html;q=0.1, application/json;q=0.", "text/html;q=1.0.0"]),
        texts,
    ),
    "content-type": st.sampled_from(["application/json", "application/x-www-form-urlencoded", "application/json; charset=x", ""]),
    "sec-fetch-site": st.sampled_from(["same-origin", "none", "cross-site", ""]),
    "host": texts,
}
_headers = st.tuples(
    st.fixed_dictionaries({}, optional=_header_values), st.dictionaries(st.text(max_size=8).map(str.lower), texts, max_size=2)
).map(lambda both: {**both[1], **both[0]})


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an event: its type, what it may hold, whether it always comes, and how API Gateway's own words look."""

    kind: type
    values: Any = texts  # a strategy, or the one value
    always: bool = True
    pattern: str = ""  # where the caller has no say
    of: type | None = None  # of a list's or object's values


_CONTEXT = {
    "accountId": Field(str, "123456789012"),
    "apiId": Field(str, "abcde12345"),
    "domainName": Field(
        str, st.sampled_from(["abcde12345.execute-api.eu-west-1.amazonaws.com", "127.0.0.1:8765"]), pattern=r"[a-z0-9.:-]+"
    ),
    "domainPrefix": Field(str, "abcde12345"),
    "requestId": Field(str, st.sampled_from(["Uj1xGhZ5DoEEM9w=", "a"]), pattern=r"[A-Za-z0-9=+/_-]+"),
    "routeKey": Field(str),
    "stage": Field(str, st.sampled_from(["$default", "prod"]), pattern=r"\$default|[A-Za-z0-9_-]+"),
    "time": Field(str, "23/Nov/2026:07:00:00 +0000"),
    "timeEpoch": Field(int, 1795417200000),
    "authorizer": Field(dict, {"iam": {"accountId": "123456789012", "userId": "AIDACKCEVSQ6C2EXAMPLE"}}, always=False),
}
_HTTP = {
    "method": Field(str, pattern="GET|POST"),
    "path": Field(str, "/"),  # nobody reads it, nor the other constants: something else only where it is put out of place
    "protocol": Field(str, "HTTP/1.1"),
    "sourceIp": Field(str, "203.0.113.7"),
    "userAgent": Field(str, "Mozilla/5.0"),
}
_EVENT = {
    "version": Field(str, "2.0", pattern=r"2\.0"),
    "routeKey": Field(str),
    "rawPath": Field(str, "/"),
    "rawQueryString": Field(str),
    "cookies": Field(list, st.lists(_cookie_lines, max_size=9), always=False, of=str),
    "headers": Field(dict, _headers, of=str),
    "queryStringParameters": Field(dict, st.dictionaries(texts, texts, max_size=2), always=False, of=str),
    "pathParameters": Field(dict, of=str),
    "stageVariables": Field(dict, {"a": "b"}, always=False, of=str),
    "body": Field(str, always=False),
    "isBase64Encoded": Field(bool, st.booleans()),
}


def sendable(function: str, event: Event) -> bool:
    """Tell whether AWS can bring this event: API Gateway's own fields are right, a stream's record has its key, a call is an object."""
    if not isinstance(event, dict):
        return False  # whoever invokes directly names what is wanted in an object
    if function == "relay":
        return "Records" not in event or _is_stream(event["Records"])
    if "requestContext" not in event or not ROUTES[function]:
        return True
    context = event["requestContext"]
    if not isinstance(context, dict) or not isinstance(context.get("http"), dict):
        return False
    if not _is_unicode(json.dumps(event, ensure_ascii=False)):
        return False  # API Gateway decodes what it is sent; a Lambda's JSON may well escape half a character
    whole = _fits(event, _EVENT) and _fits(context, _CONTEXT) and _fits(context["http"], _HTTP)
    return whole and event["routeKey"] in ROUTES[function] and _is_route(event)


def _is_route(event: Mapping[str, Any]) -> bool:
    method, _, path = event["routeKey"].partition(" ")
    return event["requestContext"]["http"]["method"] == method and all(
        event["pathParameters"].get(name) for name in re.findall(r"\{(\w+)\}", path)
    )


def _fits(given: Mapping[str, Any], fields: Mapping[str, Field]) -> bool:
    for name, field in fields.items():
        if name not in given:
            if field.always:
                return False
            continue
        if type(given[name]) is not field.kind:
            return False
        value: Any = given[name]
        if field.pattern and not re.fullmatch(field.pattern, value):
            return False
        parts = value.values() if isinstance(value, dict) else value
        if field.of is not None and not all(isinstance(part, field.of) for part in parts):
            return False
    return True


def _is_stream(records: Any) -> bool:
    try:
        keys = [record["dynamodb"]["Keys"]["pk"]["S"] for record in records]
    except (TypeError, KeyError):
        return False
    return all(isinstance(key, str) and _is_unicode(key) for key in keys)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _filled(draw: st.DrawFn, fields: Mapping[str, Field], fixed: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: fixed[name] if name in fixed else draw(field.values) if isinstance(field.values, SearchStrategy) else field.values
        for name, field in fields.items()
        if field.always or name in fixed or draw(st.booleans())
    }


@st.composite
def http_events(draw: st.DrawFn, function: str) -> Event:
    """Draw an event of one of the function's routes; in one of four something is out of place."""
    route = draw(st.sampled_from(ROUTES[function]))
    method, _, path = route.partition(" ")
    page = path.rpartition("/")[2]
    given = draw(st.one_of(_KNOWN[page].map(_encoded), _KNOWN[page].map(_encoded), _mess))
    parameters = {name: draw(texts.filter(bool)) for name in re.findall(r"\{(\w+)\}", path)}
    fixed: dict[str, Any] = {"routeKey": route, "pathParameters": parameters, "rawQueryString": given}
    if method == "POST":
        as_json = st.builds(json.dumps, st.one_of(_KNOWN[page].map(dict), junk))
        fixed["body"] = draw(st.one_of(st.just(given), as_json, texts))
        fixed["isBase64Encoded"] = draw(st.sampled_from([False, False, True]))
    http = _filled(draw, _HTTP, {"method": method})
    context = {**_filled(draw, _CONTEXT, {"routeKey": route}), "http": http}
    event = json.loads(json.dumps({**_filled(draw, _EVENT, fixed), "requestContext": context}))  # nothing in it is shared
    if draw(st.integers(0, 3)) == 0:
        for _ in range(draw(st.integers(1, 3))):
            _put_out_of_place(draw, event)
        event["routeKey"] = route
    return event


def _put_out_of_place(draw: st.DrawFn, event: dict[str, Any]) -> None:
    """Leave a field out, or put something else, or the same twice, in its place."""
    places = [event]
    places += [part for part in event.values() if isinstance(part, dict)]
    places += [part for place in places[1:] for part in place.values() if isinstance(part, dict)]
    place = [one for one in places if one][draw(st.integers(0, sum(map(bool, places)) - 1))]
    name = draw(st.sampled_from(sorted(place)))
    act = draw(st.sampled_from(["leave out", "replace", "twice"]))
    if act == "leave out":
        del place[name]
    elif act == "replace":
        place[name] = copy.deepcopy(draw(junk))  # what is drawn is shared, and the next act may change it
    else:
        value = place[name]
        place[name] = value * 2 if isinstance(value, str | list) else [value, value]
        place[name.upper()] = value


_DIRECT = {
    "start": (*_START, "provider", "subject"),
    "callback": ("provider", "request_token", "pin", "subject"),
    "revoke": ("provider", "user_id"),
    "redeem": ("ticket", "secret"),
}


def direct_events(function: str) -> SearchStrategy[Event]:
    """Return what another Lambda may send: the function's own names, others, and any JSON."""
    names = _DIRECT[function]
    values = st.one_of(texts, texts, texts, junk)
    return st.one_of(
        st.fixed_dictionaries(dict.fromkeys(names[-4:], texts)),
        st.fixed_dictionaries({}, optional=dict.fromkeys(names, values)),
        st.dictionaries(st.one_of(_names, texts), values, max_size=6),
        junk,
    )


_keys = st.one_of(
    st.tuples(st.sampled_from(["authorization#x#", "connection#x#", "connection#", "#", ""]), texts).map("".join), junk
)
_records = st.one_of(
    _keys.map(lambda key: {"eventName": "MODIFY", "dynamodb": {"Keys": {"pk": {"S": key}}}}),
    _keys.map(lambda key: {"dynamodb": {"Keys": {"pk": {"N": key}}}}),
    junk,
)


def relay_events() -> SearchStrategy[Event]:
    """Return batches of the table's stream, and the schedule's event."""
    whole = texts.map(lambda key: {"dynamodb": {"Keys": {"pk": {"S": f"authorization#x#{key}"}}}})
    batches = st.one_of(st.lists(whole, max_size=4), st.lists(whole, max_size=4), st.lists(_records, max_size=4), junk)
    streams = batches.map(lambda records: {"Records": records})
    return st.one_of(streams, streams, streams, streams, streams, junk)


@st.composite
def damaged(draw: st.DrawFn, function: str) -> Event:
    """Draw an example of events/ whose bytes were flipped, deleted, repeated or moved, and are still JSON."""
    example = draw(st.sampled_from(EXAMPLES[function]))
    content = bytearray(example)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(content) - 1))
        length = draw(st.integers(1, 24))
        act = draw(st.sampled_from(["flip", "flip", "delete", "repeat", "splice"]))
        before = bytes(content)
        if act == "flip":
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif act == "delete":
            del content[at : at + length]
        elif act == "repeat":
            content[at:at] = content[at : at + length]
        else:
            other = draw(st.sampled_from(EXAMPLES[function]))
            start = draw(st.integers(0, len(other) - 1))
            content[at : at + length] = other[start : start + length]
        if not content or not _is_json(bytes(content)):
            content = bytearray(before)  # this one goes too far; those before it stay
    event, whole = json.loads(bytes(content)), json.loads(example)
    if isinstance(event, dict) and "routeKey" in whole and event.get("routeKey") not in ROUTES[function]:
        event["routeKey"] = whole["routeKey"]
    return event


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except ValueError:
        return False
    return True


@st.composite
def events(draw: st.DrawFn, function: str) -> Event:
    """Draw any kind of event for one function."""
    kind = draw(st.integers(0, 4))
    if kind == 0:
        return draw(damaged(function))
    if function == "relay":
        return draw(relay_events())
    return draw(http_events(function) if kind > 1 and ROUTES[function] else direct_events(function))
