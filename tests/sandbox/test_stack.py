"""What a template's references resolve to, and that the resources are really there; and what the sandbox passes over."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.template.template import Template
from sandbox.world import Sandbox

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Prefix: {Type: String, Default: whole}
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties: {Auth: {EnableIamAuthorizer: true}}
  Revoke:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub "${Prefix}-revoke"
      CodeUri: one/
      Handler: handler.handler
      Environment:
        Variables:
          BUS: !Ref Bus
          QUEUE: !Ref Dead
          QUEUE_ARN: !GetAtt Dead.Arn
          QUEUE_NAME: !GetAtt Dead.QueueName
          PARAMETER: !Ref LayerArn
      Policies:
        - !Ref MayRead
        - Version: "2012-10-17"
          Statement:
            - {Effect: Allow, Action: events:PutEvents, Resource: !GetAtt Bus.Arn}
            - {Effect: Allow, Action: dynamodb:Query, Resource: !Sub "${Items.Arn}/index/owed"}
            - {Effect: Allow, Action: dynamodb:GetRecords, Resource: !GetAtt Items.StreamArn}
      Events:
        Revoke:
          Type: HttpApi
          Properties:
            ApiId: !Ref Api
            Method: POST
            Path: /oauth/{provider}/users/{user_id}/revoke
            Auth:
              Authorizer: AWS_IAM
        Open:
          Type: HttpApi
          Properties: {ApiId: !Ref Api, Method: POST, Path: /open}
  Items:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - {AttributeName: pk, AttributeType: S}
        - {AttributeName: owed, AttributeType: S}
        - {AttributeName: since, AttributeType: N}
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - IndexName: owed
          KeySchema: [{AttributeName: owed, KeyType: HASH}, {AttributeName: since, KeyType: RANGE}]
          Projection: {ProjectionType: KEYS_ONLY}
      StreamSpecification: {StreamViewType: KEYS_ONLY}
  LayerArn:
    Type: AWS::SSM::Parameter
    Properties: {Name: !Sub "/${Prefix}/layer-arn", Type: String, Value: !Ref Layer}
  ApiUrl:
    Type: AWS::SSM::Parameter
    Properties:
      Name: !Sub "/${Prefix}/api-url"
      Type: String
      Value: !Sub "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"
  Endpoint:
    Type: AWS::SSM::Parameter
    Properties: {Type: String, Value: !GetAtt Api.ApiEndpoint}
  Layer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: one/}
  Bus:
    Type: AWS::Events::EventBus
    Properties: {Name: !Ref Prefix}
  Dead:
    Type: AWS::SQS::Queue
    Properties: {MessageRetentionPeriod: 1209600, SqsManagedSseEnabled: true}
  MayRead:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: !GetAtt Dead.Arn}]}
  Elsewhere:
    Type: AWS::S3::Bucket
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !GetAtt Revoke.Arn
      EventSourceArn: !GetAtt Items.StreamArn
      DestinationConfig: {OnFailure: {Destination: !GetAtt Elsewhere.Arn}}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: !Sub "${Prefix}-dead"
      Namespace: AWS/SQS
      MetricName: ApproximateNumberOfMessagesVisible
      Dimensions: [{Name: QueueName, Value: !GetAtt Dead.QueueName}]
      Statistic: Maximum
      Period: 300
      EvaluationPeriods: 1
      Threshold: 0
      ComparisonOperator: GreaterThanThreshold
"""

