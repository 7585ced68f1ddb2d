"""The dashboard and the saved queries: that they name what there is, all that was asked of them, and are where a parameter says."""

import json
import re
from itertools import combinations
from typing import Any

import pytest

from docs import dashboard
from sandbox.repository import ROOT
from tests.support.translated import stack
from tripod_flow.rules import errors

PAGE = (ROOT / "docs/operating.md").read_text()
METRICS = PAGE.split("\n## Metrics\n")[1].split("\n## ")[0]
STACK = stack()
WIDGETS: list[dict[str, Any]] = json.loads(STACK.one("WatchDashboard")["DashboardBody"])["widgets"]
SHOWN = [(widget["properties"]["title"], metric) for widget in WIDGETS for metric in widget["properties"].get("metrics", [])]
QUERIES: dict[str, dict[str, Any]] = STACK.resources("AWS::Logs::QueryDefinition")


def every_code(kind: type[errors.FlowError] = errors.FlowError) -> set[str]:
    return {kind.code for kind in kind.__subclasses__()}.union(*(every_code(each) for each in kind.__subclasses__()))


def series(title: str) -> set[tuple[str, ...]]:
    """Return the metrics of the widget whose title begins so: namespace, name, and the value of the dimension."""
    return {(metric[0], metric[1], *metric[3:-1]) for shown, metric in SHOWN if shown.startswith(title)}


def test_the_picture_is_of_the_templates_dashboard() -> None:
    assert dashboard.PICTURE.read_text() == dashboard.picture(), "run `make dashboard`"


def test_each_widget_asks_a_question_and_none_covers_another() -> None:
    assert all("?" in widget["properties"]["title"] for widget in WIDGETS)
    for one, other in combinations(WIDGETS, 2):
        beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
        assert beside or one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
    assert all(widget["x"] + widget["width"] <= 24 for widget in WIDGETS)


def test_it_shows_every_alarm() -> None:
    (shown,) = (widget["properties"]["alarms"] for widget in WIDGETS if widget["type"] == "alarm")
    assert shown == [STACK.attribute(name, "Arn") for name in STACK.resources("AWS::CloudWatch::Alarm")]


def test_it_shows_what_the_operator_asks_for() -> None:
    own = "Tripod/tripod"
    assert {
        (own, "started", "start"),
        (own, "granted", "callback"),
        (own, "denied", "callback"),
        (own, "granted", "relay"),
        (own, "granted", "redeem"),
    } <= series("How many")
    assert {metric[-1]["stat"] for title, metric in SHOWN if title.startswith("How long")} == {"p50", "p99"}
    assert series("How long") == {("AWS/Lambda", "Duration", f"tripod-{each}") for each in ("start", "callback")}
    assert {(own, "throttled"), ("AWS/Lambda", "Throttles", "tripod-start")} <= series("Who is turned away")
    assert series("What is owed") == {(own, "outbox_depth", "relay"), (own, "outbox_age", "relay")}
    assert ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "tripod-dead-letters") in series("What has the relay")
    assert (own, "refused", "check") in series("Whose tokens")


def test_failures_are_shown_by_every_code_that_a_sign_in_can_fail_with() -> None:
    others = {"denied", "in_progress", "host_not_allowed", "plaintext_signature", "ticket_rejected"}
    others |= {"token_not_found", "token_revoked", "token_expired"}
    shown = {name for _, name, _ in series("Why do sign-ins fail")}
    assert shown == every_code() - others


def test_each_metric_is_one_that_the_page_explains() -> None:
    known = set(re.findall(r"`(\w+)`", METRICS)) | every_code()
    for _, metric in SHOWN:
        assert metric[0] != "Tripod/tripod" or metric[1] in known
        assert metric[-1]["label"]


def test_it_stays_within_what_is_free() -> None:
    assert len({json.dumps(metric[:-1]) for _, metric in SHOWN}) + len(STACK.resources("AWS::CloudWatch::Alarm")) <= 50


def test_it_is_there_unless_the_parameter_is_off() -> None:
    assert STACK.resources("AWS::CloudWatch::Dashboard")["WatchDashboard"]["DashboardName"] == "tripod-us-east-1"
    without = stack(Dashboard="off")
    assert not without.resources("AWS::CloudWatch::Dashboard")
    assert "DashboardUrl" not in without.outputs()


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_is_sorted_and_bounded(name: str) -> None:
    commands = [line.split()[1] for line in QUERIES[name]["QueryString"].splitlines()[1:]]
    listing = ["filter", "sort", "limit"]
    others = {"OneSignInQuery": ["filter", "sort"], "FailuresByCodeQuery": ["filter", "stats", "sort"]}  # few rows
    others["FailedSignInsQuery"] = ["filter", *listing]
    assert commands == others.get(name, listing)
    (order,) = re.findall(r"^\| sort (.+)$", QUERIES[name]["QueryString"], re.MULTILINE)
    assert order.endswith("asc" if name == "OneSignInQuery" else "desc")


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_looks_where_its_lines_are(name: str) -> None:
    functions = ("start", "callback", "redeem", "revoke", "sign", "relay", "check")
    asked = {"FailedSignInsQuery": ("start", "callback", "relay"), "FailuresByCodeQuery": ("start", "callback")}
    asked |= {"OneSignInQuery": functions, "OwedQuery": ("relay",), "NotRelayedQuery": ("relay",)}
    asked["RefusedConnectionsQuery"] = ("check", "revoke")
    groups = [f"/aws/lambda/tripod-{function}" for function in asked.get(name, ())] or ["/aws/vendedlogs/apigateway/tripod"]
    assert QUERIES[name]["LogGroupNames"] == groups


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_is_saved_under_the_prefix_and_named_by_the_page(name: str) -> None:
    folder, _, title = QUERIES[name]["Name"].partition("/")
    assert folder == "tripod"
    assert f"*{title}*" in PAGE
    assert set(QUERIES[name]["LogGroupNames"]) <= {
        group["LogGroupName"] for group in STACK.resources("AWS::Logs::LogGroup").values()
    }
