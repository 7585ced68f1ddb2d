"""The guard: one response and one log line for each request, whatever is raised on the way."""

from collections.abc import Callable
from typing import Any

from tripod_flow.api import responses
from tripod_flow.api.http_request import HttpRequest
from tripod_flow.api.responses import ApiResponse
from tripod_flow.edges import telemetry
from tripod_flow.rules.errors import FlowError, Internal

Problem = Callable[[HttpRequest, FlowError], ApiResponse]


def respond(request: HttpRequest, act: Callable[[HttpRequest], ApiResponse], problem: Problem = responses.problem) -> ApiResponse:
    """Return the response of ``act``; an error becomes what ``problem`` makes of it: a page or problem details."""
    return _guard(request.id, request.provider, lambda: act(request), lambda error: problem(request, error))


def respond_directly(
    request_id: str, provider: str, act: Callable[[], dict[str, Any]], callback_url: Callable[[], str], called: Callable[[], str]
) -> dict[str, Any]:
    """Return the result of ``act`` to another Lambda; an error becomes problem details, which may name ``callback_url``.

    ``called`` returns the provider's name as people write it.
    """

    def problem(error: FlowError) -> dict[str, Any]:
        return responses.problem_content(error, request_id, called=called(), callback_url=callback_url())

    return _guard(request_id, provider, act, problem)


def _guard(
    request_id: str, provider: str, act: Callable[[], dict[str, Any]], problem: Callable[[FlowError], dict[str, Any]]
) -> dict[str, Any]:
    telemetry.log().set_correlation_id(request_id)
    try:
        return act()
    except FlowError as error:
        if not error.is_counted:
            _record(provider, error)
        return problem(error)
    except Exception as error:  # noqa: BLE001  # the one place where a defect becomes a response
        telemetry.failure("unexpected", error)
        _record(provider, Internal())
        return problem(Internal())
    finally:
        telemetry.flush()


def _record(provider: str, error: FlowError) -> None:
    telemetry.count(error.code)
    log = telemetry.log().error if error.status >= 500 else telemetry.log().info
    log(error.code, extra={"provider": provider[:32], "reason": str(error)})
