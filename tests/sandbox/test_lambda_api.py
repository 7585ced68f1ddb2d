import base64
import json
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from sandbox.aws.iam import Policy
from sandbox.world import Sandbox
from tests.support.waiting import eventually


@pytest.fixture(scope="session")
def client(small: Sandbox) -> Any:
    return small.client("lambda")


def test_boto3_invokes_a_function(client: Any) -> None:
    answer = client.invoke(FunctionName="small-act", Payload=json.dumps({"do": "answer", "result": {"grün": [1, None]}}))
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    assert json.load(answer["Payload"]) == {"grün": [1, None]}


@pytest.mark.parametrize("way", ["{arn}", "{arn}:$LATEST", "{account}:function:{name}", "{name}:live"])
def test_a_function_goes_by_its_arn_too(small: Sandbox, client: Any, way: str) -> None:
    function = small.functions.function("small-act")
    name = way.format(arn=function.arn, account=small.aws_server.account, name=function.name)
    answer = client.invoke(FunctionName=name, Payload=b'{"do": "answer", "result": 1}')
    assert json.load(answer["Payload"]) == 1


def test_an_exception_is_a_function_error(client: Any) -> None:
    answer = client.invoke(FunctionName="small-act", Payload=b'{"do": "raise"}')
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.load(answer["Payload"])["errorType"] == "LookupError"


def test_the_log_comes_with_the_answer_when_asked_for(client: Any) -> None:
    answer = client.invoke(FunctionName="small-echo", LogType="Tail", Payload=b"{}")
    assert base64.b64decode(answer["LogResult"]).startswith(b"echo ")


def test_an_event_invocation_is_accepted_and_runs(small: Sandbox, client: Any) -> None:
    answer = client.invoke(FunctionName="small-act", InvocationType="Event", Payload=b'{"do": "call", "pk": "in-the-background"}')
    assert answer["StatusCode"] == 202
    assert eventually(lambda: small.aws_server.called("dynamodb", "GetItem", "in-the-background"))


def test_a_dry_run_runs_nothing(small: Sandbox, client: Any) -> None:
    answer = client.invoke(FunctionName="small-act", InvocationType="DryRun", Payload=b'{"do": "call", "pk": "dry"}')
    assert answer["StatusCode"] == 204
    assert not small.aws_server.called("dynamodb", "GetItem", "dry")


def test_an_unknown_function_is_not_found(client: Any) -> None:
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="small-nobody"):
        client.invoke(FunctionName="small-nobody")


def test_a_payload_that_is_not_json_is_refused(client: Any) -> None:
    with pytest.raises(ClientError) as caught:
        client.invoke(FunctionName="small-act", Payload=b"nonsense")
    assert caught.value.response["Error"]["Code"] == "InvalidRequestContentException"


def test_anything_else_is_not_found(small: Sandbox) -> None:
    assert requests.post(f"{small.lambda_}/2015-03-31/functions", timeout=5).status_code == 404


def test_a_functions_configuration_is_told(client: Any) -> None:
    told = client.get_function_configuration(FunctionName="small-echo")
    assert (told["FunctionName"], told["MemorySize"], told["State"], told["Version"]) == ("small-echo", 512, "Active", "$LATEST")
    assert told["Environment"]["Variables"]["OWN"] == "yes"
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function_configuration(FunctionName="small-echo", Qualifier="nobody")


def test_a_function_that_was_described_otherwise_or_taken_away_is_told_so(small: Sandbox, client: Any) -> None:
    small.functions.describe("small-echo", State="Failed")
    assert client.get_function_configuration(FunctionName="small-echo")["State"] == "Failed"
    small.functions.describe("small-echo")
    bring_back = small.functions.take_away("small-echo")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function_configuration(FunctionName="small-echo")
    bring_back()
    assert client.get_function_configuration(FunctionName="small-echo")["State"] == "Active"


def test_a_caller_with_a_role_needs_the_right_to_ask(small: Sandbox) -> None:
    small.aws_server.roles["asks"] = Policy(
        [{"Statement": {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}}]
    )
    asking = small._client_of_lambda("lambda", "asks")
    with pytest.raises(ClientError, match="GetFunctionConfiguration"):
        asking.get_function_configuration(FunctionName="small-echo")
