"""Recognise a provider's error responses: X's codes and texts, and other providers' where they are known."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree


class Cause(StrEnum):
    """Why a provider refused, as far as its response says. The numbers are X's error codes."""

    CALLBACK_NOT_APPROVED = "callback_not_approved"  # 415
    NO_CALLBACK_CONFIGURED = "no_callback_configured"  # 417
    CALLBACK_NOT_CONFIRMED = (
        "callback_not_confirmed"  # Tripod's own finding: leg 1's response lacks oauth_callback_confirmed=true
    )
    BAD_CREDENTIALS = "bad_credentials"  # 32
    CLOCK_OFF = "clock_off"  # 135
    APP_SUSPENDED = "app_suspended"  # 416
    RATE_LIMITED = "rate_limited"  # 88
    OVER_CAPACITY = "over_capacity"  # 130
    TOKEN_REVOKED = "token_revoked"  # noqa: S105  # a cause, no token  # 89
    TOKEN_EXPIRED = "token_expired"  # noqa: S105  # likewise; Tripod's own finding: the provider has said when it ends
    ACCESS_LEVEL = "access_level"  # 453, 220
    PERMISSIONS = "permissions"  # X's API v2: oauth1-permissions
    CLIENT_FORBIDDEN = "client_forbidden"  # X's API v2: client-forbidden
    NO_CREDITS = "no_credits"  # HTTP 402
    USER_SUSPENDED = "user_suspended"  # 63, 64: the user's account, not the app
    USER_LOCKED = "user_locked"  # 326
    VERIFIER_REJECTED = "verifier_rejected"
    REQUEST_TOKEN_REJECTED = "request_token_rejected"  # noqa: S105  # a cause, no token
    UNREADABLE = "unreadable"  # Tripod's own finding: a 200 without a token
    UNKNOWN = "unknown"


TOLD_WITHIN = 1024  # bytes of an answer in which a provider says that a token is revoked

_CODES = {
    415: Cause.CALLBACK_NOT_APPROVED,
    417: Cause.NO_CALLBACK_CONFIGURED,
    32: Cause.BAD_CREDENTIALS,
    135: Cause.CLOCK_OFF,
    416: Cause.APP_SUSPENDED,
    88: Cause.RATE_LIMITED,
    130: Cause.OVER_CAPACITY,
    89: Cause.TOKEN_REVOKED,
    453: Cause.ACCESS_LEVEL,
    220: Cause.ACCESS_LEVEL,
    63: Cause.USER_SUSPENDED,
    64: Cause.USER_SUSPENDED,
    326: Cause.USER_LOCKED,
}

_STATUSES = {402: Cause.NO_CREDITS, 429: Cause.RATE_LIMITED}  # of bodies that say nothing known

