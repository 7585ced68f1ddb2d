"""Tripod's functions: whether each is there, works, and was deployed with the same settings and layers as the others."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tripod_cli.doctor.finding import Finding, warning, wrong
from tripod_cli.stack import Stack
from tripod_flow.api.invocation import API_ALIAS
from tripod_flow.rules.errors import NotConfigured
from tripod_flow.settings import Settings

NAMES = ("start", "callback", "redeem", "revoke", "relay", "check", "sign")
PUBLISHED = ("start", "callback")  # the API calls a published version of these, by an alias
AGAIN = "Deploy again (make deploy)"
BY_HAND = f"It was changed by hand, or a deployment was broken off. {AGAIN}"

_SHARED = (  # variables that the template gives to all of them
    "TRIPOD_PREFIX",
    "TRIPOD_TABLE",
    "TRIPOD_TOKEN_KEY",
    "TRIPOD_APP_NAME",
    "TRIPOD_COLOUR",
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_LOG_LEVEL",
)


def read(stack: Stack) -> dict[str, dict[str, Any] | None]:
    """Return the configuration of each function by its name; None: there is no such function."""
    return {name: stack.find_function(name) for name in NAMES}


def look(stack: Stack, found: Mapping[str, Mapping[str, Any] | None]) -> Iterator[Finding]:
    """Yield what ``read`` has found, function by function, and then how they agree."""
    there = {name: one for name, one in found.items() if one is not None}
    for name in found.keys() - there.keys():
        yield wrong(
            _named(stack, name), "there is no such function", f"It was deleted, or the stack is older than this command. {AGAIN}"
        )
    for name, one in there.items():
        yield from _look_at(_named(stack, name), one)
    yield from _agreement(there)
    for name in PUBLISHED:
        if name in there:
            yield from _published(stack, name, there[name])
    if "start" in there:
        allowed = variables(there["start"]).get("TRIPOD_RETURN_URLS", "")
        yield Finding("where users may be sent back", allowed or "nowhere: the parameter AllowedReturnUrls is empty")


def _look_at(at: str, one: Mapping[str, Any]) -> Iterator[Finding]:
    state, update = one.get("State", "Active"), one.get("LastUpdateStatus", "Successful")
    if state == "Failed":  # Inactive is idle: the next request wakes it
        yield wrong(at, f"its state is {state}: {one.get('StateReason') or 'AWS gives no reason'}", AGAIN)
    elif state == "Pending" or update == "InProgress":
        yield warning(at, "it is being updated", "Look again in a minute")
    elif update == "Failed":
        yield wrong(at, f"its last update has failed: {one.get('LastUpdateStatusReason') or 'AWS gives no reason'}", AGAIN)
    try:
        Settings.from_env(variables(one))
    except NotConfigured as error:
        yield wrong(at, str(error), "Mend the stack's parameter, and deploy: docs/parameters.md")


def _agreement(there: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """Yield whether the functions have the same runtime, variables and layers: a half deployment, or a change by hand, shows here."""
    differing = [name for name in _SHARED if len({variables(one).get(name) for one in there.values()}) > 1]
    runtimes, layers = {one.get("Runtime") for one in there.values()}, {layers_of(one) for one in there.values()}
    at = "functions"
    if differing:
        yield wrong(at, f"they differ in {', '.join(differing)}", BY_HAND)
    if len(runtimes) > 1 or len(layers) > 1:
        which = " and ".join(what for what, values in (("runtime", runtimes), ("layers", layers)) if len(values) > 1)
        yield wrong(at, f"they differ in their {which}", BY_HAND)
    if there and not differing and len(runtimes) == len(layers) == 1:
        (runtime,), (arns,) = runtimes, layers
        yield Finding(at, f"{len(there)} of {len(NAMES)} there, {runtime}, with the layers {', '.join(map(short, arns))}")


def _published(stack: Stack, name: str, newest: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield whether the version that the API calls has the settings of the function: its description says their number."""
    at = f"{_named(stack, name)}:{API_ALIAS}"
    live = stack.find_function(name, API_ALIAS)
    if live is None:
        yield wrong(at, f"there is no alias {API_ALIAS}, by which the API calls it", AGAIN)
        return
    if live.get("State", "Active") == "Failed":
        yield wrong(at, f"its state is Failed: {live.get('StateReason') or 'AWS gives no reason'}", AGAIN)
        return
    same = _settings(live) == _settings(newest) and layers_of(live) == layers_of(newest)
    if not same or variables(live) != variables(newest):
        found = f"the API calls version {live.get('Version')}, which has other settings than the function"
        yield wrong(at, found, f"A change by hand reaches no published version. {AGAIN}")
    else:
        yield Finding(at, f"version {live.get('Version')}, with the function's settings")


def layers_of(one: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ARNs of a function's layers."""
    return tuple(each["Arn"] for each in one.get("Layers", []))


def short(layer_arn: str) -> str:
    """Return a layer's name and version, such as ``tripod:7``."""
    return ":".join(layer_arn.split(":")[-2:])


def _named(stack: Stack, name: str) -> str:
    return f"function {stack.prefix}-{name}"


def variables(one: Mapping[str, Any]) -> dict[str, str]:
    """Return a function's variables."""
    return dict(one.get("Environment", {}).get("Variables", {}))


def _settings(one: Mapping[str, Any]) -> str:
    said = re.search(r"settings (\d+)", one.get("Description", ""))
    return said[1] if said else ""
