"""Conditions of KMS and DynamoDB: what a call tells IAM, and what a policy with them allows.

Sources: KMS's developer guide, "Condition keys"; DynamoDB's, "Using IAM policy conditions for fine-grained access control"; IAM's user
guide, "Multivalued context keys".
"""

from typing import Any

import pytest

from sandbox.aws.iam import (
    ATTRIBUTES,
    CALLER_ACCOUNT,
    CONTEXT_KEYS,
    ENCRYPTION_CONTEXT,
    LEADING_KEYS,
    SELECT,
    VIA_SERVICE,
    Check,
    Policy,
)
from sandbox.aws.server import AwsServer
from sandbox.world import Sandbox
from tests.support.refusal import refused

PREFIX, PROVIDER, USER = (f"{ENCRYPTION_CONTEXT}tripod:{name}" for name in ("prefix", "provider", "user_id"))
KEYS = ("tripod:prefix", "tripod:provider", "tripod:user_id")
CONTEXT = {PREFIX: ("tripod",), PROVIDER: ("x",), USER: ("1",), CONTEXT_KEYS: KEYS}
PAIR = {"StringEquals": {PREFIX: "tripod"}}
ONLY = {"ForAllValues:StringEquals": {CONTEXT_KEYS: list(KEYS)}}
THERE = {"Null": {PROVIDER: "false", USER: "false"}}


def allows(condition: dict[str, Any], context: dict[str, tuple[str, ...]]) -> bool:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}
    return Policy([{"Statement": statement}]).allows(Check("kms:Decrypt", "*", context))


def without(*keys: str) -> dict[str, tuple[str, ...]]:
    return {key: value for key, value in CONTEXT.items() if key not in keys}


@pytest.mark.parametrize(
    ("condition", "context", "allowed"),
    [
        (PAIR, CONTEXT, True),
        (PAIR, CONTEXT | {PREFIX: ("other",)}, False),
        (PAIR, CONTEXT | {PREFIX: ("Tripod",)}, False),  # a value's case counts
        (PAIR, without(PREFIX), False),
        (PAIR, {}, False),
        (PAIR, CONTEXT | {f"{ENCRYPTION_CONTEXT}more": ("1",), CONTEXT_KEYS: (*KEYS, "more")}, True),
        ({"StringEquals": {f"{ENCRYPTION_CONTEXT}TRIPOD:Prefix": "tripod"}}, CONTEXT, True),  # a key's doesn't
        (ONLY, CONTEXT, True),
        (ONLY, {CONTEXT_KEYS: (*KEYS, "more")}, False),
        (ONLY, {CONTEXT_KEYS: ("Tripod:prefix",)}, False),
        (ONLY, {CONTEXT_KEYS: ("tripod:prefix",)}, True),
        (ONLY, {}, True),  # it forbids keys, and demands none
        (PAIR | ONLY, {PREFIX: ("tripod",), CONTEXT_KEYS: ("tripod:prefix",)}, True),
        (PAIR | ONLY | THERE, CONTEXT, True),
        (PAIR | ONLY | THERE, without(USER), False),
        (PAIR | ONLY | THERE, without(PROVIDER), False),
        (PAIR | ONLY | THERE, CONTEXT | {CONTEXT_KEYS: (*KEYS, "more")}, False),
        (PAIR | ONLY | THERE, {}, False),
        ({"Null": {CONTEXT_KEYS: "true"}}, {}, True),
        ({"Null": {CONTEXT_KEYS: "true"}}, CONTEXT, False),
        ({"StringEquals": {SELECT: "SPECIFIC_ATTRIBUTES"}}, {SELECT: ("SPECIFIC_ATTRIBUTES",)}, True),
        ({"StringEquals": {SELECT: "SPECIFIC_ATTRIBUTES"}}, {SELECT: ("ALL_ATTRIBUTES",)}, False),
        ({"ForAllValues:StringLike": {LEADING_KEYS: "connection#x#*"}}, {LEADING_KEYS: ("connection#x#1",)}, True),
        ({"ForAllValues:StringLike": {LEADING_KEYS: "connection#x#*"}}, {LEADING_KEYS: ("connection#xy#1",)}, False),
        (
            {"ForAllValues:StringLike": {LEADING_KEYS: "connection#x#*"}},
            {LEADING_KEYS: ("connection#x#1", "connection#y#1")},
            False,
        ),
        ({"ForAllValues:StringLike": {LEADING_KEYS: "connection#x#*"}}, {}, True),  # so Scan must not be allowed beside it
    ],
)
def test_a_condition_is_evaluated_as_by_aws(
    condition: dict[str, Any], context: dict[str, tuple[str, ...]], allowed: bool
) -> None:
    assert allows(condition, context) is allowed


def told(aws: AwsServer) -> Check:
    """Return what IAM is asked for the latest call."""
    (check,) = aws.calls[-1].needed
    return check


