import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from sandbox.runtime.functions import Functions, InvocationResult, UnknownFunctionError
from sandbox.runtime.logs import Logs
from sandbox.template.template import Function, Template
from sandbox.world import Sandbox
from tests.support.waiting import eventually


def act(small: Sandbox, **instructions: Any) -> InvocationResult:
    return small.functions.invoke("small-act", instructions)


def alive(pid: int) -> bool:
    """Tell whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_function_sees_the_templates_environment_and_no_other(small: Sandbox) -> None:
    seen = small.functions.invoke("small-echo", {}).payload["body"]
    environment = json.loads(seen)["environment"]
    assert os.environ["FOO"] == "of the parent"
    assert environment["COLOUR"] == "green"
    assert environment["TABLE"] == small.table
    assert environment["OWN"] == "yes"
    assert environment["EXTRA"] == "setting"
    assert environment["TRIPOD_LOOPBACK_HTTP"] == "true"
    assert environment["AWS_ENDPOINT_URL"] == small.aws
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "small-echo"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "512"
    ours = ("AWS_", "LAMBDA_", "_HANDLER", "TRIPOD_")
    rest = {name for name in environment if not name.startswith(ours)}
    assert rest == {"COLOUR", "TABLE", "OWN", "EXTRA", "HOME", "LANG", "PATH", "TZ"}


def test_a_function_sees_one_functions_variables_and_not_anothers(small: Sandbox) -> None:
    assert "OWN" not in next(each for each in small.template.functions() if each.logical_id == "Act").environment


def test_a_function_is_reconfigured_while_it_runs(small: Sandbox) -> None:
    functions, slow = small.functions, []
    before = functions.invoke("small-act", {"do": "answer"}).payload
    running = threading.Thread(target=lambda: slow.append(act(small, do="sleep", seconds=0.5)))
    running.start()
    functions.reconfigure("small-act", {"TABLE": "another"})
    failed = act(small, do="call", pk="a")
    functions.reconfigure("small-act", {"TABLE": small.table})
    running.join()
    assert failed.error == "Unhandled"
    assert [outcome.error for outcome in slow] == [None]
    assert functions.invoke("small-act", {"do": "call", "pk": "a"}, alias="live").payload != before


def test_a_handler_gets_lambdas_context(small: Sandbox) -> None:
    outcome = small.functions.invoke("small-echo", {}, {"custom": {"a": 1}})
    context = json.loads(outcome.payload["body"])["context"]
    assert 19_000 < context["remaining"] <= 20_000
    assert (context["function_name"], context["memory"]) == ("small-echo", "512")
    assert context["arn"] == small.functions.function("small-echo").arn
    assert context["id"] == outcome.request_id
    assert context["client_context"] == {"custom": {"a": 1}}


def test_30_events_at_once_run_in_30_processes(small: Sandbox) -> None:
    pids: list[int] = []
    together = threading.Barrier(30)

    def invoke() -> None:
        child = pool.take()
        together.wait()  # each has its process before the first is done
        pids.append(child.answer(request, time.time() + 10)["result"])
        pool.give_back(child)

    pool = small.functions._pools["small-act", ""]
    request = {
        "event": {"do": "sleep", "seconds": 0},
        "request_id": "1",
        "deadline": time.time(),
        "arn": "",
        "client_context": None,
    }
    threads = [threading.Thread(target=invoke) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(pids)) == 30
    assert os.getpid() not in pids


def test_a_process_serves_one_event_after_another(small: Sandbox) -> None:
    assert act(small, do="sleep", seconds=0).payload == act(small, do="sleep", seconds=0).payload


def test_an_exception_is_described_as_lambda_does(small: Sandbox) -> None:
    outcome = act(small, do="raise")
    assert outcome.error == "Unhandled"
    assert (outcome.payload["errorType"], outcome.payload["errorMessage"]) == ("LookupError", "nothing there")
    assert "handler.py" in outcome.payload["stackTrace"][0]
    assert "LookupError: nothing there" in outcome.log


def test_a_timeout_ends_the_process(small: Sandbox) -> None:
    pid = act(small, do="sleep", seconds=0).payload
    began = time.monotonic()
    outcome = act(small, do="sleep", seconds=30)
    assert 0.9 < time.monotonic() - began < 3
    assert (outcome.payload["errorType"], outcome.timed_out) == ("Sandbox.Timedout", True)
    assert eventually(lambda: not alive(pid))
    assert act(small, do="sleep", seconds=0).payload != pid


@pytest.mark.parametrize("way", ["exit", "leave"])
def test_a_process_that_ends_is_an_error_and_the_next_event_gets_another(small: Sandbox, way: str) -> None:
    outcome = act(small, do=way)
    assert (outcome.error, outcome.payload["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert act(small, do="sleep", seconds=0).error is None


def test_an_answer_that_is_not_json_is_an_error(small: Sandbox) -> None:
    assert act(small, do="set").payload["errorType"] == "Runtime.MarshalError"


def test_a_handler_that_cannot_be_imported_says_so_at_each_event(small: Sandbox) -> None:
    for _ in range(2):
        outcome = small.functions.invoke("small-broken", {})
        assert outcome.payload["errorType"] == "Runtime.ImportModuleError"
        assert "no_such_module" in outcome.payload["errorMessage"]
    assert "Runtime.ImportModuleError" in small.logs.text


def test_an_unknown_function_is_an_error(small: Sandbox) -> None:
    with pytest.raises(UnknownFunctionError):
        small.functions.invoke("small-nobody", {})


def test_what_an_event_prints_is_logged_when_its_answer_is_there(small: Sandbox) -> None:
    outcome = small.functions.invoke("small-echo", {})
    assert outcome.log == f"echo {outcome.request_id}\n"
    assert f"echo {outcome.request_id}" in small.logs.lines


def test_stopping_ends_busy_processes_at_once(template_path: Path) -> None:
    function = next(each for each in Template(template_path).functions() if each.logical_id == "Act")
    functions = Functions(Logs())
    functions.add([Function(**{**vars(function), "timeout": 30.0})], {})
    idle = functions.invoke(function.name, {"do": "sleep", "seconds": 0}).payload
    outcomes: list[InvocationResult] = []
    busy = threading.Thread(target=lambda: outcomes.append(functions.invoke(function.name, {"do": "sleep", "seconds": 30})))
    busy.start()
    assert eventually(lambda: not functions._pools[function.name, ""]._idle)
    began = time.monotonic()
    functions.stop()
    busy.join(5)
    assert time.monotonic() - began < 1
    assert outcomes[0].payload["errorType"] == "Runtime.ExitError"
    assert not alive(idle)


def test_stopping_during_the_import_ends_it(tmp_path: Path) -> None:
    (tmp_path / "handler.py").write_text("import time\ntime.sleep(60)\n")
    function = Function("Slow", "slow", "arn", tmp_path, "handler.handler", 3, 128, {}, (), (), (), "", {})
    functions = Functions(Logs())
    functions.add([function], {})
    first = threading.Thread(target=functions.invoke, args=("slow", {}))
    first.start()
    assert eventually(lambda: functions._pools["slow", ""]._process)
    process = functions._pools["slow", ""]._process
    assert process.args[0] == sys.executable
    began = time.monotonic()
    functions.stop()
    first.join(5)
    assert time.monotonic() - began < 1
    assert process.returncode is not None
