"""The alarms: what they watch, that one person alone rings none of those about users, and where each says what to do."""

import json
import re
from typing import Any

import pytest

from docs import cost
from sandbox.repository import ROOT
from tests.support.translated import TranslatedStack, stack
from tripod_flow.rules import errors

OPERATING = (ROOT / "docs" / "operating.md").read_text()
ALARMS: dict[str, dict[str, Any]] = stack().resources("AWS::CloudWatch::Alarm")
ABOUT_USERS = ("SignInsRefusedAlarm", "ServerErrorsAlarm", "ThrottledAlarm")


def watched(name: str) -> list[dict[str, Any]]:
    """Return each metric of an alarm: namespace, name and dimensions, as CloudWatch names them."""
    alarm = ALARMS[name]
    found: list[dict[str, Any]] = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
    return found or [alarm]


def series(name: str) -> set[tuple[str, str, str]]:
    """Return namespace, metric and the value of the one dimension, if there is one."""
    return {
        (one["Namespace"], one["MetricName"], "".join(each["Value"] for each in one.get("Dimensions", [])))
        for one in watched(name)
    }


def section(name: str) -> str:
    """Return what stands below an alarm's heading."""
    return OPERATING.split(f"\n### {name}\n")[1].split("\n#")[0]


@pytest.fixture
def default() -> TranslatedStack:
    return stack()


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_is_about_something_of_the_stack(name: str, default: TranslatedStack) -> None:
    functions = {default.reference(function) for function in default.functions()}
    services = {default.environment(function)["POWERTOOLS_SERVICE_NAME"] for function in default.functions()}
    own = functions | services | {default.attribute("DeadLetters", "QueueName"), default.reference("HttpApi"), ""}
    assert {value for _, _, value in series(name)} <= own
    assert {space for space, _, value in series(name) if not value} <= {"Tripod/tripod"}


@pytest.mark.parametrize("name", ALARMS)
def test_only_of_the_sweeps_reports_silence_is_a_trouble(name: str) -> None:
    assert ALARMS[name]["TreatMissingData"] == ("breaching" if name == "OutboxAgeAlarm" else "notBreaching")
    without = {one["MetricName"] for one in watched(name) if not one.get("Dimensions")}
    assert without == ({"throttled"} if name == "ThrottledAlarm" else set())


def test_what_fails_and_comes_back_rings_and_what_fails_once_does_not() -> None:
    assert (ALARMS["OutboxAlarm"]["DatapointsToAlarm"], ALARMS["OutboxAlarm"]["EvaluationPeriods"]) == (2, 8)


def test_users_troubles_ring(default: TranslatedStack) -> None:
    assert series("SignInsRefusedAlarm") == {
        ("Tripod/tripod", code, function)
        for code in (errors.ProviderRejected.code, errors.NotConfigured.code)
        for function in ("start", "callback")
    }
    api = default.reference("HttpApi")
    told = {
        ("start", "internal"),
        ("start", "provider_unavailable"),
        ("callback", "internal"),
        ("callback", "provider_unavailable"),
    }
    assert series("ServerErrorsAlarm") == {
        ("AWS/ApiGateway", "5xx", api),
        ("AWS/ApiGateway", "Count", api),
        *(("Tripod/tripod", code, function) for function, code in told | {("callback", "interrupted")}),  # back at the app: a 303
    }
    assert series("ThrottledAlarm") == {
        ("Tripod/tripod", "throttled", ""),
        ("AWS/Lambda", "Throttles", "tripod-start"),
        ("AWS/Lambda", "Throttles", "tripod-callback"),
    }


@pytest.mark.parametrize("name", ABOUT_USERS)
def test_one_person_who_tries_again_for_ten_minutes_rings_nothing(name: str) -> None:
    alarm = ALARMS[name]
    periods = {one["MetricStat"]["Period"] for one in alarm["Metrics"] if "MetricStat" in one}
    assert periods == {300}  # seconds; ten minutes touch two of these, or three
    assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (4, 6)


@pytest.mark.parametrize("name", ABOUT_USERS)
def test_the_alarm_judges_one_expression_of_all_its_metrics(name: str) -> None:
    assert len([one for one in ALARMS[name]["Metrics"] if one.get("ReturnData", True)]) == 1
    metrics = {one["Id"]: one.get("Expression") for one in ALARMS[name]["Metrics"]}
    used = set(re.findall(r"\b[a-z]+(?:_[a-z]+)*\b", " ".join(filter(None, metrics.values()))))
    assert used | {"judged"} == metrics.keys()
    assert sum(expression is None for expression in metrics.values()) <= 10  # of one alarm: CloudWatch's limit


def test_what_the_api_throttles_is_counted_from_its_log(default: TranslatedStack) -> None:
    (counted,) = default.resources("AWS::Logs::MetricFilter").values()
    assert counted["LogGroupName"] == default.reference("AccessLogs")
    assert counted["FilterPattern"] == '{ $.status = "429" }'
    line = json.loads(default.one("HttpApiApiGatewayDefaultStage")["AccessLogSettings"]["Format"])
    assert line["status"] == "$context.status"  # in quotes: a text
    (metric,) = counted["MetricTransformations"]
    assert (metric["MetricNamespace"], metric["MetricName"], metric["MetricValue"]) == ("Tripod/tripod", "throttled", "1")
    assert "DefaultValue" not in metric  # a metric that lives all month costs


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_what_to_do_and_where_more_is_written(name: str) -> None:
    said = ALARMS[name]["AlarmDescription"]
    assert said.endswith(f" (docs/operating.md#{name.lower()})")
    assert re.search(r"\. (Look|Mend|Raise|Read|Compare)\b", said), said
    assert len(said) <= 1024  # characters: CloudWatch's limit


@pytest.mark.parametrize("name", ALARMS)
def test_the_page_says_of_an_alarm_what_it_means_where_to_look_and_what_to_mend(name: str) -> None:
    assert re.findall(r"^\*\*([A-Za-z ]+)\.\*\* ", section(name), re.MULTILINE) == ["What it means", "First look", "Mend"]


def test_the_page_has_no_alarm_that_is_not_there() -> None:
    assert re.findall(r"^### (\w+Alarm)$", OPERATING, re.MULTILINE) == list(ALARMS)
    assert re.findall(r"^\| \[`(\w+)`\]", OPERATING, re.MULTILINE) == list(ALARMS)


def test_the_costs_count_each_metric_that_an_alarm_watches() -> None:
    assert sum(len(watched(name)) for name in ALARMS) == cost.ALARMS
