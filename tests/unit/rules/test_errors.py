"""What each error carries for the caller, and what for the log alone."""

import re
from collections.abc import Callable

import pytest

from tripod.provider_errors import Cause
from tripod_flow.rules import errors
from tripod_flow.rules.errors import FlowError

KINDS = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, FlowError)}
TREE = (errors.__doc__ or "").split("\n\n")[1]


def test_the_tree_at_the_top_of_the_module_is_true() -> None:
    drawn = {name: int(status) for name, status in re.findall(r"([A-Z]\w+) +(\d{3})", TREE)}
    below: list[tuple[str, str]] = []  # (parent, child)
    for line in TREE.splitlines():
        if found := re.search(r"^[├└]── (\w+).*[├└]── (\w+)", line):
            below.append((found[1], found[2]))
        elif found := re.search(r"^│ +[├└]── (\w+)", line):
            below.append((below[-1][0], found[1]))
    assert drawn == {name: kind.status for name, kind in KINDS.items() if kind.__bases__ == (FlowError,)}
    assert below == [(KINDS[child].__bases__[0].__name__, child) for _, child in below]
    assert {*drawn, *(child for _, child in below), "FlowError"} == KINDS.keys()


def test_the_outcomes_are_those_that_the_tree_names() -> None:
    named = re.findall(r"(\w+) +\d{3}  an outcome", TREE)
    assert {kind.__name__ for kind in errors.OUTCOME_ERRORS.values()} == {*named} - {
        "ProviderRejected"
    }  # which has its cause beside it
    assert all(kind.code == code for code, kind in errors.OUTCOME_ERRORS.items())


@pytest.mark.parametrize(
    ("make", "log", "detail"),
    [
        (errors.BadRequest, "bad_request", None),
        (lambda: errors.BadRequest("log"), "log", None),
        (lambda: errors.BadRequest(detail="public"), "public", "public"),
        (lambda: errors.BadRequest("log", "public"), "log", "public"),
        (lambda: errors.ProviderRejected(Cause.CLOCK_OFF), "the provider refused: clock_off", None),
        (lambda: errors.ProviderRejected(Cause.CLOCK_OFF, "log"), "log", None),
        (lambda: errors.ProviderUnavailable("log"), "log", None),
    ],
)
def test_the_log_has_the_reason_or_else_the_public_detail_or_the_code(
    make: Callable[[], FlowError], log: str, detail: str | None
) -> None:
    error = make()
    assert (str(error), error.detail, error.restart_query) == (log, detail, "")


def test_an_error_carries_what_its_answer_needs() -> None:
    assert errors.ProviderUnavailable("down").maybe_done is False
    assert errors.ProviderUnavailable("slow", maybe_done=True).maybe_done is True
    wrong = errors.WrongPin("log", request_token="t", attempts_left=3, return_to="https://a/", restart_query="a=b")
    assert (str(wrong), wrong.request_token, wrong.attempts_left, wrong.return_to, wrong.restart_query) == (
        "log",
        "t",
        3,
        "https://a/",
        "a=b",
    )
    rejected = errors.ProviderRejected(Cause.CLOCK_OFF, restart_query="a=b")
    assert (rejected.cause, rejected.restart_query) == (Cause.CLOCK_OFF, "a=b")
    assert [errors.ProviderUnavailable("log").retry_after, errors.ProviderUnavailable("log", 7).retry_after] == [5, 7]
    assert [errors.InProgress().retry_after, errors.BadRequest().retry_after] == [1, None]