# Texts of bodies without a code, in the order in which they are tried; compiled at the first refusal, and not at each cold start.
_TEXTS = (
    (r"callback url not approved|callback.{0,80}?not.{0,80}?approved", Cause.CALLBACK_NOT_APPROVED),
    (r"desktop applications only support", Cause.NO_CALLBACK_CONFIGURED),
    (r"timestamp out of bounds|timestamp_refused|expired timestamp", Cause.CLOCK_OFF),
    (r"could not authenticate|consumer_key_unknown|consumer_key_rejected|signature_invalid|signature_method_rejected|invalid signature|invalid consumer", Cause.BAD_CREDENTIALS),
    (r"invalid oauth_verifier|verifier_invalid|verification code provided was not valid", Cause.VERIFIER_REJECTED),
    (r"reverse auth credentials|invalid / expired token|token_rejected|token_expired|token_used|oauth token not found|token.{0,20}already.{0,20}used|no (request|token) was found", Cause.REQUEST_TOKEN_REJECTED),
    (r"invalid or expired token|token_revoked", Cause.TOKEN_REVOKED),
    (r"/problems/oauth1-permissions", Cause.PERMISSIONS),
    (r"/problems/client-forbidden", Cause.CLIENT_FORBIDDEN),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Refusal:
    """A provider's error response: its HTTP status and its cause, ``UNKNOWN`` if not recognised.

    ``word`` is the provider's own for it, where it has the form of one: a code, an ``oauth_problem``, the end of a problem's type.
    """

    status: int
    cause: Cause
    word: str = ""

    def __str__(self) -> str:
        return f"{self.status} {self.cause}" + (f" ({self.word})" if self.word else "")


def read(status: int, body: bytes, challenge: str = "") -> Refusal:
    """Return the refusal that an error body means: JSON, XML, ``<hash>`` XML or plain text (X), or ``oauth_problem=…`` (others).

    ``challenge`` is the header ``WWW-Authenticate``, where some providers say their ``oauth_problem``.
    """
    text = body.decode("utf-8", "replace").strip()
    code, message = _json(text) or _xml(text) or (None, text)
    problem = parse_qs(message).get("oauth_problem", [""])[0] if "oauth_problem=" in message else ""
    if not problem and (said := re.search(r"oauth_problem\s*=\s*[\"']?([a-z_]{1,40})", challenge)):
        problem = said[1]
    word = _word(code, problem, message)
    if code in _CODES:
        return Refusal(status, _CODES[code], word)
    for pattern, cause in _TEXTS:
        if re.search(pattern, problem or message, re.IGNORECASE):
            return Refusal(status, cause, word)
    return Refusal(status, _STATUSES.get(status, Cause.UNKNOWN), word)


def read_api_error(status: int, body: bytes, challenge: str = "") -> Refusal:
    """Return the refusal of an API call, which an access token signed.

    Such a call has neither request token nor verifier: an ``oauth_problem`` that rejects a token (``token_rejected``,
    ``token_expired``) means that the access token is revoked, and any other word for them explains nothing.
    """
    refusal = read(status, body, challenge)
    if refusal.cause is Cause.REQUEST_TOKEN_REJECTED and refusal.word.startswith("token_"):
        return replace(refusal, cause=Cause.TOKEN_REVOKED)
    if refusal.cause in (Cause.REQUEST_TOKEN_REJECTED, Cause.VERIFIER_REJECTED):
        return replace(refusal, cause=Cause.UNKNOWN)
    return refusal


def says_revoked(revoked: Mapping[str, Any], status: int, body: bytes) -> bool:
    """Return True if an answer says by this provider's own words, ``"revoked"`` in its definition, that a token is revoked."""
    if status != revoked["status"]:
        return False
    said = body[:TOLD_WITHIN].decode(errors="replace")
    return re.match(revoked["pattern"], said) is not None  # at its beginning: further on it may be what others have written


def is_error_text(body: bytes) -> bool:
    """Return True if a body is MediaWiki's error text ``Error: …``, which comes with status 200."""
    return body.lstrip()[:6].lower() == b"error:"


def is_page(body: bytes) -> bool:
    """Return True if a body is a web page, or a CDN's line: what stands before a provider answers with one, no provider's API does."""
    start = re.sub(rb"^(\s|\xef\xbb\xbf|<\?xml[^>]*>|<!--.*?-->)+", b"", body[:2000], flags=re.S)
    return re.match(rb"<!doctype\s+html|<html|<head|<body|<h1|error code: \d", start, re.I) is not None


def _word(code: int | None, problem: str, message: str) -> str:
    """Return the provider's own word for a refusal; empty for anything that is not as short and plain as one, such as a token."""
    if code is not None:
        return str(code) if 0 <= code < 1_000_000 else ""
    if re.fullmatch(r"[a-z]{2,14}(_[a-z]{2,14}){1,3}", problem):
        return problem
    kind = re.search(r"/problems/([a-z][a-z0-9]{1,14}(?:-[a-z]{2,14}){0,3})[\"/]", message)
    return kind[1] if kind else ""


def _json(text: str) -> tuple[int | None, str] | None:
    try:
        content = json.loads(text)
        if "errors" not in content and isinstance(content.get("error"), str):  # {"error": "…", "message": "…"}
            return None, f"{content['error']} {content.get('message', '')}"
        error = content["errors"][0]
        code = str(error.get("code", ""))
        # A problem's type, where there is one, stands beside the errors.
        return (
            int(code) if re.fullmatch(r"[0-9]{1,6}", code) else None
        ), f'{error.get("message", "")} "{content.get("type", "")}"'
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return None


def _xml(text: str) -> tuple[int | None, str] | None:
    if not text.startswith("<") or "<!" in text:  # with a document type it could expand entities
        return None
    try:
        error = ElementTree.fromstring(text).find("error")  # noqa: S314  # 64 KiB at most, and no entities
    except ElementTree.ParseError:
        return None
    if error is None:
        return None
    code = error.get("code", "")
    return (int(code) if re.fullmatch(r"[0-9]{1,6}", code) else None), error.text or ""