HANDLER = """
import os, boto3
def handler(event, context):
    sqs = boto3.client("sqs")
    sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody="by its URL")
    return dict(os.environ)
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("whole")
    (folder / "one").mkdir()
    (folder / "one" / "handler.py").write_text(HANDLER)
    (folder / "template.yaml").write_text(TEMPLATE)
    with Sandbox(template=folder / "template.yaml", streams=False) as sandbox:
        yield sandbox


def test_references_are_what_the_services_say(whole: Sandbox) -> None:
    reference, attribute = whole.template.reference, whole.template.attribute
    bus = whole.client("events").describe_event_bus(Name=reference("Bus"))
    assert (bus["Name"], bus["Arn"]) == (attribute("Bus", "Name"), attribute("Bus", "Arn"))
    parameter = whole.client("ssm").get_parameter(Name=reference("LayerArn"))["Parameter"]
    assert (parameter["Value"], parameter["Type"]) == (reference("Layer"), "String")
    sqs, url = whole.client("sqs"), reference("Dead")
    assert sqs.get_queue_url(QueueName=attribute("Dead", "QueueName"))["QueueUrl"] == url
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (attributes["QueueArn"], attributes["MessageRetentionPeriod"]) == (attribute("Dead", "Arn"), "1209600")
    table = whole.client("dynamodb").describe_table(TableName=reference("Items"))["Table"]
    assert (table["TableArn"], table["LatestStreamArn"]) == (attribute("Items", "Arn"), attribute("Items", "StreamArn"))


def test_a_function_gets_them_and_sends_to_a_queue_by_its_url(whole: Sandbox) -> None:
    environment = whole.functions.invoke("whole-revoke", {}).payload
    account = whole.aws_server.account
    assert (environment["BUS"], environment["PARAMETER"]) == ("whole", "/whole/layer-arn")
    assert environment["QUEUE_ARN"] == f"arn:aws:sqs:us-east-1:{account}:whole-Dead"
    messages = whole.client("sqs").receive_message(QueueUrl=whole.template.reference("Dead"))["Messages"]
    assert [message["Body"] for message in messages] == ["by its URL"]


@pytest.mark.parametrize("parameter", ["ApiUrl", "Endpoint"])
def test_a_parameter_with_the_apis_address_has_the_one_here(whole: Sandbox, parameter: str) -> None:
    found = whole.client("ssm").get_parameter(Name=whole.template.reference(parameter))["Parameter"]
    assert found["Value"] == whole.api


def test_policies_are_resolved_to_real_names(whole: Sandbox) -> None:
    (function,) = whole.template.functions()
    account = whole.aws_server.account
    managed, own = function.properties["Policies"]
    assert managed == f"arn:aws:iam::{account}:policy/whole-MayRead"
    assert [each["Resource"] for each in own["Statement"]] == [
        f"arn:aws:events:us-east-1:{account}:event-bus/whole",
        f"arn:aws:dynamodb:us-east-1:{account}:table/whole-Items/index/owed",
        whole.template.attribute("Items", "StreamArn"),
    ]


def test_what_the_sandbox_has_no_use_for_is_passed_over(whole: Sandbox) -> None:
    assert whole.client("sqs").list_queues()["QueueUrls"] == [whole.template.reference("Dead")]
    assert "Elsewhere" in whole.template._resources


def test_an_alarm_is_there_and_rings_when_it_is_told_to(whole: Sandbox) -> None:
    client = whole.client("cloudwatch")
    client.set_alarm_state(AlarmName="whole-dead", StateValue="ALARM", StateReason="a test says so")
    (alarm,) = client.describe_alarms(StateValue="ALARM")["MetricAlarms"]
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": "whole-Dead"}]


def test_an_events_own_authorizer_is_read(whole: Sandbox) -> None:
    (function,) = whole.template.functions()
    assert [(route.key, route.iam) for route in function.routes] == [
        ("POST /oauth/{provider}/users/{user_id}/revoke", True),
        ("POST /open", False),
    ]


def test_before_it_exists_a_stream_has_a_name_that_cannot_be_mistaken(whole: Sandbox) -> None:
    assert Template(Path(whole.template.path)).attribute("Items", "StreamArn").endswith("/stream/not-created-yet")


# DynamoDB, of which the relay uses more than moto is often asked for


def put(whole: Sandbox, key: str, **attributes: Any) -> None:
    whole.client("dynamodb").put_item(TableName=whole.table, Item={"pk": {"S": key}, **attributes})


def owed(whole: Sandbox, shard: str, **more: Any) -> dict[str, Any]:
    values = {":owed": {"S": shard}, **more.pop("values", {})}
    condition = more.pop("condition", "owed = :owed")
    answer: dict[str, Any] = whole.client("dynamodb").query(
        TableName=whole.table,
        IndexName="owed",
        KeyConditionExpression=condition,
        ExpressionAttributeValues=values,
        **more,
    )
    return answer


def test_a_sparse_index_gives_keys_alone_in_numeric_order(whole: Sandbox) -> None:
    for number in (100, 9, 20):
        put(whole, f"a{number}", owed={"S": "a"}, since={"N": str(number)}, secret={"S": "s"})
    put(whole, "not owed", secret={"S": "s"})
    put(whole, "half a key", owed={"S": "a"})
    assert owed(whole, "a")["Items"] == [
        {"pk": {"S": f"a{number}"}, "owed": {"S": "a"}, "since": {"N": str(number)}} for number in (9, 20, 100)
    ]
    found = owed(whole, "a", condition="owed = :owed AND since <= :since", values={":since": {"N": "20"}})["Items"]
    assert [item["pk"]["S"] for item in found] == ["a9", "a20"]
    assert whole.client("dynamodb").get_item(TableName=whole.table, Key={"pk": {"S": "a9"}})["Item"]["secret"] == {"S": "s"}


def test_an_item_leaves_the_index_with_its_attribute(whole: Sandbox) -> None:
    put(whole, "b", owed={"S": "b"}, since={"N": "1"})
    assert len(owed(whole, "b")["Items"]) == 1
    whole.client("dynamodb").update_item(TableName=whole.table, Key={"pk": {"S": "b"}}, UpdateExpression="REMOVE owed, since")
    assert owed(whole, "b")["Items"] == []


def test_an_index_is_read_page_by_page(whole: Sandbox) -> None:
    for number in range(5):
        put(whole, f"c{number}", owed={"S": "c"}, since={"N": "7"})
    keys: list[str] = []
    position: dict[str, Any] = {}
    while True:
        page = owed(whole, "c", Limit=2, **position)
        keys += [item["pk"]["S"] for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            break
        assert page["LastEvaluatedKey"].keys() == {"pk", "owed", "since"}
        position = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert sorted(keys) == [f"c{number}" for number in range(5)]


def test_an_index_is_never_read_consistently(whole: Sandbox) -> None:
    with pytest.raises(whole.client("dynamodb").exceptions.ClientError, match="ValidationException"):
        owed(whole, "a", ConsistentRead=True)


def test_a_transaction_tells_each_reason_and_the_item_where_asked(whole: Sandbox) -> None:
    items = whole.client("dynamodb")
    put(whole, "d", state={"S": "granted"})
    check = {
        "TableName": whole.table,
        "Key": {"pk": {"S": "d"}},
        "ConditionExpression": "#state = :state",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {":state": {"S": "pending"}},
    }
    for asked in ({}, {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}):
        with pytest.raises(items.exceptions.TransactionCanceledException) as caught:
            items.transact_write_items(
                TransactItems=[
                    {"Put": {"TableName": whole.table, "Item": {"pk": {"S": "e"}}}},
                    {"ConditionCheck": {**check, **asked}},
                ]
            )
        passed, failed = caught.value.response["CancellationReasons"]
        assert (passed["Code"], failed["Code"]) == ("None", "ConditionalCheckFailed")
        assert failed.get("Item") == ({"pk": {"S": "d"}, "state": {"S": "granted"}} if asked else None)
    assert "Item" not in items.get_item(TableName=whole.table, Key={"pk": {"S": "e"}})
