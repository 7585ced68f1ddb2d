"""A function's settings: what the template passes to it through the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tripod_flow.api.pages import PLAIN, Look
from tripod_flow.edges.transport import Timeouts
from tripod_flow.rules.errors import NotConfigured
from tripod_flow.rules.return_to import AllowList


@dataclass(frozen=True, slots=True)
class Settings:
    """One function's settings; times in seconds."""

    prefix: str
    table: str
    bus: str
    return_urls: AllowList
    pin: bool
    look: Look
    recovery_window: int  # days that a deleted user secret can be restored
    kms_key: str  # the ARN of the key for new user secrets; empty for AWS's
    token_key: str  # the ARN of the key that seals tokens for the table; empty: there is none
    check_every: float  # seconds between two rounds of checks; 0: there are none
    timeouts: Timeouts
    loopback: bool
    sign_provider: str = ""  # the one provider that requests are signed for; empty: every one

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the environment; raises ``NotConfigured`` that names every variable that is missing or wrong."""
        missing = [name for name in ("TRIPOD_PREFIX", "TRIPOD_TABLE") if not environ.get(name)]
        if missing:
            raise NotConfigured(f"missing from the environment: {', '.join(missing)}")
        try:
            return_urls = AllowList.parse(environ.get("TRIPOD_RETURN_URLS", ""))
        except ValueError as error:
            raise NotConfigured(f"TRIPOD_RETURN_URLS (the parameter AllowedReturnUrls): {error}") from None
        return cls(
            prefix=environ["TRIPOD_PREFIX"],
            table=environ["TRIPOD_TABLE"],
            bus=environ.get("TRIPOD_BUS", ""),
            return_urls=return_urls,
            pin=environ.get("TRIPOD_PIN") == "true",
            look=_look(environ),
            recovery_window=_days(environ, "TRIPOD_RECOVERY_WINDOW"),
            kms_key=environ.get("TRIPOD_KMS_KEY", ""),
            token_key=environ.get("TRIPOD_TOKEN_KEY", ""),
            check_every=_hours(environ, "TRIPOD_CHECK_EVERY") * 3600.0,
            timeouts=Timeouts(
                connect=_seconds(environ, "TRIPOD_CONNECT_TIMEOUT", Timeouts().connect),
                read=_seconds(environ, "TRIPOD_READ_TIMEOUT", Timeouts().read),
                call=_seconds(environ, "TRIPOD_CALL_TIMEOUT", Timeouts().call),
                request=_seconds(environ, "TRIPOD_REQUEST_TIMEOUT", Timeouts().request),
            ),
            # Plain http to this machine, for the sandbox. The template has no such variable.
            loopback=environ.get("TRIPOD_LOOPBACK_HTTP") == "true",
            sign_provider=environ.get("TRIPOD_SIGN_PROVIDER", ""),
        )


def _look(environ: Mapping[str, str]) -> Look:
    colour = environ.get("TRIPOD_COLOUR") or PLAIN.colour
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise NotConfigured("TRIPOD_COLOUR (the parameter Colour) must be written #rrggbb")
    return Look(environ.get("TRIPOD_APP_NAME", ""), colour.lower())


def _days(environ: Mapping[str, str], name: str) -> int:
    text = environ.get(name, "30")
    if not text.isdecimal() or not 7 <= int(text) <= 30:
        raise NotConfigured(f"{name} must be a number of days, from 7 to 30: Secrets Manager takes no other")
    return int(text)


def _hours(environ: Mapping[str, str], name: str) -> int:
    text = environ.get(name, "0")
    if not text.isdecimal() or int(text) > 8760:
        raise NotConfigured(f"{name} must be a number of hours, from 0 (never) to 8760 (a year)")
    return int(text)


def _seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    try:
        value = float(environ.get(name, default))
    except ValueError:
        value = 0
    if not 0 < value < 30:
        raise NotConfigured(f"{name} must be a number of seconds, above 0 and below 30")
    return value
