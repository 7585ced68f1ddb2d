"""Events that nobody thought of: API Gateway's (payload 2.0), direct invocations, the table's stream, and damaged examples.

What the caller writes is anything. What API Gateway writes itself is right in most events; in the others a field is missing or is of
another type. ``schema.sendable`` tells them apart: only of the former must every answer be an answer.
"""

import copy
import json
import re
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz.schema import ROUTES, Event, framed
from tests.fuzz.values import encoded, junk, pairs, parameters, texts
from tests.fuzz.visits import visits

FOLDER = Path(__file__).resolve().parents[2] / "events"
EXAMPLES = {
    function: tuple(path.read_bytes() for path in sorted(FOLDER.glob(f"{function}-*.json")) or [FOLDER / f"{function}.json"])
    for function in ROUTES
}
_START = ("return_to", "challenge", "endpoint", "force_login", "screen_name", "x_auth_access_type", "pin")
_KNOWN = {  # each route's own names, so that queries come through to what is behind
    "start": st.lists(st.tuples(st.sampled_from(_START), texts), max_size=3, unique_by=lambda pair: pair[0]),
    "callback": st.tuples(st.tuples(st.just("oauth_token"), texts), st.tuples(st.just("oauth_verifier"), texts)).map(list),
    "pin": st.tuples(st.tuples(st.just("request_token"), texts), st.tuples(st.just("pin"), texts)).map(list),
    "revoke": st.just([]),
}
_mess = st.one_of(pairs.map(encoded), texts, st.integers(90, 120).map(lambda many: "&".join(["a=b"] * many)))


@st.composite
def http_events(draw: st.DrawFn, function: str) -> Event:
    """Draw an event of one of the function's routes; in one of four something is out of place."""
    route = draw(st.sampled_from(ROUTES[function]))
    method, _, path = route.partition(" ")
    page = path.rpartition("/")[2]
    given = draw(st.one_of(_KNOWN[page].map(encoded), _KNOWN[page].map(encoded), _mess))
    named = {name: draw(texts.filter(bool)) for name in re.findall(r"\{(\w+)\}", path)}
    fixed: dict[str, Any] = {"pathParameters": named, "rawQueryString": given}
    if method == "POST":
        as_json = st.builds(json.dumps, st.one_of(_KNOWN[page].map(dict), junk))
        fixed["body"] = draw(st.one_of(st.just(given), as_json, texts))
        fixed["isBase64Encoded"] = draw(st.sampled_from([False, False, True]))
    event = draw(framed(route, fixed))
    if draw(st.integers(0, 3)) == 0:
        put_out_of_place(draw, event)
    return event


def put_out_of_place(draw: st.DrawFn, event: dict[str, Any]) -> None:
    """Leave some fields out, or put something else, or the same twice, in their places."""
    route = event["routeKey"]
    for _ in range(draw(st.integers(1, 3))):
        _put_one_out_of_place(draw, event)
    event["routeKey"] = route


def _put_one_out_of_place(draw: st.DrawFn, event: dict[str, Any]) -> None:
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
    "sign": ("form", "provider", "user_id", "method", "url"),
    "check": ("reported", "provider", "user_id"),
}


def direct_events(function: str) -> SearchStrategy[Event]:
    """Return what another Lambda may send: the function's own names, others, and any JSON."""
    names = _DIRECT[function]
    values = st.one_of(texts, texts, texts, junk)
    return st.one_of(
        st.fixed_dictionaries(dict.fromkeys(names[-4:], texts)),
        st.fixed_dictionaries({}, optional=dict.fromkeys(names, values)),
        st.dictionaries(st.one_of(parameters, texts), values, max_size=6),
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
    kind = draw(st.integers(0, 7))
    if kind == 0:
        return draw(damaged(function))
    if kind > 4:
        return draw(visits(function))
    if function == "relay":
        return draw(relay_events())
    return draw(http_events(function) if kind > 1 and ROUTES[function] else direct_events(function))
