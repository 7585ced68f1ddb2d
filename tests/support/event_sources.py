"""A template of functions with event sources: streams of one table, and schedules. One handler serves them all."""

from pathlib import Path

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Prefix: {Type: String, Default: told}
Globals:
  Function: {Handler: handler.handler, Timeout: 20, CodeUri: listen/}
Resources:
  Listen:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [{Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}]
      FunctionName: !Sub "${Prefix}-listen"
      Events:
        Changes:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Items.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 3
            FilterCriteria:
              Filters: [{Pattern: '{"eventName": ["INSERT", "REMOVE"], "dynamodb": {"Keys": {"pk": {"S": [{"prefix": "listen#"}]}}}}'}]
  Fragile:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [{Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}]
      FunctionName: !Sub "${Prefix}-fragile"
      Timeout: 0.4
      Events:
        Changes:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Items.StreamArn
            StartingPosition: LATEST
            BisectBatchOnFunctionError: true
            MaximumRetryAttempts: 1
            MaximumRecordAgeInSeconds: 3600
            DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}
            FilterCriteria: {Filters: [{Pattern: '{"dynamodb": {"Keys": {"pk": {"S": [{"prefix": "fragile#"}]}}}}'}]}
  Reporting:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [{Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}]
      FunctionName: !Sub "${Prefix}-reporting"
      Events:
        Changes:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Items.StreamArn
            StartingPosition: LATEST
            MaximumBatchingWindowInSeconds: 30
            FunctionResponseTypes: [ReportBatchItemFailures]
            FilterCriteria: {Filters: [{Pattern: '{"dynamodb": {"Keys": {"pk": {"S": [{"prefix": "report#"}]}}}}'}]}
  Ticked:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [{Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}]
      FunctionName: !Sub "${Prefix}-ticked"
      Events:
        Tick: {Type: Schedule, Properties: {Schedule: rate(1 minute)}}
  TickedToo:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [{Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}]
      FunctionName: !Sub "${Prefix}-ticked-too"
      Events:
        Tick: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(2 hours), Name: sweep}}
        Never: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day), Enabled: false}}
  Items:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      StreamSpecification: {StreamViewType: KEYS_ONLY}
  Dead:
    Type: AWS::SQS::Queue
"""

LISTEN = """
import json, os, time
seen = set()
def handler(event, context):
    records = event.get("Records", [])
    print(json.dumps({"function": context.function_name, "event": event}))
    keys = [record["dynamodb"]["Keys"]["pk"]["S"] for record in records]
    if any("raise" in key for key in keys): raise LookupError("poison")
    if any("exit" in key for key in keys): os._exit(3)
    if any("sleep" in key for key in keys):
        open("-".join([context.function_name, *keys]).replace("#", "-"), "w").close()
        time.sleep(15)  # until it is ended
    failed = [record for record, key in zip(records, keys) if "once" in key and key not in seen]
    seen.update(keys)
    return {"batchItemFailures": [{"itemIdentifier": each["dynamodb"]["SequenceNumber"]} for each in failed]}
"""


def lay(folder: Path) -> Path:
    """Write the template and its handler into ``folder``; return the template's path."""
    (folder / "listen").mkdir()
    (folder / "listen" / "handler.py").write_text(LISTEN)
    (folder / "template.yaml").write_text(TEMPLATE)
    return folder / "template.yaml"
