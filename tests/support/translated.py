"""The template as CloudFormation gets it: translated by SAM's own translator, on this machine."""

import atexit
import copy
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from sandbox.repository import TEMPLATE
from sandbox.template.intrinsics import REGION, Document

KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
DOMAIN = "sign-in.example.com"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
EVERYTHING = {
    "KmsKeyArn": KEY,
    "DomainName": DOMAIN,
    "CertificateArn": CERTIFICATE,
    "AlarmTopicArn": TOPIC,
    "PermissionsBoundary": BOUNDARY,
    "ReservedConcurrency": "20",
}  # every condition holds but the one for a key that the stack makes
OWN_KEY = {"TokenKey": "on"}

Body = dict[str, Any]


@cache
def source() -> Body:
    """Return the template as it is written."""
    body: Body = yaml_parse(TEMPLATE.read_text())
    return body


@cache
def _files() -> Path:
    folder = tempfile.mkdtemp(prefix="tripod-template-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


class TranslatedStack(Document):
    """The translated template with its parameters set, as a file (``path``) and as resolved resources.

    ``code`` says where the code of a function or layer lies, by its logical id, if not in its usual place.
    """

    def __init__(self, parameters: dict[str, str], code: dict[str, str] | None = None) -> None:
        body = _translate(source(), parameters, code or {})
        for name, value in parameters.items():  # what judges the file knows no parameters but their defaults
            body["Parameters"][name]["Default"] = int(value) if body["Parameters"][name]["Type"] == "Number" else value
        path = _files() / f"{'-'.join(sorted(parameters))[:200] or 'default'}-{len(list(_files().iterdir()))}.json"
        path.write_text(json.dumps(body, indent=1))
        super().__init__(path, parameters)

    def one(self, name: str) -> Body:
        """Return a resource's properties, by its logical id."""
        properties: Body = self.resolve(self._resources[name]["Properties"])
        return properties

    def has(self, name: str) -> bool:
        """Tell whether there is such a resource."""
        return name in self._resources

    def kinds(self) -> set[str]:
        """Return every type of resource that there is one of."""
        return {resource["Type"] for resource in self._resources.values()}

    def raw(self, name: str) -> Body:
        """Return a resource with what stands beside its properties, unresolved."""
        return self._resources[name]

    def outputs(self) -> dict[str, str]:
        """Return every output whose condition holds."""
        outputs: dict[str, Body] = self._body["Outputs"]
        return {
            name: self.resolve(output["Value"])
            for name, output in outputs.items()
            if "Condition" not in output or self._holds(output["Condition"])
        }

    def rules(self) -> list[bool]:
        """Return whether each assertion of the template's rules holds."""
        return [bool(self.resolve(each["Assert"])) for rule in self._body["Rules"].values() for each in rule["Assertions"]]

    def functions(self) -> dict[str, Body]:
        """Return every function's properties, by logical id."""
        return self.resources("AWS::Lambda::Function")

    def environment(self, function: str) -> dict[str, str]:
        """Return a function's variables."""
        variables: dict[str, str] = self.one(function)["Environment"]["Variables"]
        return variables

    def routes(self) -> dict[str, Body]:
        """Return what the API's definition says of each route, by route key."""
        paths: Body = self.one("HttpApi")["Body"]["paths"]
        return {f"{method.upper()} {path}": one for path, methods in paths.items() for method, one in methods.items()}

    def policies(self) -> dict[str, Body]:
        """Return every identity policy's document, by role and number or by the managed policy's logical id."""
        inline = {
            f"{name} {number}": policy["PolicyDocument"]
            for name, role in self.resources("AWS::IAM::Role").items()
            for number, policy in enumerate(role.get("Policies", []))
        }
        managed = self.resources("AWS::IAM::ManagedPolicy")
        return inline | {name: policy["PolicyDocument"] for name, policy in managed.items()}


@cache
def stack(**parameters: str) -> TranslatedStack:
    """Return the template, translated for these parameters."""
    return TranslatedStack(parameters)


def uploaded(body: Body, code: dict[str, str]) -> Body:
    """Return a SAM template as ``sam package`` writes it: with addresses where it had folders."""
    body = copy.deepcopy(body)
    for name, resource in body["Resources"].items():
        for place in ("CodeUri", "ContentUri"):
            if place in resource.get("Properties", {}):
                resource["Properties"][place] = code.get(name, "s3://bucket/" + resource["Properties"][place].strip("/"))
    return body


def example(name: str) -> Path:
    """Return one of the examples, translated, as a file."""
    body: Body = yaml_parse((TEMPLATE.parent / "examples" / name / "template.yaml").read_text())
    path = _files() / f"example-{name}.json"
    path.write_text(json.dumps(_translate(body, {}, {}), indent=1))
    return path


def _translate(body: Body, parameters: dict[str, str], code: dict[str, str]) -> Body:
    boto_session = boto3.Session(region_name=REGION)
    translated: Body = Translator({}, Parser(), boto_session=boto_session).translate(uploaded(body, code), parameters)
    return translated
