"""What IAM checks for a call to AWS: actions on resources, looked up in moto's state where the call only names them.

Sources: the Service Authorization Reference of each service; Secrets Manager's and DynamoDB's pages on encryption for what they
ask of a customer managed key.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.kms.models import kms_backends
from moto.secretsmanager.models import secretsmanager_backends

from sandbox.aws.iam import (
    ATTRIBUTES,
    CALLER_ACCOUNT,
    FORCE_DELETE,
    LEADING_KEYS,
    RETURN_VALUES,
    SECRET_CONTEXT,
    TABLE_CONTEXT,
    VIA_SERVICE,
    Check,
)
from sandbox.aws.request import AwsRequest

SUFFIX = "-AbCdEf"  # Secrets Manager ends an ARN in a hyphen and six characters; a secret that isn't there yet gets these

# What a transaction's parts are to IAM.
PARTS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
_ITEM_ACTIONS = {*PARTS.values(), "Query", "Scan", "BatchGetItem", "BatchWriteItem"}
_SECRET_KEY_ACTIONS = {  # the others don't touch what is encrypted
    "CreateSecret": ("kms:GenerateDataKey", "kms:Decrypt"),
    "PutSecretValue": ("kms:GenerateDataKey", "kms:Decrypt"),
    "UpdateSecret": ("kms:GenerateDataKey", "kms:Decrypt"),
    "GetSecretValue": ("kms:Decrypt",),
}


def required_checks(request: AwsRequest) -> tuple[Check, ...]:
    """Return what IAM checks for a call, looking up in moto's state what the call only names."""
    derive = _SERVICES.get(request.service)
    checks = list(derive(request)) if derive else [Check(f"{request.service}:{request.operation}", "*")]
    return tuple({(check.action, check.resource, check.context.get(LEADING_KEYS)): check for check in checks}.values())


def _arn(request: AwsRequest, resource: str) -> str:
    return f"arn:aws:{request.service}:{request.region}:{request.account}:{resource}"


def _of_secrets(request: AwsRequest) -> Iterator[Check]:
    parameters, operation = request.parameters, request.operation
    if operation == "BatchGetSecretValue":
        yield Check("secretsmanager:BatchGetSecretValue", "*")
        for name in parameters.get("SecretIdList", []):
            yield from _of_secret(request, "GetSecretValue", str(name))
        return
    name = parameters.get("SecretId") or (parameters.get("Name") if operation == "CreateSecret" else None)
    if name:
        yield from _of_secret(request, operation, str(name))
    else:
        yield Check(f"secretsmanager:{operation}", "*")


def _of_secret(request: AwsRequest, operation: str, name: str) -> Iterator[Check]:
    secret = secretsmanager_backends[request.account][request.region].secrets.get(name)
    arn = str(secret.arn) if secret else name if name.startswith("arn:") else _arn(request, f"secret:{name}{SUFFIX}")
    forced = str(bool(request.parameters.get("ForceDeleteWithoutRecovery"))).lower()
    yield Check(f"secretsmanager:{operation}", arn, {FORCE_DELETE: (forced,)} if operation == "DeleteSecret" else {})
    key = request.parameters.get("KmsKeyId") or getattr(secret, "kms_key_id", None)
    for action in _SECRET_KEY_ACTIONS.get(operation, ()):
        yield from _of_key(request, action, key, {SECRET_CONTEXT: (arn,)})


def _of_key(request: AwsRequest, action: str, key: Any, context: dict[str, tuple[str, ...]]) -> Iterator[Check]:
    """Yield the check on a customer managed key; AWS's own keys need no permission."""
    managed = kms_backends[request.account][request.region].keys  # AWS's own: the sandbox creates no others
    if not key or "alias/aws/" in str(key) or str(key).rpartition("/")[2] in managed:
        return
    arn = str(key) if str(key).startswith("arn:") else f"arn:aws:kms:{request.region}:{request.account}:key/{key}"
    via = f"{request.service}.{request.region}.amazonaws.com"
    yield Check(action, arn, {VIA_SERVICE: (via,), CALLER_ACCOUNT: (request.account,), **context})


def _of_tables(request: AwsRequest) -> Iterator[Check]:
    parameters = request.parameters
    if items := parameters.get("TransactItems"):
        for item in items:
            for part, content in item.items():
                yield from _of_table(request, PARTS.get(part, part), content)
    elif "RequestItems" in parameters:
        for table in parameters["RequestItems"]:
            yield from _of_table(request, request.operation, {"TableName": table})
    else:
        yield from _of_table(request, request.operation, parameters)


def _of_table(request: AwsRequest, action: str, parameters: Mapping[str, Any]) -> Iterator[Check]:
    name = str(parameters.get("TableName") or "")
    if not name:
        yield Check(f"dynamodb:{action}", str(parameters.get("StreamArn") or parameters.get("ResourceArn") or "*"))
        return
    arn = name if name.startswith("arn:") else _arn(request, f"table/{name}")
    index = parameters.get("IndexName")
    table = dynamodb_backends[request.account][request.region].tables.get(arn.rpartition("/")[2])
    key = (parameters.get("Key") or parameters.get("Item") or {}).get(table.hash_key_attr) if table is not None else None
    context = {LEADING_KEYS: (str(next(iter(key.values()))),)} if isinstance(key, Mapping) and key else {}
    if named := {*parameters.get("Item", {}), *parameters.get("ExpressionAttributeNames", {}).values()}:
        context[ATTRIBUTES] = tuple(sorted(named))
    if "ReturnValues" in parameters:
        context[RETURN_VALUES] = (str(parameters["ReturnValues"]),)
    yield Check(f"dynamodb:{action}", f"{arn}/index/{index}" if index else arn, context)
    if table is not None and action in _ITEM_ACTIONS:
        master = (table.sse_specification or {}).get("KMSMasterKeyId")
        yield from _of_key(request, "kms:Decrypt", master, {TABLE_CONTEXT: (str(table.name),)})


def _of_parameters(request: AwsRequest) -> Iterator[Check]:
    named = request.parameters
    names = [*named.get("Names", []), *(str(named[key]) for key in ("Name", "Path") if key in named)]
    for name in names:
        yield Check(f"ssm:{request.operation}", _arn(request, f"parameter/{name.removeprefix('/')}"))
    if not names:
        yield Check(f"ssm:{request.operation}", "*")


def _of_buses(request: AwsRequest) -> Iterator[Check]:
    if request.operation != "PutEvents":
        name = request.parameters.get("Name") if request.operation.endswith("EventBus") else None
        yield Check(f"events:{request.operation}", _arn(request, f"event-bus/{name}") if name else "*")
        return
    for entry in request.parameters.get("Entries", []):
        name = str(entry.get("EventBusName") or "default")
        yield Check("events:PutEvents", name if name.startswith("arn:") else _arn(request, f"event-bus/{name}"))


def _of_queues(request: AwsRequest) -> Iterator[Check]:
    name = str(request.parameters.get("QueueUrl") or request.parameters.get("QueueName") or "").rpartition("/")[2]
    yield Check(f"sqs:{request.operation}", _arn(request, name) if name else "*")


_SERVICES = {
    "secretsmanager": _of_secrets,
    "dynamodb": _of_tables,
    "ssm": _of_parameters,
    "events": _of_buses,
    "sqs": _of_queues,
}
