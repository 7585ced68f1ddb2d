"""AWS's rules where moto is more lenient or answers differently, looked up in moto's own state.

Sources: the API references of Secrets Manager and DynamoDB, and DynamoDB's page "Quotas". Each rule is one that moto 5.2.5 lacks.
"""

import json
import re
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.secretsmanager.models import secretsmanager_backends

from sandbox.aws import keys, shard, transaction
from sandbox.aws.faults import AwsError
from sandbox.aws.request import AwsRequest

SECRET_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
SECRET_SIZE = 65_536  # bytes
PARTITION_KEY_SIZE = 2048  # bytes

_DELETED = "You can't perform this operation on the secret because it was marked for deletion."
_DELETED_NAME = "You can't create this secret because a secret with this name is already scheduled for deletion."
_DECRYPTION_FAILURE = AwsError("DecryptionFailure", "Secrets Manager can't decrypt the secret with its KMS key.")
_ENCRYPTION_FAILURE = AwsError("EncryptionFailure", "Secrets Manager can't encrypt the secret: is the KMS key enabled?")


def resource(request: AwsRequest) -> str:
    """Return the resource of a call: a secret's name, an item's key, else the table, a KMS key, else the empty string."""
    parameters = request.parameters
    if request.service == "kms":
        return keys.resource(request)
    if request.service == "dynamodb":
        found = [_partition_key(request, each) for each in _writes_and_reads(parameters)]
        return " ".join(key for key in found if key) or str(parameters.get("TableName", ""))
    return str(parameters.get("SecretId") or parameters.get("Name") or "")


def refusal(request: AwsRequest) -> AwsError | None:
    """Return the error with which AWS refuses this call although moto would not; None where moto decides."""
    if request.service == "secretsmanager":
        return _secret_refusal(request)
    if request.service == "kms":
        return keys.refusal(request)
    if request.operation == "GetRecords":
        shard.refresh(request)
    if request.operation == "TransactWriteItems":
        transaction.begin(request)
    if request.service == "dynamodb":
        return _item_refusal(request)
    return None


def _secret(request: AwsRequest) -> Any:
    secrets = secretsmanager_backends[request.account][request.region].secrets
    return secrets.get(str(request.parameters.get("SecretId") or request.parameters.get("Name")))


def _secret_refusal(request: AwsRequest) -> AwsError | None:
    parameters, creating = request.parameters, request.operation == "CreateSecret"
    if request.operation == "GetSecretValue":
        return _DECRYPTION_FAILURE if _is_under_disabled_key(request) else None
    if request.operation not in {"CreateSecret", "PutSecretValue", "UpdateSecret", "UpdateSecretVersionStage"}:
        return None
    if creating and not SECRET_NAME.fullmatch(str(parameters.get("Name", ""))):
        text = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@"
        return AwsError("ValidationException", text)
    if len(str(parameters.get("SecretString", "")).encode()) > SECRET_SIZE:
        return AwsError("ValidationException", f"Member must have length less than or equal to {SECRET_SIZE}")
    secret = _secret(request)
    if secret and secret.is_deleted():
        return AwsError("InvalidRequestException", _DELETED_NAME if creating else _DELETED)
    writes = "SecretString" in parameters or "SecretBinary" in parameters
    return _ENCRYPTION_FAILURE if writes and _is_under_disabled_key(request) else None


def _is_under_disabled_key(request: AwsRequest) -> bool:
    """Return True if the key that a call names, or else the secret's, can't be used."""
    name = request.parameters.get("KmsKeyId") or getattr(_secret(request), "kms_key_id", None)
    key = keys.named(request, str(name)) if name else None
    return key is not None and not key.enabled


def _writes_and_reads(parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the single-item operations in a DynamoDB call: itself, or those of a transaction."""
    items = parameters.get("TransactItems")
    return [each for item in items for each in item.values()] if items else [parameters]


def _partition_key(request: AwsRequest, operation: dict[str, Any]) -> str | None:
    """Return the value of the partition key that a single-item operation names."""
    tables = dynamodb_backends[request.account][request.region].tables
    table = tables.get(str(operation.get("TableName", "")))
    item = operation.get("Key") or operation.get("Item")
    if table is None or not isinstance(item, dict) or table.hash_key_attr not in item:
        return None
    return str(next(iter(item[table.hash_key_attr].values())))


def _item_refusal(request: AwsRequest) -> AwsError | None:
    for operation in _writes_and_reads(request.parameters):
        key = _partition_key(request, operation)
        if key == "":
            text = "The AttributeValue for a key attribute cannot contain an empty string value"
            return AwsError("ValidationException", f"One or more parameter values are not valid. {text}")
        if key is not None and len(key.encode(errors="surrogatepass")) > PARTITION_KEY_SIZE:
            text = f"Size of hashkey has exceeded the maximum size limit of{PARTITION_KEY_SIZE} bytes"
            return AwsError("ValidationException", f"One or more parameter values were invalid: {text}")
        if unused := _unused_values(operation):
            text = f"Value provided in ExpressionAttributeValues unused in expressions: keys: {{{', '.join(unused)}}}"
            return AwsError("ValidationException", text)
    return None


def _unused_values(operation: dict[str, Any]) -> list[str]:
    """Return the placeholders (``:value``) that no expression mentions."""
    text = " ".join(str(value) for key, value in operation.items() if key.endswith("Expression"))
    return sorted(set(operation.get("ExpressionAttributeValues", {})) - set(re.findall(r":\w+", text)))


def corrected(request: AwsRequest, headers: list[tuple[str, str]], body: bytes) -> tuple[list[tuple[str, str]], bytes]:
    """Return a successful response's headers and body as AWS gives them; correct moto's state where it differs."""
    if (request.service, request.operation) == ("dynamodb", "CreateTable"):
        shard.install(request)
        transaction.install(request)
    if request.service != "secretsmanager":
        return headers, body
    if request.operation == "UpdateSecretVersionStage":
        _move_default_version(request)
    if request.operation == "DescribeSecret":  # a version without labels is deprecated, and AWS doesn't list it
        answer = json.loads(body)
        stages = answer.get("VersionIdsToStages", {})
        answer["VersionIdsToStages"] = {version: labels for version, labels in stages.items() if labels}
        return headers, json.dumps(answer).encode()
    if request.operation == "CreateSecret" and "ClientRequestToken" in request.parameters:
        # moto answers a repeated creation with the current version; the one that the token made is meant.
        return headers, json.dumps({**json.loads(body), "VersionId": request.parameters["ClientRequestToken"]}).encode()
    return headers, body


def _move_default_version(request: AwsRequest) -> None:
    """Make the version labelled AWSCURRENT the one that a read without a version returns; moto leaves it at the last put."""
    secret = _secret(request)
    for version, content in secret.versions.items():
        if "AWSCURRENT" in content["version_stages"]:
            secret.set_default_version_id(version)
