"""What IAM checks for a call to AWS: actions on resources, looked up in moto's state where the call only names them.

Sources: the Service Authorization Reference of each service; Secrets Manager's and DynamoDB's pages on encryption for what they
ask of a customer managed key.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.secretsmanager.models import secretsmanager_backends

from sandbox.aws import items, keys
from sandbox.aws.iam import (
    CALLER_ACCOUNT,
    CONTEXT_KEYS,
    ENCRYPTION_CONTEXT,
    FORCE_DELETE,
    LEADING_KEYS,
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


def _of_key(request: AwsRequest, action: str, name: Any, context: dict[str, tuple[str, ...]]) -> Iterator[Check]:
    """Yield the check on a customer managed key that a service uses for its caller; AWS's own keys need no permission."""
    key = keys.named(request, str(name))
    if not name or keys.AWS_ALIAS in str(name) or (key and keys.is_awss_own(key)):
        return
    via = f"{request.service}.{request.region}.amazonaws.com"
    written = tuple(sorted(one.removeprefix(ENCRYPTION_CONTEXT) for one in context))
    given = {VIA_SERVICE: (via,), CALLER_ACCOUNT: (request.account,), CONTEXT_KEYS: written, **context}
    yield Check(action, key.arn if key else _key_arn(request, str(name)), given)


def _key_arn(request: AwsRequest, name: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:kms:{request.region}:{request.account}:key/{name}"


def _of_kms(request: AwsRequest) -> Iterator[Check]:
    """Yield the check on the key that the caller itself uses; none where it hands in what is no ciphertext: no key is asked for."""
    key, name = keys.used(request), request.parameters.get("KeyId")
    if request.operation == "Decrypt" and not key and not name:
        return
    arn = key.arn if key else _key_arn(request, str(name)) if name else "*"
    context = request.parameters.get("EncryptionContext") or {}
    given = {CALLER_ACCOUNT: (request.account,), **{f"{ENCRYPTION_CONTEXT}{one}": (str(context[one]),) for one in context}}
    yield Check(f"kms:{request.operation}", arn, given | ({CONTEXT_KEYS: tuple(sorted(context))} if context else {}))


def _of_tables(request: AwsRequest) -> Iterator[Check]:
    parameters = request.parameters
    if parts := parameters.get("TransactItems"):
        for each in parts:
            for part, content in each.items():
                yield from _of_table(request, PARTS.get(part, part), content)
    elif "RequestItems" in parameters:
        for table, content in parameters["RequestItems"].items():
            yield from _of_table(request, request.operation, {"TableName": table, **items.of_batch(content)})
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
    context = items.context(action, parameters, table) if table is not None else {}
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


def _of_alarms(request: AwsRequest) -> Iterator[Check]:
    yield Check(f"cloudwatch:{request.operation}", "*")


def _of_apis(request: AwsRequest) -> Iterator[Check]:
    method, _, path = request.operation.partition(" ")
    yield Check(f"apigateway:{method}", f"arn:aws:apigateway:{request.region}::{path.removeprefix('/v2')}")


def _of_callers(request: AwsRequest) -> Iterator[Check]:
    if request.operation != "GetCallerIdentity":  # that needs no permission
        yield Check(f"sts:{request.operation}", "*")


_SERVICES = {
    "secretsmanager": _of_secrets,
    "dynamodb": _of_tables,
    "ssm": _of_parameters,
    "events": _of_buses,
    "sqs": _of_queues,
    "kms": _of_kms,
    "monitoring": _of_alarms,
    "apigateway": _of_apis,
    "sts": _of_callers,
}
