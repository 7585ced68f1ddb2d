"""A template's document with its parameters, conditions and CloudFormation's intrinsic functions resolved."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

from samtranslator.yaml_helper import yaml_parse

REGION = "us-east-1"
ACCOUNT = "123456789012"  # the account number of AWS's own examples
API_ID = "sandboxapi"
API_ENDPOINT = f"https://{API_ID}.execute-api.{REGION}.amazonaws.com"  # where the API would be on AWS

_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")
_NO_VALUE = object()  # AWS::NoValue: a property or list item with this value is removed


class TemplateError(Exception):
    """The template uses something that cannot be resolved here; the text names it."""


class Document:
    """A template file with its parameters set; every method returns resolved values.

    ``parameters`` override the defaults. ``attributes`` hold values that exist only after creation, such as a stream's ARN:
    ``template.attributes["Table", "StreamArn"] = …``.
    """

    def __init__(self, path: Path, parameters: Mapping[str, str] | None = None, account: str = ACCOUNT) -> None:
        self.path = path
        self.account = account
        self._body: dict[str, Any] = yaml_parse(path.read_text())
        self.parameters = self._set_parameters(parameters or {})
        self.stack = self.parameters.get("Prefix", "sandbox")
        self._conditions: dict[str, Any] = self._body.get("Conditions", {})
        resources: dict[str, dict[str, Any]] = self._body["Resources"]
        self._resources = {
            name: resource
            for name, resource in resources.items()
            if "Condition" not in resource or self._holds(resource["Condition"])
        }
        self.attributes: dict[tuple[str, str], str] = {}

    def _set_parameters(self, overrides: Mapping[str, str]) -> dict[str, str]:
        declared: dict[str, dict[str, Any]] = self._body.get("Parameters", {})
        if unknown := overrides.keys() - declared.keys():
            raise TemplateError(f"{self.path.name} has no parameter {', '.join(sorted(unknown))}")
        values = {name: overrides.get(name, parameter.get("Default")) for name, parameter in declared.items()}
        if unset := [name for name, value in values.items() if value is None]:
            raise TemplateError(f"{self.path.name}: no value for the parameter {', '.join(unset)}")
        return {name: text(value) for name, value in values.items()}

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the resolved properties of every resource of one type, by logical id."""
        return {
            name: self.resolve(resource.get("Properties", {}))
            for name, resource in self._resources.items()
            if resource["Type"] == kind
        }

    def reference(self, name: str) -> str:
        """Return the value of ``!Ref name``: a parameter's value, a pseudo parameter, or a resource's physical id."""
        if name in self.parameters:
            return self.parameters[name]
        if name in _PSEUDO:
            return _PSEUDO[name](self)
        if name not in self._resources:
            raise TemplateError(f"{self.path.name} has no parameter or resource {name}")
        kind = self._resources[name]["Type"]
        if kind in _REFERENCES:
            return _REFERENCES[kind](self, name)
        return self._named(name)

    def attribute(self, name: str, attribute: str) -> str:
        """Return the value of ``!GetAtt name.attribute``."""
        if (name, attribute) in self.attributes:
            return self.attributes[name, attribute]
        kind = self._resources.get(name, {}).get("Type")
        if attribute == "Arn" and kind in _ARNS:
            return f"arn:aws:{_ARNS[kind].format(region=REGION, account=self.account, name=self._named(name))}"
        if attribute == "StreamArn" and kind == "AWS::DynamoDB::Table":
            return f"{self.attribute(name, 'Arn')}/stream/not-created-yet"
        if attribute == "ApiEndpoint" and kind == "AWS::Serverless::HttpApi":
            return API_ENDPOINT
        if attribute in {"Name", "QueueName"} and kind:
            return self._named(name)
        if attribute == "Value" and kind == "AWS::SSM::Parameter":
            return text(self.resolve(self._resources[name]["Properties"]["Value"]))
        if attribute == "Version" and kind == "AWS::Lambda::Version":
            return "1"
        if attribute == "RegionalDomainName" and kind == "AWS::ApiGatewayV2::DomainName":
            return f"d-{name.lower()}.execute-api.{REGION}.amazonaws.com"
        raise TemplateError(f"{self.path.name}: {name}.{attribute} is not known here")

    def _named(self, logical_id: str) -> str:
        """Return a resource's own name, or one made from the stack's and the logical id."""
        properties = self._resources[logical_id].get("Properties", {})
        for key in (
            "FunctionName",
            "LogGroupName",
            "TableName",
            "QueueName",
            "TopicName",
            "ManagedPolicyName",
            "AliasName",
            "DashboardName",
            "Name",
        ):
            if key in properties:
                return str(self.resolve(properties[key]))
        return f"{self.stack}-{logical_id}"

    def resolve(self, value: Any) -> Any:
        """Return ``value`` with every intrinsic function in it replaced by what it yields."""
        if isinstance(value, dict):
            if len(value) == 1:
                (key, argument), *_ = value.items()
                if key in _INTRINSICS and (key != "Condition" or isinstance(argument, str)):  # a policy has Conditions too
                    return _INTRINSICS[key](self, argument)
            resolved = {key: self.resolve(item) for key, item in value.items()}
            return {key: item for key, item in resolved.items() if item is not _NO_VALUE}
        if isinstance(value, list):
            return [item for item in (self.resolve(each) for each in value) if item is not _NO_VALUE]
        return value

    def _holds(self, condition: str) -> bool:
        if condition not in self._conditions:
            raise TemplateError(f"{self.path.name} has no condition {condition}")
        return bool(self.resolve(self._conditions[condition]))

    def _substitute(self, argument: Any) -> str:
        pattern, extra = (argument, {}) if isinstance(argument, str) else (argument[0], self.resolve(argument[1]))

        def replacement(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in extra:
                return text(extra[name])
            return self.attribute(*name.split(".", 1)) if "." in name else self.reference(name)

        return _PLACEHOLDER.sub(replacement, pattern)

    def _ref(self, name: str) -> Any:
        return _NO_VALUE if name == "AWS::NoValue" else self.reference(name)

    def _if(self, argument: list[Any]) -> Any:
        condition, then, otherwise = argument
        return self.resolve(then if self._holds(condition) else otherwise)

    def _find_in_map(self, argument: list[Any]) -> Any:
        name, top, second = (self.resolve(each) for each in argument)
        return self._body["Mappings"][name][top][second]

    def _join(self, argument: list[Any]) -> str:
        return str(argument[0]).join(text(item) for item in self.resolve(argument[1]))

    def _select(self, argument: list[Any]) -> Any:
        return self.resolve(argument[1])[int(self.resolve(argument[0]))]

    def _split(self, argument: list[Any]) -> list[str]:
        return str(self.resolve(argument[1])).split(argument[0])

    def _equals(self, argument: list[Any]) -> bool:
        left, right = (self.resolve(each) for each in argument)
        return text(left) == text(right)


def text(value: Any) -> str:
    """Return a YAML scalar as CloudFormation writes it into a string."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _queue_url(document: Document, name: str) -> str:
    """Return a queue's URL: as on AWS before creation, then the real one, which ``stack`` sets as an attribute."""
    known = document.attributes.get((name, "QueueUrl"))
    return known or f"https://sqs.{REGION}.amazonaws.com/{document.account}/{document.attribute(name, 'QueueName')}"


_INTRINSICS: dict[str, Callable[[Document, Any], Any]] = {
    "Ref": Document._ref,
    "Condition": Document._holds,
    "Fn::Sub": Document._substitute,
    "Fn::GetAtt": lambda document, argument: document.attribute(*argument),
    "Fn::Join": Document._join,
    "Fn::Select": Document._select,
    "Fn::Split": Document._split,
    "Fn::If": Document._if,
    "Fn::Equals": Document._equals,
    "Fn::Not": lambda document, argument: not document.resolve(argument[0]),
    "Fn::And": lambda document, argument: all(document.resolve(each) for each in argument),
    "Fn::Or": lambda document, argument: any(document.resolve(each) for each in argument),
    "Fn::FindInMap": Document._find_in_map,
}

_PSEUDO: dict[str, Callable[[Document], str]] = {
    "AWS::Region": lambda _: REGION,
    "AWS::AccountId": lambda document: document.account,
    "AWS::Partition": lambda _: "aws",
    "AWS::URLSuffix": lambda _: "amazonaws.com",
    "AWS::StackName": lambda document: document.stack,
    "AWS::StackId": lambda document: f"arn:aws:cloudformation:{REGION}:{document.account}:stack/{document.stack}/0",
}


def _settings_number(document: Document, name: str) -> str:
    """Return a number for a hosted configuration: another one for another content, as AppConfig counts its versions."""
    content = document.resolve(document._resources[name]["Properties"]["Content"])
    return str(crc32(content.encode()))


def _alias(document: Document, name: str) -> str:
    properties = document.resolve(document._resources[name]["Properties"])
    return f"arn:aws:lambda:{REGION}:{document.account}:function:{properties['FunctionName']}:{properties['Name']}"


# What !Ref yields where it isn't the resource's name.
_REFERENCES: dict[str, Callable[[Document, str], str]] = {
    "AWS::Lambda::Alias": _alias,
    "AWS::AppConfig::HostedConfigurationVersion": _settings_number,
    "AWS::Serverless::HttpApi": lambda _, __: API_ID,
    "AWS::Serverless::LayerVersion": lambda document, name: f"arn:aws:lambda:{REGION}:{document.account}:layer:{name}:1",
    "AWS::SQS::Queue": _queue_url,
    "AWS::KMS::Key": lambda document, name: document.attribute(name, "Arn").rpartition("/")[2],
    "AWS::IAM::ManagedPolicy": lambda document, name: f"arn:aws:iam::{document.account}:policy/{document._named(name)}",
}

_ARNS = {
    "AWS::CloudWatch::Alarm": "cloudwatch:{region}:{account}:alarm:{name}",
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::Events::EventBus": "events:{region}:{account}:event-bus/{name}",
    "AWS::Events::Rule": "events:{region}:{account}:rule/{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::KMS::Key": "kms:{region}:{account}:key/{name}",
    "AWS::Lambda::Function": "lambda:{region}:{account}:function:{name}",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:{name}:*",
    "AWS::Serverless::Function": "lambda:{region}:{account}:function:{name}",
    "AWS::SNS::Topic": "sns:{region}:{account}:{name}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
    "AWS::WAFv2::WebACL": "wafv2:{region}:{account}:global/webacl/{name}/0",
}
