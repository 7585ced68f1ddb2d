"""IAM: what a call to AWS needs, as actions on resources, and whether a role's policies allow it.

Sources: the Service Authorization Reference of each service; IAM's user guide, "Policy evaluation logic" and the JSON policy
elements; Secrets Manager's and DynamoDB's pages on encryption for what they ask of a customer managed key.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.dynamodb.models import dynamodb_backends
from moto.kms.models import kms_backends
from moto.secretsmanager.models import secretsmanager_backends

from sandbox.faults import Error
from sandbox.template import Function, Template

if TYPE_CHECKING:
    from sandbox.aws import Request

SUFFIX = "-AbCdEf"  # Secrets Manager ends an ARN in a hyphen and six characters; a secret that isn't there yet gets these

CALLER_ACCOUNT = "kms:CallerAccount"
VIA_SERVICE = "kms:ViaService"
ENCRYPTION_CONTEXT = "kms:EncryptionContext:"
SECRET_CONTEXT = f"{ENCRYPTION_CONTEXT}SecretARN"
TABLE_CONTEXT = f"{ENCRYPTION_CONTEXT}aws:dynamodb:tableName"
CONDITION_KEYS = {CALLER_ACCOUNT, VIA_SERVICE, SECRET_CONTEXT, TABLE_CONTEXT}  # those that a check's context may have
ELEMENTS = {"Sid", "Effect", "Action", "Resource", "NotResource", "Condition"}  # of a statement

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


class PolicyError(Exception):
    """A policy says something that isn't evaluated here; the text names it."""


@dataclass(frozen=True)
class Check:
    """One thing that IAM decides on: an action on a resource's ARN, or on ``*``; ``context`` holds the condition keys."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Part:
    """One thing that a statement allows: an action pattern, a resource pattern, and a value of each condition's key."""

    statement: str  # its Sid, or its number
    action: str
    resource: int  # its number in the statement
    values: tuple[str, ...] = ()


class Statement:
    """One statement of an identity-based policy; raises PolicyError for what isn't evaluated here."""

    def __init__(self, content: Mapping[str, Any], number: int = 0) -> None:
        if unknown := content.keys() - ELEMENTS:
            raise PolicyError(f"not evaluated here: {', '.join(sorted(unknown))}")
        if content.get("Effect") not in {"Allow", "Deny"}:
            raise PolicyError(f"not evaluated here: Effect {content.get('Effect')}")
        self.name = str(content.get("Sid", number))
        self.denies = content["Effect"] == "Deny"
        self.actions = _listed(content["Action"])
        self.resources = _listed(content.get("Resource", []))
        self._spared = _listed(content.get("NotResource", []))
        self._conditions = [
            (_operator(operator), _known(key), _listed(values))
            for operator, keys in content.get("Condition", {}).items()
            for key, values in keys.items()
        ]
        if bool(self.resources) is bool(self._spared) or (self._spared and not self.denies):
            raise PolicyError(f"not evaluated here: the resources of {self.name}")
        if variables := [text for text in (*self.resources, *self._spared) if "${" in text]:
            raise PolicyError(f"not evaluated here: the policy variable in {variables[0]}")

    def matches(self, check: Check) -> bool:
        """Tell whether the statement is about this check."""
        return any(True for _ in self.parts(check))

    def parts(self, check: Check) -> Iterator[Part]:
        """Yield each part of the statement that is about this check."""
        values = [
            [value for value in values if key in check.context and like(value, check.context[key])]
            for like, key, values in self._conditions
        ]
        if not all(values):
            return
        met = tuple(value for some in values for value in some)
        for action in self.actions:
            if _like(action.lower(), check.action.lower()):
                if self._spared and not any(_like_arn(spared, check.resource) for spared in self._spared):
                    yield Part(self.name, action, 0, met)
                for number, resource in enumerate(self.resources):
                    if _like_arn(resource, check.resource):
                        yield Part(self.name, action, number, met)

    @property
    def all_parts(self) -> set[Part]:
        """Return every part there is: with one condition at most, as each of its values."""
        if len(self._conditions) > 1:
            raise PolicyError(f"not told apart here: the conditions of {self.name}")
        choices: list[tuple[str, ...]] = [(value,) for _, _, values in self._conditions for value in values] or [()]
        numbers = range(len(self.resources))
        return {Part(self.name, action, number, one) for action in self.actions for number in numbers for one in choices}


