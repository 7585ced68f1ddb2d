"""The least that the same remote calls cost: botocore's clients as they come, oauthlib's signature, one kept connection to the provider."""

import json
import os
import ssl
from typing import Any
from urllib.parse import parse_qsl

import boto3
import certifi
import urllib3
from oauthlib.oauth1 import Client

dynamodb = boto3.client("dynamodb")
secretsmanager = boto3.client("secretsmanager")
http = urllib3.PoolManager(ssl_context=ssl.create_default_context(cafile=certifi.where()))
TABLE, PREFIX = os.environ["TRIPOD_TABLE"], os.environ["TRIPOD_PREFIX"]


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Make the calls of ``event["leg"]``, ``start`` or ``callback``, with what the event brings, and return the provider's answer."""
    url, headers, _ = Client(**event["credentials"]).sign(event["url"], "POST")
    key = {"pk": {"S": event["key"]}}
    if event["leg"] == "start":
        told = http.request("POST", url, headers=headers).data.decode()
        item = key | {name: {"S": "x" * 40} for name in ("browser", "challenge", "request_secret", "state")}
        dynamodb.put_item(TableName=TABLE, Item=item, ConditionExpression="attribute_not_exists(pk)")
    else:
        _update(key, "exchanging")
        told = http.request("POST", url, headers=headers).data.decode()
        _update(key, "granted")
        _update({"pk": {"S": f"{event['key']}#connection"}}, "connected")
        secretsmanager.create_secret(Name=f"{PREFIX}/user/floor/{event['key']}", SecretString=json.dumps(dict(parse_qsl(told))))
        dynamodb.transact_write_items(
            TransactItems=[
                {"Update": {"TableName": TABLE, "Key": key, **_to("settled")}},  # type: ignore[typeddict-item]
                {
                    "ConditionCheck": {
                        "TableName": TABLE,
                        "Key": {"pk": {"S": f"{event['key']}#connection"}},
                        "ConditionExpression": "attribute_exists(pk)",
                    }
                },
            ]
        )
    return {"statusCode": 200, "body": told}


def _to(state: str) -> dict[str, Any]:
    return {
        "UpdateExpression": "SET #state = :state",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {":state": {"S": state}},
    }


def _update(key: dict[str, Any], state: str) -> None:
    dynamodb.update_item(TableName=TABLE, Key=key, ReturnValues="ALL_NEW", **_to(state))
