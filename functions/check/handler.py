"""Ask a provider whether it still takes a user's tokens; on a schedule, where the stack has one, those of all users."""

from collections.abc import Mapping
from typing import Any

from tripod_flow.api import invocation
from tripod_flow.app import App
from tripod_flow.edges import telemetry
from tripod_flow.rules.errors import Internal, ProviderUnavailable

_PASSING = (ProviderUnavailable.code, Internal.code)  # the provider or AWS is out of reach
RESERVE = 30_000  # milliseconds: time for one connection's check

app = App()


class NotChecked(Exception):  # it names what happened
    """A report could not be looked into: Lambda makes it again, twice, minutes later."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    """Answer ``{"provider", "user_id"}`` from another Lambda; with ``"reported": true`` nobody waits for the answer."""
    if invocation.is_schedule(event):
        app.set_deadline(context)
        try:
            app.check_round.go_on(lambda: bool(context.get_remaining_time_in_millis() > RESERVE))
        finally:
            telemetry.flush()
        return None
    answer = app.respond_directly(event, context, _check)
    if invocation.is_report(event) and answer.get("code") in _PASSING:
        raise NotChecked
    return answer


def _check(event: Mapping[str, Any]) -> dict[str, Any]:
    provider, user_id, reported = invocation.check_request(event)
    finding = app.check.check(provider, user_id, reported=reported)
    known = {"state": str(finding.health), "cause": finding.cause, "checked_at": finding.checked_at}
    return {"provider": provider, "user_id": user_id, **known}


app.prepare()
