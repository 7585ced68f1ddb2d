"""Mail a user whose connection the provider no longer takes: please connect again.

At least once. An event may come twice, and where this function fails Lambda calls it twice more. Before the mail a claim is written, which
keeps two calls from mailing at once, and lapses where one fails or dies; after the mail, that it is out. A call that dies in between
mails again.
"""

import os
import time
from typing import Any
from urllib.parse import urlencode

import boto3
from botocore.exceptions import ClientError

CLAIM = 45  # seconds: longer than this function may run (30), and over when Lambda calls again, a minute after a failure


class Claimed(Exception):
    """Another call is mailing this user, or has failed to just now. It is raised so that Lambda calls again."""


def handler(event: dict[str, Any], context: object) -> str | None:
    """Take Tripod's event ``connection.refused``, and return whom it was mailed to; None for nobody."""
    refused = event["detail"]
    address = claim(refused["subject"], refused["id"]) if refused["subject"] is not None else None
    if address is not None:
        mail(address, refused["provider"], refused["screen_name"])
        record(refused["subject"], refused["id"])
    return address


def claim(subject: str, event_id: str) -> str | None:
    """Return the address of one of the app's own users who is to be mailed; None for who is not one, or knows. Raises ``Claimed``."""
    now = time.time()
    try:
        answer = boto3.client("dynamodb").update_item(
            TableName=os.environ["USERS_TABLE"],
            Key={"id": {"S": subject}},
            UpdateExpression="SET reminding_until = :until",
            ConditionExpression="attribute_exists(email) AND (attribute_not_exists(reminded) OR reminded <> :id)"
            " AND (attribute_not_exists(reminding_until) OR reminding_until < :now)",
            ExpressionAttributeValues={":until": {"N": str(now + CLAIM)}, ":now": {"N": str(now)}, ":id": {"S": event_id}},
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        found: Any = error.response.get("Item") or {}
        if "email" in found and found.get("reminded") != {"S": event_id}:
            raise Claimed from None
        return None
    return answer["Attributes"]["email"]["S"]


def mail(address: str, provider: str, screen_name: str | None) -> None:
    """Mail a link to sign in again, with the name filled in where there is one. Raises botocore's errors."""
    query = f"?{urlencode({'screen_name': screen_name})}" if screen_name else ""
    link = f"{os.environ['TRIPOD_URL']}/oauth/{provider}/start{query}"
    text = f"We can no longer post for {f'@{screen_name}' if screen_name else 'you'}. Connect again: {link}\n"
    boto3.client("sesv2").send_email(
        FromEmailAddress=os.environ["MAIL_FROM"],
        Destination={"ToAddresses": [address]},
        Content={"Simple": {"Subject": {"Data": "Please connect your account again"}, "Body": {"Text": {"Data": text}}}},
    )


def record(subject: str, event_id: str) -> None:
    """Write that the mail about this event is out."""
    boto3.client("dynamodb").update_item(
        TableName=os.environ["USERS_TABLE"],
        Key={"id": {"S": subject}},
        UpdateExpression="SET reminded = :id REMOVE reminding_until",
        ConditionExpression="attribute_exists(email)",  # who has left meanwhile is not written anew
        ExpressionAttributeValues={":id": {"S": event_id}},
    )
