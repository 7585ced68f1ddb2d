"""The HTTP response to a call."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from sandbox.aws.faults import AwsError


@dataclass(frozen=True)
class AwsResponse:
    """Status, headers and body; with ``drips`` it is sent a byte at a time."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    drips: bool = False

    @classmethod
    def refusing(cls, error: AwsError) -> "AwsResponse":
        """Return an error's response in AWS's JSON protocols."""
        content: dict[str, Any] = {"__type": error.code, "message": error.message}
        if error.reasons:
            content["CancellationReasons"] = [{"Code": reason} for reason in error.reasons]
        headers = [("content-type", "application/x-amz-json-1.1"), ("x-amzn-errortype", error.code)]
        return cls(error.status, headers, json.dumps(content).encode())

    @classmethod
    def refusing_in_xml(cls, error: AwsError) -> "AwsResponse":
        """Return an error's response in AWS's query protocol, which STS speaks."""
        body = f"<ErrorResponse><Error><Code>{error.code}</Code><Message>{error.message}</Message></Error></ErrorResponse>"
        return cls(error.status, [("content-type", "text/xml")], body.encode())

    @property
    def error(self) -> str | None:
        """Return the error's code, None where the call succeeded."""
        if self.status < HTTPStatus.BAD_REQUEST:
            return None
        try:
            return str(json.loads(self.body)["__type"]).rsplit("#", 1)[-1]
        except (ValueError, KeyError, TypeError):
            return str(self.status)
