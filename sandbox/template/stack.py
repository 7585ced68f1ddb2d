"""The template's resources, created at an AWS endpoint as CloudFormation would.

Policies and log groups are left out: nothing in the sandbox shows their effect. Alarms are there, and ring when a test says so.
"""

import contextlib
import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from sandbox.template.intrinsics import API_ENDPOINT, text
from sandbox.template.template import Template

Client = Callable[[str], Any]  # a boto3 client for a service's name


def create(template: Template, client: Client, api: str) -> None:
    """Create every table, parameter, event bus, queue and alarm; what exists already stays.

    ``api`` is the address of the API in the sandbox: it replaces the address on AWS in a parameter's value.
    """
    _create_parameters(template, client, api)
    for kind, one in _CREATORS.items():
        for logical_id, properties in template.resources(kind).items():
            one(template, client, logical_id, properties)
    _create_tables(template, client)


def create_keys(template: Template, client: Client) -> None:
    """Create every KMS key and its alias, before anything else: functions have the key's ARN in their environment. What exists stays."""
    for logical_id, properties in template.resources("AWS::KMS::Key").items():
        kms, key = client("kms"), template.reference(logical_id)
        for alias in template.resources("AWS::KMS::Alias").values():
            if alias["TargetKeyId"] == key:
                described = _key_of(kms, alias["AliasName"]) or _create_key(kms, alias["AliasName"], properties)
                template.attributes[logical_id, "Arn"] = described["Arn"]


def _key_of(kms: Any, alias: str) -> dict[str, Any] | None:
    try:
        return dict(kms.describe_key(KeyId=alias)["KeyMetadata"])
    except kms.exceptions.NotFoundException:
        return None


def _create_key(kms: Any, alias: str, properties: dict[str, Any]) -> dict[str, Any]:
    created = kms.create_key(Description=properties["Description"], Policy=json.dumps(properties["KeyPolicy"]))["KeyMetadata"]
    if properties.get("EnableKeyRotation"):
        kms.enable_key_rotation(KeyId=created["KeyId"])
    kms.create_alias(AliasName=alias, TargetKeyId=created["KeyId"])
    return dict(created)


def _create_tables(template: Template, client: Client) -> None:
    for table in template.tables():
        dynamodb = client("dynamodb")
        with contextlib.suppress(dynamodb.exceptions.ResourceInUseException):
            dynamodb.create_table(**table.create)
            dynamodb.get_waiter("table_exists").wait(TableName=table.name, WaiterConfig={"Delay": 1})
            if table.ttl:
                expiry = {"Enabled": True, "AttributeName": table.ttl}
                dynamodb.update_time_to_live(TableName=table.name, TimeToLiveSpecification=expiry)
            if table.backups:
                dynamodb.update_continuous_backups(TableName=table.name, PointInTimeRecoverySpecification=table.backups)
        created = dynamodb.describe_table(TableName=table.name)["Table"]
        template.attributes[table.logical_id, "Arn"] = created["TableArn"]
        if "LatestStreamArn" in created:
            template.attributes[table.logical_id, "StreamArn"] = created["LatestStreamArn"]


def _create_parameters(template: Template, client: Client, api: str) -> None:
    for logical_id, properties in template.resources("AWS::SSM::Parameter").items():
        value = properties["Value"].replace(API_ENDPOINT, api)
        client("ssm").put_parameter(Name=template.reference(logical_id), Value=value, Type=properties["Type"], Overwrite=True)


def _create_bus(template: Template, client: Client, logical_id: str, _: dict[str, Any]) -> None:
    with contextlib.suppress(ClientError):  # ResourceAlreadyExistsException
        client("events").create_event_bus(Name=template.reference(logical_id))


def _create_queue(template: Template, client: Client, logical_id: str, properties: dict[str, Any]) -> None:
    attributes = {key: text(value) for key, value in properties.items() if isinstance(value, str | int)}
    attributes.pop("QueueName", None)
    name = template.attribute(logical_id, "QueueName")
    created = client("sqs").create_queue(QueueName=name, Attributes=attributes)
    template.attributes[logical_id, "QueueUrl"] = created["QueueUrl"]


def _create_alarm(template: Template, client: Client, logical_id: str, properties: dict[str, Any]) -> None:
    client("cloudwatch").put_metric_alarm(**{"AlarmName": template.reference(logical_id), **properties})


_CREATORS: dict[str, Callable[[Template, Client, str, dict[str, Any]], None]] = {
    "AWS::Events::EventBus": _create_bus,
    "AWS::SQS::Queue": _create_queue,
    "AWS::CloudWatch::Alarm": _create_alarm,
}
