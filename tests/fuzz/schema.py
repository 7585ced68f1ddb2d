"""The form of an event of API Gateway's (payload 2.0): which fields there are, of which type, and which of them a caller has a say in."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz.values import cookie_lines, headers, texts

Event = Any  # JSON

ROUTES = {
    "start": ("GET /oauth/{provider}/start",),
    "callback": ("GET /oauth/{provider}/callback", "GET /oauth/{provider}/pin", "POST /oauth/{provider}/pin"),
    "revoke": ("POST /oauth/{provider}/users/{user_id}/revoke",),
    "redeem": (),
    "sign": (),
    "check": (),
    "relay": (),
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an event: its type, what it may hold, whether it always comes, and how API Gateway's own words look."""

    kind: type
    values: Any = texts  # a strategy, or the one value
    always: bool = True
    pattern: str = ""  # where the caller has no say
    of: type | None = None  # of a list's or object's values


CONTEXT = {
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
HTTP = {
    "method": Field(str, pattern="GET|POST"),
    "path": Field(str, "/"),  # nobody reads it, nor the other constants: something else only where it is put out of place
    "protocol": Field(str, "HTTP/1.1"),
    "sourceIp": Field(str, "203.0.113.7"),
    "userAgent": Field(str, "Mozilla/5.0"),
}
EVENT = {
    "version": Field(str, "2.0", pattern=r"2\.0"),
    "routeKey": Field(str),
    "rawPath": Field(str, "/"),
    "rawQueryString": Field(str),
    "cookies": Field(list, st.lists(cookie_lines, max_size=9), always=False, of=str),
    "headers": Field(dict, headers, of=str),
    "queryStringParameters": Field(dict, st.dictionaries(texts, texts, max_size=2), always=False, of=str),
    "pathParameters": Field(dict, of=str),
    "stageVariables": Field(dict, {"a": "b"}, always=False, of=str),
    "body": Field(str, always=False),
    "isBase64Encoded": Field(bool, st.booleans()),
}


def sendable(function: str, event: Event) -> bool:
    """Tell whether AWS can bring this event: API Gateway's own fields are right, a stream's record has its key."""
    if not isinstance(event, dict):
        return function != "relay"  # whoever invokes directly may send anything; only AWS invokes the relay
    if function == "relay":
        return "Records" not in event or _is_stream(event["Records"])
    if "requestContext" not in event or not ROUTES[function]:
        return True
    context = event["requestContext"]
    if not isinstance(context, dict) or not isinstance(context.get("http"), dict):
        return False
    if not _is_unicode(json.dumps(event, ensure_ascii=False)):
        return False  # API Gateway decodes what it is sent; a Lambda's JSON may well escape half a character
    whole = _fits(event, EVENT) and _fits(context, CONTEXT) and _fits(context["http"], HTTP)
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


@st.composite
def framed(draw: st.DrawFn, route: str, fixed: Mapping[str, Any]) -> Event:
    """Draw an event of ``route`` with the ``fixed`` fields; what is not fixed is as API Gateway, or anybody, may have it."""
    method = route.partition(" ")[0]
    http = _filled(draw, HTTP, {"method": method})
    context = {**_filled(draw, CONTEXT, {"routeKey": route}), "http": http}
    event = {**_filled(draw, EVENT, {"routeKey": route, **fixed}), "requestContext": context}
    return json.loads(json.dumps(event))  # nothing in it is shared


def _filled(draw: st.DrawFn, fields: Mapping[str, Field], fixed: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: fixed[name] if name in fixed else draw(field.values) if isinstance(field.values, SearchStrategy) else field.values
        for name, field in fields.items()
        if field.always or name in fixed or draw(st.booleans())
    }