def test_kms_tells_the_key_the_account_and_the_whole_context(small: Sandbox, aws: AwsServer) -> None:
    kms, arn = small.client("kms"), small.template.attribute("Sealing", "Arn")
    context = {"tripod:prefix": "p", "b": "2"}
    sealed = kms.encrypt(KeyId="alias/small-seal", Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]
    expected = {
        CALLER_ACCOUNT: (aws.account,),
        f"{ENCRYPTION_CONTEXT}tripod:prefix": ("p",),
        f"{ENCRYPTION_CONTEXT}b": ("2",),
        CONTEXT_KEYS: ("b", "tripod:prefix"),
    }
    assert (told(aws), told(aws).context) == (Check("kms:Encrypt", arn, expected), expected)
    kms.decrypt(CiphertextBlob=sealed, EncryptionContext=context)  # the ciphertext names the key
    assert (told(aws), told(aws).context) == (Check("kms:Decrypt", arn, expected), expected)
    kms.encrypt(KeyId=arn, Plaintext=b"x")
    assert told(aws).context == {CALLER_ACCOUNT: (aws.account,)}


def test_no_key_is_asked_for_what_is_no_ciphertext(small: Sandbox, aws: AwsServer) -> None:
    refused(small.client("kms").decrypt, CiphertextBlob=b"no ciphertext")
    assert aws.calls[-1].needed == ()


def test_a_service_that_uses_a_key_for_its_caller_says_so_and_in_which_context(small: Sandbox, aws: AwsServer) -> None:
    arn = small.template.attribute("Sealing", "Arn")
    small.client("secretsmanager").create_secret(Name="small/under-a-key", SecretString="s", KmsKeyId="alias/small-seal")
    _, making, opening = aws.calls[-1].needed
    assert (making.action, opening.action, making.resource) == ("kms:GenerateDataKey", "kms:Decrypt", arn)
    assert opening.context[VIA_SERVICE] == ("secretsmanager.us-east-1.amazonaws.com",)
    assert opening.context[CONTEXT_KEYS] == ("SecretARN",)


def key(number: int) -> dict[str, Any]:
    return {"pk": {"S": f"told#{number}"}}


GET = {"Key": key(1)}
NAMED = {"ExpressionAttributeNames": {"#a": "aliased", "#b": "inner"}}


@pytest.mark.parametrize(
    ("operation", "parameters", "expected"),
    [
        ("get_item", GET, {LEADING_KEYS: ("told#1",), ATTRIBUTES: ("pk",), SELECT: ("ALL_ATTRIBUTES",)}),
        (
            "get_item",
            GET | {"AttributesToGet": ["a"]},
            {LEADING_KEYS: ("told#1",), ATTRIBUTES: ("a", "pk"), SELECT: ("SPECIFIC_ATTRIBUTES",)},
        ),
        (
            "get_item",
            GET | NAMED | {"ProjectionExpression": "#a.#b, list[0].c, plain"},
            {LEADING_KEYS: ("told#1",), ATTRIBUTES: ("aliased", "list", "pk", "plain"), SELECT: ("SPECIFIC_ATTRIBUTES",)},
        ),
        (
            "update_item",
            GET
            | {
                "UpdateExpression": "SET a = if_not_exists(b, :v) REMOVE c",
                "ConditionExpression": "attribute_not_exists (d) OR NOT e IN (:v)",
                "ExpressionAttributeValues": {":v": {"S": "1"}},
            },
            {LEADING_KEYS: ("told#1",), ATTRIBUTES: ("a", "b", "c", "d", "e", "pk")},
        ),
        ("put_item", {"Item": key(1) | {"a": {"S": "1"}}}, {LEADING_KEYS: ("told#1",), ATTRIBUTES: ("a", "pk")}),
        (
            "query",
            {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "told#1"}}},
            {LEADING_KEYS: ("told#1",), ATTRIBUTES: ("pk",), SELECT: ("ALL_ATTRIBUTES",)},
        ),
        ("scan", {}, {SELECT: ("ALL_ATTRIBUTES",)}),
    ],
)
def test_dynamodb_tells_the_partition_keys_the_attributes_and_whether_all(
    small: Sandbox, operation: str, parameters: dict[str, Any], expected: dict[str, tuple[str, ...]]
) -> None:
    getattr(small.client("dynamodb"), operation)(TableName=small.table, **parameters)
    assert told(small.aws_server).context == expected


def test_a_batch_tells_every_key_and_a_transaction_each_parts(small: Sandbox, aws: AwsServer, items: Any) -> None:
    items.batch_get_item(RequestItems={small.table: {"Keys": [key(1), key(2)], "ProjectionExpression": "pk"}})
    assert told(aws).context == {LEADING_KEYS: ("told#1", "told#2"), ATTRIBUTES: ("pk",), SELECT: ("SPECIFIC_ATTRIBUTES",)}
    writes = [{"PutRequest": {"Item": key(1) | {"a": {"S": "1"}}}}, {"DeleteRequest": {"Key": key(2)}}]
    items.batch_write_item(RequestItems={small.table: writes})
    assert told(aws).context == {LEADING_KEYS: ("told#1", "told#2"), ATTRIBUTES: ("a", "pk")}
    items.transact_get_items(TransactItems=[{"Get": {"TableName": small.table, "Key": key(number)}} for number in (1, 2)])
    needed = aws.calls[-1].needed
    assert [(check.action, check.context[LEADING_KEYS], check.context[SELECT]) for check in needed] == [
        ("dynamodb:GetItem", ("told#1",), ("ALL_ATTRIBUTES",)),
        ("dynamodb:GetItem", ("told#2",), ("ALL_ATTRIBUTES",)),
    ]
