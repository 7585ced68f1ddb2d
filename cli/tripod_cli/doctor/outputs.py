"""What the stack says of itself in SSM, against what its functions use: the table, the layer, the API's address; and the event bus."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from tripod.loopback import is_loopback
from tripod_cli.doctor import functions
from tripod_cli.doctor.finding import Finding, wrong
from tripod_cli.stack import Stack

NAMES = ("table", "api-url", "layer-arn")


def read(stack: Stack) -> dict[str, str | None]:
    """Return each SSM parameter's value by its name; None: there is none."""
    return {name: stack.find_parameter(name) for name in NAMES}


def look(stack: Stack, said: Mapping[str, str | None], found: Mapping[str, Mapping[str, Any] | None]) -> Iterator[Finding]:
    """Yield whether what ``read`` has returned agrees with the functions' configurations."""
    there = [one for one in found.values() if one is not None]
    tables = {functions.variables(one).get("TRIPOD_TABLE", "") for one in there}
    layers = {arn for one in there for arn in functions.layers_of(one)}
    for name, value in said.items():
        at = f"SSM parameter /{stack.prefix}/{name}"
        if value is None:
            yield wrong(at, "there is no such parameter", f"Readers and this command look it up. {functions.AGAIN}")
        elif name == "table" and tables and value not in tables:
            yield wrong(at, f"it says {value}, the functions use {', '.join(sorted(tables))}", functions.BY_HAND)
        elif name == "layer-arn" and layers and value not in layers:
            used = sorted(functions.short(arn) for arn in layers if _is_same_layer(arn, value)) or ["another layer"]
            yield wrong(at, f"it says {functions.short(value)}, the functions use {', '.join(used)}", functions.BY_HAND)
        elif name == "api-url" and not _is_address(value):
            yield wrong(at, f"it says {value}, which is no address", functions.AGAIN)
        else:
            yield Finding(at, value)


def bus(stack: Stack) -> Iterator[Finding]:
    """Yield whether the event bus is there."""
    client, name = stack.client("events"), stack.settings.bus
    at = f"event bus {name}"
    try:
        client.describe_event_bus(Name=name)
    except client.exceptions.ResourceNotFoundException:
        yield wrong(at, "there is no such bus: no event is published", functions.AGAIN)
    else:
        yield Finding(at, "there")


def _is_same_layer(one: str, other: str) -> bool:
    return one.rpartition(":")[0] == other.rpartition(":")[0]


def _is_address(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.hostname) and (parts.scheme == "https" or is_loopback(parts.hostname or ""))
