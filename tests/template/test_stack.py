"""What the stack must have, and no checker asks for."""

import json
import re
from typing import Any

import pytest

from sandbox.aws.iam import ATTRIBUTES, FORCE_DELETE, LEADING_KEYS, RETURN_VALUES, Check, Policy
from sandbox.world import Sandbox
from tests.support.parameter_changes import FUNCTIONS
from tests.support.translated import TranslatedStack, source, stack
from tripod_flow.api.invocation import API_ALIAS
from tripod_flow.flows import relay
from tripod_flow.rules import connection, transitions

BROWSERS = ("StartFunction", "CallbackFunction")
INTEGRATION_TIMEOUT = 30  # seconds; the longest that an HTTP API waits


@pytest.fixture
def default() -> TranslatedStack:
    return stack()


def test_the_functions_are_these(default: TranslatedStack) -> None:
    assert set(default.functions()) == set(FUNCTIONS)


def test_no_function_has_what_the_sandbox_sets(default: TranslatedStack) -> None:
    for function in FUNCTIONS:
        assert not {"TRIPOD_LOOPBACK_HTTP", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA"} & default.environment(function).keys()


def test_the_table_outlives_the_stack_and_what_it_holds_lapses(default: TranslatedStack) -> None:
    table = default.one("Table")
    policies = (default.raw("Table")["DeletionPolicy"], default.raw("Table")["UpdateReplacePolicy"])
    assert policies == ("RetainExceptOnCreate", "Retain")
    assert "TableName" not in table  # the next deployment's table would find it taken
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert table["SSESpecification"]["SSEEnabled"] is True
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["StreamSpecification"] == {"StreamViewType": "KEYS_ONLY"}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_what_the_relay_gives_up_is_kept(default: TranslatedStack) -> None:
    queue = default.attribute("DeadLetters", "Arn")
    stream = default.one("RelayFunctionChanges")
    assert stream["DestinationConfig"]["OnFailure"]["Destination"] == queue
    assert (stream["BisectBatchOnFunctionError"], stream["MaximumRetryAttempts"]) == (True, 3)
    (target,) = default.one("RelayFunctionSweep")["Targets"]
    assert target["DeadLetterConfig"]["Arn"] == queue
    invoked = default.one("RelayFunctionEventInvokeConfig")
    assert invoked["DestinationConfig"]["OnFailure"]["Destination"] == queue
    kept = default.one("DeadLetters")
    assert (kept["MessageRetentionPeriod"], kept["SqsManagedSseEnabled"]) == (1209600, True)


def test_the_schedule_may_send_to_the_queue_and_nobody_else(default: TranslatedStack) -> None:
    (statement,) = default.one("DeadLettersPolicy")["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    assert "aws:SourceArn" in statement["Condition"]["ArnLike"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_logs_into_its_own_group(default: TranslatedStack, function: str) -> None:
    described = default.one(function)
    group = described["LoggingConfig"]["LogGroup"]
    assert group == f"/aws/lambda/{described['FunctionName']}"
    assert group in {one["LogGroupName"] for one in default.resources("AWS::Logs::LogGroup").values()}


def test_no_log_is_kept_for_ever(default: TranslatedStack) -> None:
    groups = default.resources("AWS::Logs::LogGroup")
    assert len(groups) == len(FUNCTIONS) + 1
    assert {int(group["RetentionInDays"]) for group in groups.values()} == {30}


def test_the_access_log_has_no_query(default: TranslatedStack) -> None:
    settings = default.one("HttpApiApiGatewayDefaultStage")["AccessLogSettings"]
    assert settings["DestinationArn"] == default.attribute("AccessLogs", "Arn")
    named = set(re.findall(r"\$context\.([A-Za-z.]+)", settings["Format"]))
    assert named == {
        *("requestId", "requestTime", "identity.sourceIp", "httpMethod", "path", "status", "responseLatency"),
        "integrationErrorMessage",
    }
    assert json.loads(settings["Format"])["path"] == "$context.path"


def test_the_access_log_takes_no_room_in_the_accounts_policy_for_log_delivery(default: TranslatedStack) -> None:
    assert default.one("AccessLogs")["LogGroupName"] == "/aws/vendedlogs/apigateway/tripod"


def test_every_public_route_is_throttled(default: TranslatedStack) -> None:
    settings = default.one("HttpApiApiGatewayDefaultStage")["DefaultRouteSettings"]
    assert settings == {"ThrottlingRateLimit": "50", "ThrottlingBurstLimit": "100"}


def test_a_route_has_no_settings_of_its_own_that_would_stand_in_the_way_of_its_removal(default: TranslatedStack) -> None:
    assert "RouteSettings" not in default.one("HttpApiApiGatewayDefaultStage")


def test_disconnecting_over_http_wants_aws_signature(default: TranslatedStack) -> None:
    assert default.routes()["POST /oauth/{provider}/users/{user_id}/revoke"]["security"] == [{"AWS_IAM": []}]


def test_nothing_else_is_open(default: TranslatedStack) -> None:
    assert default.resources("AWS::Lambda::Url") == {}
    invokers = {
        (one["Principal"], one["FunctionName"].rpartition("tripod-")[2])
        for one in default.resources("AWS::Lambda::Permission").values()
    }
    gateway = "apigateway.amazonaws.com"
    assert invokers == {
        (gateway, "start:live"),
        (gateway, "callback:live"),
        (gateway, "revoke"),
        ("events.amazonaws.com", "relay"),
        ("events.amazonaws.com", "check"),
    }
    assert all("SourceArn" in one for one in default.resources("AWS::Lambda::Permission").values())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_runs_on_what_the_layers_are_built_for(default: TranslatedStack, function: str) -> None:
    described = default.one(function)
    for layer in default.resources("AWS::Lambda::LayerVersion").values():
        assert layer["CompatibleRuntimes"] == [described["Runtime"]] == ["python3.13"]
        assert layer["CompatibleArchitectures"] == described["Architectures"] == ["arm64"]
    assert len(described["Layers"]) == 2


@pytest.mark.parametrize("function", [*BROWSERS, "RevokeFunction"])
def test_a_function_behind_the_api_ends_before_the_api_gives_up(default: TranslatedStack, function: str) -> None:
    assert default.one(function)["Timeout"] < INTEGRATION_TIMEOUT


def test_the_public_layers_versions_stay_and_the_flows_do_not(default: TranslatedStack) -> None:
    policies: dict[str, Any] = {
        name.removesuffix(name[-10:]): default.raw(name).get("DeletionPolicy")
        for name in default.resources("AWS::Lambda::LayerVersion")
    }
    assert policies == {"TripodLayer": "Retain", "FlowLayer": "Delete"}


def test_every_output_is_described() -> None:
    assert all(output["Description"] for output in source()["Outputs"].values())


STREAMS = {  # what AWSLambdaDynamoDBExecutionRole allows, beside logs
    "Effect": "Allow",
    "Action": ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"],
    "Resource": "*",
}


def test_no_role_has_more_of_awss_own_policies_than_these(default: TranslatedStack) -> None:
    attached = {
        name: {one.rpartition("/")[2] for one in role["ManagedPolicyArns"]}
        for name, role in default.resources("AWS::IAM::Role").items()
    }
    relays = attached.pop("RelayFunctionRole")
    assert relays == {"AWSLambdaBasicExecutionRole", "AWSLambdaDynamoDBExecutionRole"}
    assert set(map(frozenset, attached.values())) == {frozenset({"AWSLambdaBasicExecutionRole"})}


@pytest.mark.parametrize("action", ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"])
def test_the_relay_reads_the_tables_stream_and_no_other(default: TranslatedStack, action: str) -> None:
    inline = [document for name, document in default.policies().items() if name.startswith("RelayFunctionRole")]
    role = Policy([*inline, {"Statement": STREAMS}])
    own = default.attribute("Table", "StreamArn")
    assert role.allows(Check(action, own))
    assert not role.allows(Check(action, own.replace("table/", "table/other-")))


def test_a_lease_outlasts_the_function_that_holds_it(default: TranslatedStack) -> None:
    assert int(default.one("CallbackFunction")["Timeout"]) < transitions.LEASE
    assert int(default.one("RelayFunction")["Timeout"]) < min(relay.RELAY_LEASE, connection.WRITING)
    assert int(default.one("RevokeFunction")["Timeout"]) < connection.WRITING


def test_only_the_api_may_invoke_the_alias_that_it_calls(default: TranslatedStack) -> None:
    for function in ("StartFunction", "CallbackFunction"):
        alias = default.one(f"{function}Aliaslive")
        assert alias["Name"] == API_ALIAS
        permissions = default.resources("AWS::Lambda::Permission").values()
        qualified = f":{default.one(function)['FunctionName']}:{API_ALIAS}"
        invokers = {each["Principal"] for each in permissions if each["FunctionName"].endswith(qualified)}
        assert invokers == {"apigateway.amazonaws.com"}
    invoked = default.policies()["BeginAuthorizations"]["Statement"][0]["Resource"]
    assert not [arn for arn in invoked if str(arn).endswith((f":{API_ALIAS}", "*"))]


@pytest.mark.parametrize(
    ("function", "action", "key", "allowed"),
    [
        ("start", "PutItem", "authorization#x#t", True),
        ("start", "PutItem", "connection#x#1", False),
        ("revoke", "UpdateItem", "connection#x#1", True),
        ("revoke", "UpdateItem", "authorization#x#t", False),
        ("revoke", "GetItem", "authorization#x#t", False),
        ("check", "UpdateItem", "connection#x#1", True),
        ("check", "GetItem", "authorization#x#t", False),
        ("check", "UpdateItem", "authorization#x#t", False),
        ("check", "UpdateItem", "checks", True),
    ],
)
def test_a_function_has_only_its_own_kind_of_items(function: str, action: str, key: str, allowed: bool, sandbox: Sandbox) -> None:
    policy = sandbox.aws_server.roles[f"{sandbox.prefix}-{function}"]
    table = f"arn:aws:dynamodb:us-east-1:{sandbox.aws_server.account}:table/{sandbox.table}"
    assert policy.allows(Check(f"dynamodb:{action}", table, {LEADING_KEYS: (key,), ATTRIBUTES: ("pk",)})) is allowed


@pytest.mark.parametrize(
    "forged", ["pending_tokens", "user_id", "claim_id", "granted_at", "outbox", "outbox_due", "pending_event"]
)
def test_what_start_puts_can_not_pass_for_a_grant(forged: str, sandbox: Sandbox) -> None:
    policy = sandbox.aws_server.roles[f"{sandbox.prefix}-start"]
    table = f"arn:aws:dynamodb:us-east-1:{sandbox.aws_server.account}:table/{sandbox.table}"
    for names, allowed in ((("pk", "state", "request_secret"), True), (("pk", "state", forged), False)):
        context = {LEADING_KEYS: ("authorization#x#t",), ATTRIBUTES: names}
        assert policy.allows(Check("dynamodb:PutItem", table, context)) is allowed
        assert policy.allows(Check("dynamodb:PutItem", table, context | {RETURN_VALUES: ("NONE",)})) is allowed
        assert not policy.allows(Check("dynamodb:PutItem", table, context | {RETURN_VALUES: ("ALL_OLD",)}))


@pytest.mark.parametrize("function", ["revoke", "relay"])
def test_no_function_deletes_a_secret_for_good(function: str, sandbox: Sandbox) -> None:
    policy = sandbox.aws_server.roles[f"{sandbox.prefix}-{function}"]
    secret = f"arn:aws:secretsmanager:us-east-1:{sandbox.aws_server.account}:secret:{sandbox.prefix}/user/x/1-AbCdEf"
    for forced in ("true", "false"):
        assert policy.allows(Check("secretsmanager:DeleteSecret", secret, {FORCE_DELETE: (forced,)})) is (forced == "false")


def test_the_dead_letters_are_of_this_stacks_schedule_alone(default: TranslatedStack) -> None:
    (statement,) = default.one("DeadLettersPolicy")["PolicyDocument"]["Statement"]
    assert statement["Condition"]["ArnLike"]["aws:SourceArn"].endswith("RelayFunctionSweep")
    assert "*" not in statement["Condition"]["ArnLike"]["aws:SourceArn"]


@pytest.mark.parametrize("parameters", [{}, {"SignProvider": "flickr"}])
def test_sign_reads_what_signs_and_nothing_else(parameters: dict[str, str]) -> None:
    one = stack(**parameters, TokenKey="on")
    folder, items = ("flickr-??????", "flickr") if parameters else ("*", "")
    statements = {each["Action"]: each for each in one.policies()["SignFunctionRole 0"]["Statement"]}
    secrets = [each.partition(":secret:")[2] for each in statements["secretsmanager:GetSecretValue"]["Resource"]]
    assert secrets == [f"tripod/consumer/{folder}", f"tripod/user/{items}/*" if items else "tripod/user/*"]
    get = statements["dynamodb:GetItem"]
    assert get["Resource"] == one.attribute("Table", "Arn")
    assert get["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": f"connection#{items}#*" if items else "connection#*"},
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["pk", "sealed_tokens", "revoked_at"]},
        "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
    }
    bound = {"kms:EncryptionContext:tripod:provider": items} if items else {}
    assert statements["kms:Decrypt"]["Condition"]["StringEquals"] == {"kms:EncryptionContext:tripod:prefix": "tripod"} | bound
    assert statements.keys() == {"secretsmanager:GetSecretValue", "dynamodb:GetItem", "kms:Decrypt"}
    assert one.environment("SignFunction")["TRIPOD_SIGN_PROVIDER"] == items
