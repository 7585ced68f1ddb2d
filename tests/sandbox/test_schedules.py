import json
import time
from pathlib import Path

import pytest

from sandbox.runtime.functions import UnknownFunctionError
from sandbox.world import Sandbox
from tests.support.waiting import eventually


def test_a_schedule_is_run_by_hand(told: Sandbox) -> None:
    for function in ("told-ticked", "Ticked"):
        outcome = told.run_schedule(function)
        assert (outcome.error, outcome.payload) == (None, {"batchItemFailures": []})
    event = json.loads(outcome.log)["event"]
    assert abs(time.mktime(time.strptime(event.pop("time"), "%Y-%m-%dT%H:%M:%SZ")) - time.mktime(time.gmtime())) < 10
    assert len(event.pop("id")) == 36
    account = told.aws_server.account
    assert event == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": account,
        "region": "us-east-1",
        "resources": [f"arn:aws:events:us-east-1:{account}:rule/told-ticked"],
        "detail": {},
    }


def test_a_schedule_of_eventbridge_scheduler_sends_its_own_event(told: Sandbox) -> None:
    event = json.loads(told.run_schedule("told-ticked-too").log)["event"]
    assert (event["source"], event["detail"]) == ("aws.scheduler", "{}")
    assert event["resources"] == [f"arn:aws:scheduler:us-east-1:{told.aws_server.account}:schedule/default/sweep"]


@pytest.mark.parametrize("name", [None, "told-listen"])
def test_which_schedule_must_be_clear(told: Sandbox, name: str | None) -> None:
    with pytest.raises(UnknownFunctionError):
        told.run_schedule(name)


def test_a_schedule_runs_by_itself_where_asked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.sources.schedule._UNITS", {"minute": 0.05, "hour": 3600.0, "day": 86400.0})
    with Sandbox(template=path, schedules=True) as sandbox:
        assert eventually(lambda: sum("told-ticked" in line for line in sandbox.logs.lines) > 1)
        assert "told-ticked-too" not in sandbox.logs.text
