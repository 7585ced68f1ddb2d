"""Two small worlds of their own templates: functions that echo, or do as they are told; and functions with event sources."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sandbox.aws.server import AwsServer
from sandbox.world import Sandbox
from tests.support import event_sources

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Prefix: {Type: String, Default: small}
  Colour: {Type: String, Default: green}
Globals:
  Function:
    Handler: handler.handler
    Timeout: 20
    Environment:
      Variables: {COLOUR: !Ref Colour, TABLE: !Ref Items}
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth: {EnableIamAuthorizer: true}
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [{Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}]
      FunctionName: !Sub "${Prefix}-echo"
      CodeUri: echo/
      MemorySize: 512
      Environment:
        Variables: {OWN: "yes"}
      Events:
        One: {Type: HttpApi, Properties: {Method: GET, Path: "/echo/{name}"}}
        Form: {Type: HttpApi, Properties: {Method: POST, Path: /echo}}
        Deep: {Type: HttpApi, Properties: {Method: ANY, Path: "/deep/{rest+}"}}
        Signed: {Type: HttpApi, Properties: {Method: POST, Path: "/signed/{user_id}", Auth: {Authorizer: AWS_IAM}}}
  Act:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [{Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}]
      FunctionName: !Sub "${Prefix}-act"
      CodeUri: act/
      AutoPublishAlias: live
      Timeout: 1
      Environment:
        Variables: {KEY: !GetAtt Sealing.Arn}
      Events:
        Act: {Type: HttpApi, Properties: {Method: POST, Path: /act}}
  Broken:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [{Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}]
      FunctionName: !Sub "${Prefix}-broken"
      CodeUri: broken/
  Items:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}
      StreamSpecification: {StreamViewType: KEYS_ONLY}
  Note:
    Type: AWS::SSM::Parameter
    Properties: {Name: !Sub "/${Prefix}/note", Type: String, Value: !GetAtt Items.Arn}
  Bus:
    Type: AWS::Events::EventBus
    Properties: {Name: !Sub "${Prefix}-bus"}
  Dead:
    Type: AWS::SQS::Queue
    Properties: {MessageRetentionPeriod: 1209600}
  Sealing:
    Type: AWS::KMS::Key
    Properties:
      Description: seals
      EnableKeyRotation: true
      KeyPolicy:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {AWS: !Ref "AWS::AccountId"}, Action: "kms:*", Resource: "*"}]
  SealingName:
    Type: AWS::KMS::Alias
    Properties: {AliasName: !Sub "alias/${Prefix}-seal", TargetKeyId: !Ref Sealing}
"""

ECHO = """
import json, os
def handler(event, context):
    told = {
        "remaining": context.get_remaining_time_in_millis(), "function_name": context.function_name,
        "arn": context.invoked_function_arn, "memory": context.memory_limit_in_mb, "id": context.aws_request_id,
        "client_context": context.client_context,
    }
    print("echo", context.aws_request_id)
    everything = {"event": event, "environment": dict(os.environ), "context": told, "pid": os.getpid(), "cwd": os.getcwd()}
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(everything)}
"""

ACT = """
import base64, json, os, time
import boto3
def handler(event, context):
    if "body" in event:
        body = event["body"]
        event = json.loads(base64.b64decode(body) if event["isBase64Encoded"] else body)
    match event["do"]:
        case "answer": return event["result"]
        case "raise": raise LookupError("nothing there")
        case "sleep": time.sleep(event["seconds"])
        case "exit": os._exit(3)
        case "set": return {1, 2}
        case "leave": raise SystemExit
        case "call":
            boto3.client("dynamodb").get_item(TableName=os.environ["TABLE"], Key={"pk": {"S": event["pk"]}})
        case "seal":
            return boto3.client("kms").encrypt(KeyId=os.environ["KEY"], Plaintext=b"hidden")["KeyId"]
        case "tell":
            boto3.client("events").put_events(Entries=[event["entry"]])
            return boto3.client("ssm").get_parameter(Name=event["parameter"])["Parameter"]["Value"]
    return os.getpid()
"""


@pytest.fixture(scope="session")
def template_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    for name, code in {"echo": ECHO, "act": ACT, "broken": "import no_such_module\n"}.items():
        (folder / name).mkdir()
        (folder / name / "handler.py").write_text(code)
    (folder / "template.yaml").write_text(TEMPLATE)
    return folder / "template.yaml"


@pytest.fixture(scope="session")
def small(template_path: Path) -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOO", "of the parent")
        with Sandbox(template=template_path, settings={"EXTRA": "setting"}) as sandbox:
            yield sandbox


@pytest.fixture(scope="session")
def aws(small: Sandbox) -> AwsServer:
    return small.aws_server


@pytest.fixture(scope="session")
def vault(small: Sandbox) -> Any:
    return small.client("secretsmanager")


@pytest.fixture(scope="session")
def items(small: Sandbox) -> Any:
    return small.client("dynamodb")


@pytest.fixture
def name() -> str:
    return f"small/user/x/{uuid4().hex}"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return event_sources.lay(tmp_path_factory.mktemp("told"))


@pytest.fixture(scope="module")
def told(path: Path) -> Iterator[Sandbox]:
    with Sandbox(template=path) as sandbox:
        yield sandbox
