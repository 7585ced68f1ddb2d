"""Direct invocations in: another Lambda's plain JSON object is read here. (IAM decides who may invoke.)"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tripod_flow.api import parameters
from tripod_flow.flows.start import StartRequest
from tripod_flow.rules.authorization import MAX_LABEL, MAX_SUBJECT, MOST_LABELS
from tripod_flow.rules.errors import BadRequest

if TYPE_CHECKING:
    from tripod_flow.flows.sign import SignRequest

API_ALIAS = "live"  # template.yaml's AutoPublishAlias

_STRINGS = ("provider", "return_to", "challenge", "endpoint", "screen_name", "x_auth_access_type", "subject")
_FLAGS = ("force_login", "pin")


def is_direct(event: Mapping[str, Any]) -> bool:
    """Return True for a direct invocation, False for API Gateway's event; another Lambda may send JSON that is no object."""
    return not isinstance(event, Mapping) or "requestContext" not in event


def is_from_api(context: Any) -> bool:
    """Return True if API Gateway invoked the function: it alone may do so under the alias ``API_ALIAS``.

    A caller who may invoke the function itself can send any ``requestContext``; its domain name would become the callback URL's.
    SAM's local commands know no aliases, and say that they are local.
    """
    return str(context.invoked_function_arn).endswith(f":{API_ALIAS}") or os.environ.get("AWS_SAM_LOCAL") == "true"


def start_request(event: Mapping[str, Any]) -> StartRequest:
    """Read the parameters of start: its names, with ``provider``, and the app's own ``subject`` and ``labels``."""
    asked = _strings(event, _STRINGS, (*_FLAGS, "labels"))
    flags = {name: _flag(event, name) for name in _FLAGS}
    return StartRequest(
        provider=_required(asked, "provider"),
        return_to=asked.get("return_to"),
        challenge=parameters.challenge(asked.get("challenge")),
        endpoint=parameters.one_of(asked, "endpoint", ("authorize", "authenticate")) or "authorize",
        force_login=flags["force_login"],
        screen_name=asked.get("screen_name"),
        x_auth_access_type=parameters.one_of(asked, "x_auth_access_type", ("read", "write")),
        pin=flags["pin"],
        subject=asked.get("subject"),
        labels=_labels(event.get("labels")),
    )


def is_schedule(event: Mapping[str, Any]) -> bool:
    """Return True for the event of an EventBridge schedule."""
    return isinstance(event, Mapping) and event.get("source") == "aws.events"


def is_report(event: Mapping[str, Any]) -> bool:
    """Return True for another Lambda's report that a provider has refused a user's tokens."""
    return isinstance(event, Mapping) and event.get("reported") is True


def check_request(event: Mapping[str, Any]) -> tuple[str, str, bool]:
    """Read the parameters of a check: provider, user id, and whether it is a report."""
    given = _strings(event, ("provider", "user_id"), ("reported",))
    return _required(given, "provider"), _required(given, "user_id"), _flag(event, "reported")


def sign_request(event: Mapping[str, Any]) -> "SignRequest":
    """Read the request that is to be signed; raises ``BadRequest`` for one that clients would not send as it is written."""
    from tripod_flow.flows.sign import SignRequest  # noqa: PLC0415  # of one function alone: the others start without it
    from tripod_flow.rules import signable  # noqa: PLC0415  # likewise

    names = ("provider", "user_id", "method", "url")
    asked = _strings(event, names, ("form",))
    provider, user_id, method, url = (_required(asked, name) for name in names)
    try:
        signable.check_method(method)
        signable.check_url(url)
        form = signable.form_pairs(event.get("form"), method)
    except ValueError as error:
        raise BadRequest(detail=f"The parameter {error}.") from None
    return SignRequest(provider, user_id, method, url, form)


def read(event: Mapping[str, Any], *names: str) -> list[str]:
    """Return the values of ``names``; each is required, and no other is allowed."""
    given = _strings(event, names, ())
    return [_required(given, name) for name in names]


def _strings(event: Mapping[str, Any], names: tuple[str, ...], flags: tuple[str, ...]) -> dict[str, str]:
    if not isinstance(event, Mapping):
        raise BadRequest(detail=f"The event must be a JSON object. Known names are: {', '.join((*names, *flags))}.")
    if others := [name for name in event if name not in (*names, *flags)]:
        raise parameters.unknown(others, (*names, *flags))
    found = {}
    for name in names:
        value = event.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise BadRequest(detail=f"The parameter {name} must be a string.")
        found[name] = parameters.checked(name, value)
    if len(found.get("subject", "")) > MAX_SUBJECT:
        raise BadRequest(detail="The parameter subject is too long.")
    return found


def _flag(event: Mapping[str, Any], name: str) -> bool:
    value = event.get(name, False)
    if value not in (True, False, "true", "false") or isinstance(value, int) is not isinstance(value, bool):
        raise BadRequest(detail=f"The parameter {name} must be true or false.")
    return value in (True, "true")


def _labels(given: object) -> tuple[str, ...] | None:
    if given is None:
        return None
    if not isinstance(given, list) or len(given) > MOST_LABELS or not all(isinstance(one, str) for one in given):
        raise BadRequest(detail=f"The parameter labels must be a list of {MOST_LABELS} strings at most.")
    if any(len(one) > MAX_LABEL for one in given) or len(set(given)) != len(given):
        raise BadRequest(detail=f"The parameter labels must have {MAX_LABEL} characters at most each, and none twice.")
    return tuple(parameters.checked("labels", one) for one in given)


def _required(given: Mapping[str, str], name: str) -> str:
    if name not in given:
        raise BadRequest(detail=f"The parameter {name} is missing.")
    return given[name]
