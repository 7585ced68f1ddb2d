"""Mail a user whose connection the provider no longer takes: please connect again."""

import os
from typing import Any
from urllib.parse import urlencode

import boto3
from botocore.exceptions import ClientError


def handler(event: dict[str, Any], context: object) -> str | None:
    """Take Tripod's event ``connection.refused``, and return whom it was mailed to; None for nobody."""
    refused = event["detail"]
    address = address_of(refused["subject"], refused["id"])
    if address is None:
        return None
    query = urlencode({"screen_name": refused["screen_name"] or ""})
    link = f"{os.environ['TRIPOD_URL']}/oauth/{refused['provider']}/start?{query}"
    boto3.client("sesv2").send_email(
        FromEmailAddress=os.environ["MAIL_FROM"],
        Destination={"ToAddresses": [address]},
        Content={
            "Simple": {
                "Subject": {"Data": "Please connect your account again"},
                "Body": {"Text": {"Data": f"We can no longer post for @{refused['screen_name']}. Connect again: {link}\n"}},
            }
        },
    )
    return address


def address_of(subject: str | None, event_id: str) -> str | None:
    """Return the address of one of the app's own users, once for each event: it may come twice. None for who is not one, or knows."""
    if subject is None:
        return None
    try:
        answer = boto3.client("dynamodb").update_item(
            TableName=os.environ["USERS_TABLE"],
            Key={"id": {"S": subject}},
            UpdateExpression="SET reminded = :id",
            ConditionExpression="attribute_exists(email) AND (attribute_not_exists(reminded) OR reminded <> :id)",
            ExpressionAttributeValues={":id": {"S": event_id}},
            ReturnValues="ALL_NEW",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return None
    return answer["Attributes"]["email"]["S"]
