"""Invoke Tripod's own functions, and turn their problems into errors. No error quotes what went in or came out."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tripod import process
from tripod.errors import TripodError, TripodUnavailable

_CODE = re.compile(r"[a-z_]{1,64}")  # a problem's code; anything else is not Tripod's, and is not shown


@dataclass(frozen=True, slots=True)
class FunctionResponse:
    """The JSON object that the function ``name`` returned. A field of another type raises TripodUnavailable."""

    name: str
    content: Mapping[str, Any]

    def text(self, field: str) -> str:
        """Return a field that must be a non-empty string."""
        value = self.text_or_none(field)
        if not value:
            raise _unreadable(self.name)
        return value

    def text_or_none(self, field: str) -> str | None:
        """Return a field that must be a string, or null or missing."""
        value = self.content.get(field)
        if value is not None and not isinstance(value, str):
            raise _unreadable(self.name)
        return value


def invoke(function: str, event: Mapping[str, str], errors: Mapping[str, Callable[[], TripodError]]) -> FunctionResponse:
    """Invoke ``{prefix}-{function}`` and return its response.

    Raises the error that ``errors`` has for a problem's code, else TripodUnavailable; likewise if there is no stack of this prefix.
    """
    this = process.this()
    name = f"{this.prefix}-{function}"
    client = this.client("lambda")
    try:
        with process.in_reach("Lambda"):
            response = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
            payload = response["Payload"].read()
    except client.exceptions.ResourceNotFoundException:
        raise process.no_stack(f"function {name}") from None
    if "FunctionError" in response:
        raise TripodUnavailable(f"{name} failed: its log says why")
    content = _object(name, payload)
    if "code" not in content:
        return FunctionResponse(name, content)
    code, wait = content["code"], content.get("retry_after")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise _unreadable(name)
    if code in errors:
        raise errors[code]()
    retry_after = wait if isinstance(wait, int) and not isinstance(wait, bool) else None
    raise TripodUnavailable(f"{name} could not do it", code=code, retry_after=retry_after)


def _object(name: str, payload: bytes) -> dict[str, Any]:
    try:
        content = json.loads(payload)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise _unreadable(name)
    return content


def _unreadable(name: str) -> TripodUnavailable:
    return TripodUnavailable(f"{name} gave an answer that can't be read: is it of the same version as the layer?")