class Policy:
    """The identity-based policies of one role, taken together."""

    def __init__(self, documents: Iterable[Mapping[str, Any]]) -> None:
        contents = [content for document in documents for content in _statements(document)]
        self.statements = [Statement(content, number) for number, content in enumerate(contents)]

    def allows(self, check: Check) -> bool:
        """Tell whether a statement allows the check and none denies it."""
        matching = [statement for statement in self.statements if statement.matches(check)]
        return bool(matching) and not any(statement.denies for statement in matching)

    def refusal(self, checks: Iterable[Check], account: str, role: str) -> Error | None:
        """Return the error with which AWS refuses a call that needs ``checks``; None where all are allowed."""
        for check in checks:
            if not self.allows(check):
                return _error(check, account, role, explicit=any(one.denies and one.matches(check) for one in self.statements))
        return None

    def unused(self, checks: Iterable[Check]) -> set[Part]:
        """Return what is allowed and none of these checks needs."""
        allowed = {part for statement in self.statements if not statement.denies for part in statement.all_parts}
        return allowed - {part for check in checks for statement in self.statements for part in statement.parts(check)}


def _statements(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = document["Statement"]
    return [content] if isinstance(content, Mapping) else list(content)


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _known(key: str) -> str:
    if key not in CONDITION_KEYS:
        raise PolicyError(f"not evaluated here: the condition key {key}")
    return key


def _operator(name: str) -> Any:
    if name not in _OPERATORS:
        raise PolicyError(f"not evaluated here: the condition operator {name}")
    return _OPERATORS[name]


def _like(pattern: str, text: str) -> bool:
    """Match IAM's wildcards: ``*`` any characters, ``?`` exactly one."""
    wildcards = {"*": ".*", "?": "."}
    return re.fullmatch("".join(wildcards.get(letter, re.escape(letter)) for letter in pattern), text, re.DOTALL) is not None


def _like_arn(pattern: str, arn: str) -> bool:
    """Match ARNs: a wildcard stays within its part between colons, of which the sixth is the rest."""
    patterns, parts = pattern.split(":", 5), arn.split(":", 5)
    return pattern == "*" or (len(patterns) == len(parts) and all(map(_like, patterns, parts)))


_OPERATORS = {"StringEquals": str.__eq__, "StringLike": _like, "ArnLike": _like_arn}


def _error(check: Check, account: str, role: str, *, explicit: bool) -> Error:
    service, _, _ = check.context.get(VIA_SERVICE, "").partition(".")
    if service == "secretsmanager":
        return Error("AccessDeniedException", "Access to KMS is not allowed")
    user = f"arn:aws:sts::{account}:assumed-role/{role}/{role}"
    denied = f"because no identity-based policy allows the {check.action} action"
    reason = "with an explicit deny in an identity-based policy" if explicit else denied
    text = f"User: {user} is not authorized to perform: {check.action} on resource: {check.resource} {reason}"
    return Error("AccessDenied", text, 403) if check.action.startswith("sqs:") else Error("AccessDeniedException", text)


def policy_of(template: Template, function: Function) -> Policy:
    """Return what a function's role may do; raise PolicyError for policies that the template only names."""
    own = function.properties.get("Policies", [])
    managed = {template.reference(name): one for name, one in template.resources("AWS::IAM::ManagedPolicy").items()}
    documents = []
    for policy in own if isinstance(own, list) else [own]:
        if policy in managed if isinstance(policy, str) else False:
            documents.append(managed[policy]["PolicyDocument"])
        elif isinstance(policy, str) or "Statement" not in policy:
            raise PolicyError(f"{function.logical_id}: not known here: the policy {policy}")
        else:
            documents.append(policy)
    return Policy(documents)


def needed(request: "Request") -> tuple[Check, ...]:
    """Return what IAM checks for a call, looking up in moto's state what the call only names."""
    derive = _SERVICES.get(request.service)
    checks = list(derive(request)) if derive else [Check(f"{request.service}:{request.operation}", "*")]
    return tuple({(check.action, check.resource): check for check in checks}.values())


def _arn(request: "Request", resource: str) -> str:
    return f"arn:aws:{request.service}:{request.region}:{request.account}:{resource}"


def _of_secrets(request: "Request") -> Iterator[Check]:
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


def _of_secret(request: "Request", operation: str, name: str) -> Iterator[Check]:
    secret = secretsmanager_backends[request.account][request.region].secrets.get(name)
    arn = str(secret.arn) if secret else name if name.startswith("arn:") else _arn(request, f"secret:{name}{SUFFIX}")
    yield Check(f"secretsmanager:{operation}", arn)
    key = request.parameters.get("KmsKeyId") or getattr(secret, "kms_key_id", None)
    for action in _SECRET_KEY_ACTIONS.get(operation, ()):
        yield from _of_key(request, action, key, {SECRET_CONTEXT: arn})


def _of_key(request: "Request", action: str, key: Any, context: dict[str, str]) -> Iterator[Check]:
    """Yield the check on a customer managed key; AWS's own keys ask nothing of the caller."""
    ours = kms_backends[request.account][request.region].keys  # moto makes AWS's own, and nobody makes others here
    if not key or "alias/aws/" in str(key) or str(key).rpartition("/")[2] in ours:
        return
    arn = str(key) if str(key).startswith("arn:") else f"arn:aws:kms:{request.region}:{request.account}:key/{key}"
    via = f"{request.service}.{request.region}.amazonaws.com"
    yield Check(action, arn, {VIA_SERVICE: via, CALLER_ACCOUNT: request.account, **context})


def _of_tables(request: "Request") -> Iterator[Check]:
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


def _of_table(request: "Request", action: str, parameters: Mapping[str, Any]) -> Iterator[Check]:
    name = str(parameters.get("TableName") or "")
    if not name:
        yield Check(f"dynamodb:{action}", str(parameters.get("StreamArn") or parameters.get("ResourceArn") or "*"))
        return
    arn = name if name.startswith("arn:") else _arn(request, f"table/{name}")
    index = parameters.get("IndexName")
    yield Check(f"dynamodb:{action}", f"{arn}/index/{index}" if index else arn)
    table = dynamodb_backends[request.account][request.region].tables.get(arn.rpartition("/")[2])
    if table is not None and action in _ITEM_ACTIONS:
        key = (table.sse_specification or {}).get("KMSMasterKeyId")
        yield from _of_key(request, "kms:Decrypt", key, {TABLE_CONTEXT: str(table.name)})


def _of_parameters(request: "Request") -> Iterator[Check]:
    named = request.parameters
    names = [*named.get("Names", []), *(str(named[key]) for key in ("Name", "Path") if key in named)]
    for name in names:
        yield Check(f"ssm:{request.operation}", _arn(request, f"parameter/{name.removeprefix('/')}"))
    if not names:
        yield Check(f"ssm:{request.operation}", "*")


def _of_buses(request: "Request") -> Iterator[Check]:
    if request.operation != "PutEvents":
        name = request.parameters.get("Name") if request.operation.endswith("EventBus") else None
        yield Check(f"events:{request.operation}", _arn(request, f"event-bus/{name}") if name else "*")
        return
    for entry in request.parameters.get("Entries", []):
        name = str(entry.get("EventBusName") or "default")
        yield Check("events:PutEvents", name if name.startswith("arn:") else _arn(request, f"event-bus/{name}"))


def _of_queues(request: "Request") -> Iterator[Check]:
    name = str(request.parameters.get("QueueUrl") or request.parameters.get("QueueName") or "").rpartition("/")[2]
    yield Check(f"sqs:{request.operation}", _arn(request, name) if name else "*")


_SERVICES = {
    "secretsmanager": _of_secrets,
    "dynamodb": _of_tables,
    "ssm": _of_parameters,
    "events": _of_buses,
    "sqs": _of_queues,
}
