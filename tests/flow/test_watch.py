"""What the operator watches by: each alarm rings when what it watches is brought about, and in a quiet day none does; each question has its answer.

One sandbox runs everything once; the samples that it leaves are then laid into days. A sweep's is laid into every minute.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from sandbox.browser import JSON
from sandbox.provider import ProviderFault
from sandbox.world import Sandbox
from tests.support import saved_queries
from tests.support.checks import with_identity
from tests.support.cloudwatch import DAY, MINUTE, PERIOD, MetricSample, Samples, Watch
from tests.support.direct import invoke
from tests.support.sandbox_app import PARAMETERS, QUICK, SandboxApp, make_app
from tests.support.saved_queries import QUERIES
from tests.support.translated import stack

THROTTLE = {"RouteRate": "1", "RouteBurst": "25"}
STACK = stack(**PARAMETERS, **THROTTLE)
ALARMS: dict[str, dict[str, Any]] = STACK.resources("AWS::CloudWatch::Alarm")
RELAY = "tripod-relay"
HOUR = 60 * MINUTE
LONG = 2 * HOUR  # beyond the age that rings
WEEKS = 8 * DAY  # beyond what the relay tries
FOR_EVER = 10_000  # calls

REFUSED = {"SignInsRefusedAlarm", "ServerErrorsAlarm"}  # each refusal is a 502 as well
RINGS = {
    "the provider refuses the app": REFUSED,
    "the provider is down": {"ServerErrorsAlarm"},
    "a flood": {"ThrottledAlarm"},
    "Lambda has no more invocations": {"ThrottledAlarm"},
    "nothing can be published": {"OutboxAlarm"},
    "it is owed for two hours": {"OutboxAlarm", "OutboxAgeAlarm"},
    "it is owed for a week": {"AbandonedAlarm"},
    "a deployment breaks the relay": {"RelayAlarm", "RelayErrorsAlarm", "OutboxAgeAlarm"},
    "the schedule is gone": {"OutboxAgeAlarm"},
}


@dataclass
class Run:
    """What a run of the sandbox has left."""

    app: SandboxApp
    watch: Watch
    sweep: list[MetricSample] = field(default_factory=list)  # of one that found nothing
    quiet: list[MetricSample] = field(default_factory=list)  # of an hour in which nothing is wrong but what always is
    answers: list[dict[str, Any]] = field(default_factory=list)  # of the page's commands, before and after a user has revoked
    troubles: dict[str, list[MetricSample]] = field(default_factory=dict)
    sweeping: dict[str, bool] = field(default_factory=dict)  # whether the schedule ran beside the trouble

    def day(self, samples: list[MetricSample], *, swept: bool = True) -> Samples:
        """Return a day's samples: these, and those of a sweep in each minute."""
        sweeps = [each.moved(minute * MINUTE) for minute in range(int(DAY // MINUTE)) for each in self.sweep] if swept else []
        return Samples([*samples, *sweeps])


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with Sandbox(parameters=PARAMETERS | THROTTLE, settings=QUICK, throttles=True) as sandbox:
        app = with_identity(make_app(sandbox))
        told = Run(app, Watch(sandbox, STACK))
        told.sweep = _taken(told, lambda: _sweep(app))
        told.quiet = _taken(told, lambda: _quiet_hour(told))
        told.answers = [_ask(app, command) for command in saved_queries.commands()]
        _taken(told, lambda: _revoke_at_the_provider(app))
        told.answers += [_ask(app, command) for command in saved_queries.commands()]
        for name, bring_about in TROUBLES.items():
            told.troubles[name] = _taken(told, lambda act=bring_about: act(told))  # type: ignore[misc]  # mypy: a default
            told.sweeping[name] = name not in {"a deployment breaks the relay", "the schedule is gone"}
        yield told


def _taken(run: Run, act: Callable[[], object]) -> list[MetricSample]:
    """Return the samples of what ``act`` does, from midnight on."""
    run.watch.now, begin = 0.0, len(run.watch.samples)
    act()
    run.app.sandbox.settle()
    run.watch.look_into_the_queue()
    return run.watch.samples[begin:]


def _sweep(app: SandboxApp) -> None:
    app.come_due()
    app.sandbox.run_schedule(RELAY)


def _quiet_hour(run: Run) -> None:
    """Sign-ins, a no, a reload, another browser, a mistake, one moment without the provider, a check, a disconnect."""
    app, browser = run.app, run.app.browser()
    callback = app.come_back(browser)
    for _ in range(2):
        browser.get(callback)
    run.watch.now += PERIOD
    browser.get(app.come_back(browser, cancel=True))
    app.browser().get(app.come_back(browser))
    run.watch.now += PERIOD
    browser.start("nobody")
    app.fault("access_token", ProviderFault.RESET_AFTER)
    browser.get(app.come_back(browser))
    invoke(app, "check", provider=app.name, user_id=app.user.user_id, reported=True)
    app.sandbox.settle()
    _sweep(app)


def _revoke_at_the_provider(app: SandboxApp) -> None:
    app.sandbox.provider_server.revoke(app.consumer.key, app.user)
    app.change_item(app.connection_key, check_after=1.0, checked_at=1.0)
    assert invoke(app, "check", provider=app.name, user_id=app.user.user_id)["state"] == "refused"


def _ask(app: SandboxApp, command: dict[str, Any]) -> dict[str, Any]:
    """Run a command of the page for this provider."""
    assert command["ExpressionAttributeValues"] == {":x": {"S": "x"}}
    given = command | {"ExpressionAttributeValues": {":x": {"S": app.name}}}
    return dict(app.sandbox.client("dynamodb").query(TableName=app.sandbox.table, **given))


def _refuse(run: Run) -> None:
    browser = run.app.browser()
    callback = run.app.come_back(browser)
    run.app.sandbox.provider_server.refuses_apps = True
    assert browser.get(callback, accept=JSON).json()["code"] == "provider_rejected"
    _start_for_half_an_hour(run, "provider_rejected")
    run.app.sandbox.provider_server.refuses_apps = False


def _take_down(run: Run) -> None:
    run.app.sandbox.provider_server.down = True
    _start_for_half_an_hour(run, "provider_unavailable")
    run.app.sandbox.provider_server.down = False


def _start_for_half_an_hour(run: Run, code: str) -> None:
    for _ in range(4):
        assert run.app.browser().start(run.app.name, accept=JSON).json()["code"] == code
        run.watch.now += PERIOD


def _flood(run: Run) -> None:
    browser = run.app.browser()
    for _ in range(4):
        statuses = (browser.get(f"/oauth/{run.app.name}/pin").status_code for _ in range(200))
        assert 429 in statuses
        run.watch.now += PERIOD


def _lack_invocations(run: Run) -> None:
    """Of the account's invocations the sandbox knows nothing: these samples are AWS's word."""
    for _ in range(4):
        dimensions = frozenset({("FunctionName", STACK.reference("CallbackFunction"))})
        run.watch.samples.append(MetricSample(("AWS/Lambda", "Throttles", dimensions), run.watch.now, 3.0))
        run.watch.now += PERIOD


def _publish_nothing(run: Run) -> None:
    app = run.app
    app.sandbox.aws_server.fault("events", "PutEvents", "denied", times=FOR_EVER, match=app.name)
    browser = app.browser()
    browser.get(app.come_back(browser))
    assert invoke(app, "revoke", provider=app.name, user_id=app.user.user_id)["outcome"] == "revoked"
    app.sandbox.settle()
    for _ in range(2):
        run.watch.now += 15 * MINUTE
        _sweep(app)


def _owe_for_long(run: Run, seconds: float) -> None:
    for key in _owed(run.app):
        since = float((run.app.item(key) or {})["outbox_since"]["N"])
        run.app.change_item(key, outbox_since=since - seconds)
    for _ in range(4):
        _sweep(run.app)
        run.watch.now += PERIOD


def _owed(app: SandboxApp) -> list[str]:
    pages = app.sandbox.client("dynamodb").get_paginator("scan").paginate(TableName=app.sandbox.table, IndexName="outbox")
    return [item["pk"]["S"] for page in pages for item in page["Items"]]


def _break_the_relay(run: Run) -> None:
    app, browser = run.app, run.app.browser()
    app.sandbox.functions.reconfigure(RELAY, {"TRIPOD_TABLE": ""})
    browser.get(app.come_back(browser))
    app.sandbox.settle(60)
    for _ in range(2):
        app.sandbox.run_schedule(RELAY)
        run.watch.now += PERIOD


TROUBLES: dict[str, Callable[[Run], None]] = {
    "the provider refuses the app": _refuse,
    "the provider is down": _take_down,
    "a flood": _flood,
    "Lambda has no more invocations": _lack_invocations,
    "nothing can be published": _publish_nothing,
    "it is owed for two hours": lambda run: _owe_for_long(run, LONG),
    "it is owed for a week": lambda run: _owe_for_long(run, WEEKS),
    "the schedule is gone": lambda _: None,
    "a deployment breaks the relay": _break_the_relay,  # the last: it stays broken
}


def test_every_alarm_has_a_trouble_that_rings_it() -> None:
    assert set().union(*RINGS.values()) == ALARMS.keys()
    assert RINGS.keys() == TROUBLES.keys()


@pytest.mark.parametrize("trouble", RINGS)
def test_a_trouble_rings_its_alarms_and_no_other(run: Run, trouble: str) -> None:
    noon = [sample.moved(DAY / 2) for sample in run.troubles[trouble]]
    day = run.day(noon, swept=run.sweeping[trouble])
    assert {name for name, alarm in ALARMS.items() if day.rings(alarm, HOUR, DAY)} == RINGS[trouble]


def test_in_a_quiet_day_no_alarm_rings(run: Run) -> None:
    hours = [sample.moved(hour * HOUR) for hour in range(24) for sample in run.quiet]
    assert {sample.key[1] for sample in run.quiet} > {
        "started",
        "granted",
        "denied",
        "interrupted",
        "outbox_age",
        "5xx",
        "Errors",
    }
    day = run.day(hours)
    assert {name for name, alarm in ALARMS.items() if day.rings(alarm, HOUR, DAY)} == set()


def test_a_sweep_that_finds_nothing_says_so(run: Run) -> None:
    assert {sample.key[1]: sample.value for sample in run.sweep if sample.key[0] == "Tripod/tripod"} == {
        "outbox_depth": 0.0,
        "outbox_age": 0.0,
    }


def test_what_waits_for_its_next_try_is_counted_too(run: Run) -> None:
    found = {sample.key[1]: sample.value for sample in run.troubles["nothing can be published"]}  # the last of each
    assert found["outbox_depth"] == 2
    assert 0 < found["outbox_age"] < LONG
    assert max(sample.value for sample in run.troubles["it is owed for two hours"] if sample.key[1] == "outbox_age") > LONG


def rows(run: Run, name: str, paste: str = "") -> list[dict[str, Any]]:
    """Return what a saved query finds in the run's logs."""
    return saved_queries.rows(name, run.watch.lines, paste)


@pytest.mark.parametrize("name", QUERIES)
def test_every_field_that_a_query_names_is_in_its_lines(run: Run, name: str) -> None:
    lines = [line for group in QUERIES[name]["LogGroupNames"] for line in run.watch.lines[group]]
    known = {
        field for line in lines for field in (*line, *(f"{key}.0" for key, value in line.items() if isinstance(value, list)))
    }
    assert saved_queries.fields_read(name) - known == set()


def test_who_failed_to_sign_in_and_why(run: Run) -> None:
    found = {(row["service"], row["failed"]): row for row in rows(run, "who failed to sign in, and why")}
    assert {("start", "provider_rejected"), ("start", "provider_unavailable"), ("callback", "denied")} <= found.keys()
    assert found["start", "provider_rejected"]["reason"]
    assert found["callback", "interrupted"]["authorization"]
    assert ("start", "started") not in found
    counted = {(row["failed"], row["provider"]): row["times"] for row in rows(run, "why sign-ins failed, counted")}
    assert counted["provider_rejected", run.app.name] == 4  # and one of callback's, whose line has no provider


def test_an_invalidation_that_the_provider_refuses_is_nobodys_sign_in() -> None:
    refused = {"@timestamp": "1", "message": "not invalidated", "reason": "refused: 401 unknown", "provider": "x", "user_id": "1"}
    lines = [refused, refused | {"message": "not exchanged", "code": "verifier_rejected"}]
    groups = {f"/aws/lambda/tripod-{name}": lines if name == "relay" else [] for name in ("start", "callback", "relay")}
    assert [row["failed"] for row in saved_queries.rows("who failed to sign in, and why", groups)] == ["verifier_rejected"]


def test_one_sign_in_is_found_by_its_reference_and_by_its_user(run: Run) -> None:
    (failed, *_) = (row for row in rows(run, "who failed to sign in, and why") if row["failed"] == "interrupted")
    name = "one sign-in, by reference, authorization or user"
    by_authorization = [row["message"] for row in rows(run, name, failed["authorization"])]
    assert by_authorization == ["started", "not exchanged", "interrupted"]
    assert "interrupted" in [row["message"] for row in rows(run, name, failed["correlation_id"])]
    assert "granted" in [row["message"] for row in rows(run, name, run.app.user.user_id)]
    assert rows(run, name, "another") == []


def test_what_is_owed_and_since_when(run: Run) -> None:
    found = rows(run, "is anything owed, and since when")
    assert {0.0, 2.0} <= {row["items"] for row in found}
    assert max(row["oldest_seconds"] for row in found) > LONG
    failed = rows(run, "what the relay did not do")
    assert {"not relayed", "given up: an event that could not be published"} <= {row["message"] for row in failed}
    assert all(row["authorization"] or row["user_id"] for row in failed)
    assert {row["aws_error"] for row in failed if row["message"] == "not relayed"} == {"AccessDeniedException"}


def test_slow_requests_are_found_slowest_first(run: Run) -> None:
    slow = {"path": "/oauth/x/start", "status": "302", "latency": "12000", "error": "-", "requestId": "r"}
    group = "/aws/vendedlogs/apigateway/tripod"
    lines = [slow | {"latency": "300"}, slow | {"latency": "4000"}, slow, *run.watch.lines[group]]
    found = saved_queries.rows("slow requests", {group: lines})
    latencies = [float(row["latency"]) for row in found]
    assert latencies == sorted(latencies, reverse=True)
    assert {12_000.0, 4_000.0} <= set(latencies)
    assert min(latencies) > 3_000


def test_the_pages_commands_say_how_many_are_connected_and_who_has_revoked(run: Run) -> None:
    connected, nobody, left, revoked = run.answers
    assert (connected["Count"], left["Count"]) == (1, 0)
    assert nobody["Items"] == []
    (found,) = revoked["Items"]
    assert (found["user_id"]["S"], found["cause"]["S"]) == (run.app.user.user_id, "token_revoked")
    rows_found = rows(run, "whose tokens were refused, who disconnected")
    (row,) = [row for row in rows_found if row["state"] == "refused"]
    assert (row["user_id"], row["cause"]) == (run.app.user.user_id, "token_revoked")
    assert ("revoked", run.app.user.user_id) in [(row["message"], row["user_id"]) for row in rows_found]
