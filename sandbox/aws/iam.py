"""Identity-based policies, evaluated as IAM does: whether a role may perform an action on a resource.

Source: IAM's user guide, "Policy evaluation logic" and the JSON policy elements.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from sandbox.aws.faults import AwsError
from sandbox.template.template import Function, Template

CALLER_ACCOUNT = "kms:CallerAccount"
VIA_SERVICE = "kms:ViaService"
ENCRYPTION_CONTEXT = "kms:EncryptionContext:"
SECRET_CONTEXT = f"{ENCRYPTION_CONTEXT}SecretARN"
TABLE_CONTEXT = f"{ENCRYPTION_CONTEXT}aws:dynamodb:tableName"
CONTEXT_KEYS = "kms:EncryptionContextKeys"
LEADING_KEYS = "dynamodb:LeadingKeys"
ATTRIBUTES = "dynamodb:Attributes"
SELECT = "dynamodb:Select"
RETURN_VALUES = "dynamodb:ReturnValues"
FORCE_DELETE = "secretsmanager:ForceDeleteWithoutRecovery"
# Those that a check's context may have, beside those that begin with ENCRYPTION_CONTEXT.
CONDITION_KEYS = {
    CALLER_ACCOUNT,
    VIA_SERVICE,
    CONTEXT_KEYS,
    LEADING_KEYS,
    ATTRIBUTES,
    SELECT,
    RETURN_VALUES,
    FORCE_DELETE,
}
FOR_ALL = "ForAllValues:"
IF_EXISTS = "IfExists"
NULL = "Null"
ELEMENTS = {"Sid", "Effect", "Action", "Resource", "NotResource", "Condition"}  # of a statement


class PolicyError(Exception):
    """A policy says something that isn't evaluated here; the text names it."""


@dataclass(frozen=True)
class Check:
    """One thing that IAM decides on: an action on a resource's ARN, or on ``*``; ``context`` holds each condition key's values."""

    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Part:
    """One thing that a statement allows: an action pattern, a resource pattern, and a value of each condition's key."""

    statement: str  # its Sid, or its number
    action: str
    resource: int  # its number in the statement
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Condition:
    """One condition of a statement: a key, and the values of which one must be like the check's, or of ``for_all`` like each of them.

    Of ``null`` the value says whether the key must be missing ("true") or there ("false").
    """

    for_all: bool
    if_exists: bool
    null: bool
    like: Callable[[str, str], bool]
    key: str
    values: list[str]

    def met_by(self, given: tuple[str, ...]) -> list[str]:
        """Return the values that meet the condition; none where it is not met."""
        if self.null:
            given = ("false" if given else "true",)
        if self.if_exists and not given:
            return self.values
        if self.for_all and not given:
            return [""]  # met by a call that lacks the key, but by none of the values
        unmet = [one for one in given if not any(self.like(value, one) for value in self.values)]
        return [] if self.for_all and unmet else [value for value in self.values if any(self.like(value, one) for one in given)]


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
            Condition(
                operator.startswith(FOR_ALL),
                operator.endswith(IF_EXISTS),
                operator == NULL,
                _operator(operator),
                _known(key),
                _listed(values),
            )
            for operator, keys in content.get("Condition", {}).items()
            for key, values in keys.items()
        ]
        if bool(self.resources) is bool(self._spared) or (self._spared and not self.denies):
            raise PolicyError(f"not evaluated here: the resources of {self.name}")
        if variables := [text for text in (*self.resources, *self._spared) if "${" in text]:
            raise PolicyError(f"not evaluated here: the policy variable in {variables[0]}")

    def matches(self, check: Check) -> bool:
        """Return True if the statement applies to this check."""
        return any(True for _ in self.parts(check))

    def parts(self, check: Check) -> Iterator[Part]:
        """Yield each part of the statement that applies to this check."""
        given = {key.lower(): values for key, values in check.context.items()}  # a key's case doesn't matter, a value's does
        values = [one.met_by(given.get(one.key.lower(), ())) for one in self._conditions]
        if not all(values):
            return
        for action, met in product(self.actions, product(*values)):
            if _like(action.lower(), check.action.lower()):
                if self._spared and not any(_like_arn(spared, check.resource) for spared in self._spared):
                    yield Part(self.name, action, 0, met)
                for number, resource in enumerate(self.resources):
                    if _like_arn(resource, check.resource):
                        yield Part(self.name, action, number, met)

    @property
    def all_parts(self) -> set[Part]:
        """Return every part there is: for each value of each condition one."""
        choices = product(*(one.values for one in self._conditions))
        return {Part(self.name, *each) for each in product(self.actions, range(len(self.resources)), choices)}


class Policy:
    """The identity-based policies of one role, taken together."""

    def __init__(self, documents: Iterable[Mapping[str, Any]]) -> None:
        contents = [content for document in documents for content in _statements(document)]
        self.statements = [Statement(content, number) for number, content in enumerate(contents)]

    def allows(self, check: Check) -> bool:
        """Return True if a statement allows the check and none denies it."""
        matching = [statement for statement in self.statements if statement.matches(check)]
        return bool(matching) and not any(statement.denies for statement in matching)

    def refusal(self, checks: Iterable[Check], account: str, role: str) -> AwsError | None:
        """Return the error with which AWS refuses a call that needs ``checks``; None where all are allowed."""
        for check in checks:
            if not self.allows(check):
                return _error(check, account, role, explicit=any(one.denies and one.matches(check) for one in self.statements))
        return None

    def unused(self, checks: Iterable[Check]) -> set[Part]:
        """Return the allowed parts that none of these checks needs."""
        allowed = {part for statement in self.statements if not statement.denies for part in statement.all_parts}
        return allowed - {part for check in checks for statement in self.statements for part in statement.parts(check)}


def _statements(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = document["Statement"]
    return [content] if isinstance(content, Mapping) else list(content)


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _known(key: str) -> str:
    if key not in CONDITION_KEYS and not key.startswith(ENCRYPTION_CONTEXT):
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


_OPERATORS = {
    "StringEquals": str.__eq__,
    "StringLike": _like,
    f"{FOR_ALL}StringLike": _like,
    f"{FOR_ALL}StringEquals": str.__eq__,
    f"StringEquals{IF_EXISTS}": str.__eq__,
    "Bool": str.__eq__,
    NULL: str.__eq__,
    "ArnLike": _like_arn,
}


def _error(check: Check, account: str, role: str, *, explicit: bool) -> AwsError:
    service, _, _ = "".join(check.context.get(VIA_SERVICE, ())).partition(".")
    if service == "secretsmanager":
        return AwsError("AccessDeniedException", "Access to KMS is not allowed")
    user = f"arn:aws:sts::{account}:assumed-role/{role}/{role}"
    denied = f"because no identity-based policy allows the {check.action} action"
    reason = "with an explicit deny in an identity-based policy" if explicit else denied
    text = f"User: {user} is not authorized to perform: {check.action} on resource: {check.resource} {reason}"
    return AwsError("AccessDenied", text, 403) if check.action.startswith("sqs:") else AwsError("AccessDeniedException", text)


def policy_of(template: Template, function: Function) -> Policy:
    """Return the policies of a function's role; raise PolicyError for policies that the template only names."""
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
