"""Every parameter: what it changes in the stack."""

import json
import re
from typing import Any

import pytest

from sandbox.repository import ROOT
from tests.support.parameter_changes import CHANGES
from tests.support.translated import BOUNDARY, CERTIFICATE, DOMAIN, EVERYTHING, KEY, TOPIC, TranslatedStack, source, stack

GROUPS = source()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
PARAMETERS: dict[str, dict[str, Any]] = source()["Parameters"]
ENVIRONMENT = 4096  # bytes: Lambda's limit on all of a function's variables, which it measures as JSON
LONGEST = 4096  # bytes: CloudFormation's limit on a parameter's value
UNITS = {"Memory": "MB", "RecoveryWindow": "days", "LogRetention": "days", "RouteRate": "a second", "RouteBurst": "requests"}
UNITS |= {"ReservedConcurrency": "invocations at once", "CheckEvery": "hours"}


def test_every_parameter_has_a_change_here() -> None:
    assert CHANGES.keys() == PARAMETERS.keys()


@pytest.mark.parametrize("name", CHANGES)
def test_a_parameter_changes_what_it_says(name: str) -> None:
    change = CHANGES[name]
    assert change.seen(stack()) == change.before
    assert change.seen(stack(**{name: change.value, **dict(change.beside)})) == change.after


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_is_described_with_its_unit_and_can_be_left_out(name: str) -> None:
    assert "Default" in PARAMETERS[name]
    assert len(PARAMETERS[name]["Description"]) > 20
    assert (PARAMETERS[name]["Type"] == "Number") == (name in UNITS)
    assert UNITS.get(name, "") in PARAMETERS[name]["Description"]


@pytest.mark.parametrize("function", stack().functions())
def test_the_longest_parameters_fit_into_a_functions_environment(function: str) -> None:
    longest = {"Prefix": "p" * 32, "AppName": "\N{GRINNING FACE}" * PARAMETERS["AppName"]["MaxLength"], "LogLevel": "WARNING"}
    full = TranslatedStack(
        EVERYTHING | longest | {"AllowedReturnUrls": "u" * PARAMETERS["AllowedReturnUrls"].get("MaxLength", LONGEST)}
    )
    full.raw("Table")["Properties"]["TableName"] = "t" * 255  # the longest that a table may have
    assert len(json.dumps(full.environment(function))) <= ENVIRONMENT


def test_the_documents_have_every_parameter_with_its_default() -> None:
    told: dict[str, str] = {}
    for line in (ROOT / "docs" / "parameters.md").read_text().splitlines():
        if line.startswith("| `"):
            names, defaults, *_ = line.strip("| ").split(" | ")
            told |= dict(zip(names.split(", "), defaults.split(", "), strict=True))
    assert told == {f"`{name}`": f"`{each['Default']}`" if each["Default"] else "none" for name, each in PARAMETERS.items()}


def test_the_form_has_every_parameter_once() -> None:
    assert sorted(name for group in GROUPS for name in group["Parameters"]) == sorted(PARAMETERS)
    assert all(group["Label"]["default"] for group in GROUPS)


@pytest.mark.parametrize(
    ("parameters", "holds"),
    [({}, True), (EVERYTHING, True), ({"DomainName": DOMAIN}, False), ({"CertificateArn": CERTIFICATE}, False)],
)
def test_a_domain_name_and_its_certificate_belong_together(parameters: dict[str, str], holds: bool) -> None:
    assert all(stack(**parameters).rules()) is holds


PATTERNS: list[tuple[str, list[str], list[str]]] = [
    ("Prefix", ["tripod", "a", "a-1"], ["", "Tripod", "aws-x", "ssmx", "default", "1a"]),
    ("KmsKeyArn", ["", KEY, KEY.replace("key/", "key/mrk-")], ["alias/mine", KEY.replace("key/", "alias/"), f"{KEY} "]),
    ("DomainName", ["", DOMAIN, "a.b"], [f"https://{DOMAIN}", f"{DOMAIN}/", "example", "Sign.example", "-a.example", "a..b"]),
    ("CertificateArn", ["", CERTIFICATE], [CERTIFICATE.replace(":acm:", ":iam:"), "certificate"]),
    (
        "PermissionsBoundary",
        ["", BOUNDARY, "arn:aws:iam::aws:policy/PowerUserAccess", BOUNDARY.replace("policy/", "policy/a/path/")],
        ["boundary", BOUNDARY.replace(":policy/", ":role/"), f"{BOUNDARY} "],
    ),
    ("ReaderProvider", ["x", "a-1"], ["", "X", "a" * 33]),
    ("SignProvider", ["", "x", "a-1"], ["X", "*", "x/*", "a" * 33]),
    ("AlarmTopicArn", ["", TOPIC], ["alarms", TOPIC.replace(":sns:", ":sqs:"), f"{TOPIC}:1"]),
    (
        "AllowedReturnUrls",
        [
            *("", "https://a.example", "https://a.example/x/*", "https://a.example/x, https://b.example:8443/y"),
            *("http://127.0.0.1:3000/done", "http://localhost/", "http://[::1]:3000/", " https://a.example/x "),
        ],
        [
            *("a.example/signed-in", "http://a.example/x", "https://a.example/x?y=1", "https://a.example/#x", "https://"),
            *("https://a.example/x;https://b.example/ y", "https://a.example/x, b.example", "http://localhost.evil.example/"),
        ],
    ),
    ("Colour", ["#0b57d0", "#FFFFFF"], ["red", "#fff", "#0b57d0;"]),
]


@pytest.mark.parametrize(("name", "right", "wrong"), PATTERNS)
def test_a_parameters_pattern_takes_what_is_right(name: str, right: list[str], wrong: list[str]) -> None:
    pattern = PARAMETERS[name]["AllowedPattern"]
    assert [value for value in right if not re.fullmatch(pattern, value)] == []
    assert [value for value in wrong if re.fullmatch(pattern, value)] == []


def test_every_pattern_is_tried_and_says_in_words_what_it_wants() -> None:
    patterned = {name: each for name, each in PARAMETERS.items() if "AllowedPattern" in each}
    assert {name for name, *_ in PATTERNS} == patterned.keys()
    assert [name for name, each in patterned.items() if not each["ConstraintDescription"].startswith(f"{name}: ")] == []


def test_with_a_domain_of_its_own_the_api_has_that_address_only() -> None:
    own = stack(**EVERYTHING)
    assert own.one("Domain")["DomainNameConfigurations"] == [
        {"CertificateArn": CERTIFICATE, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2"}
    ]
    assert own.one("DomainMapping")["ApiId"] == own.reference("HttpApi")
    assert own.one("DomainMapping")["DomainName"] == own.reference("Domain")
    assert own.raw("DomainMapping")["Properties"]["Stage"] == {"Ref": "HttpApiApiGatewayDefaultStage"}
    assert "ApiMappingKey" not in own.one("DomainMapping")  # the paths stay as they are
    assert own.one("ApiUrl")["Value"] == f"https://{DOMAIN}"
    assert own.outputs()["StartUrl"] == f"https://{DOMAIN}/oauth/x/start"
    assert own.outputs()["DomainTarget"]


@pytest.mark.parametrize(("parameters", "off"), [({}, False), (EVERYTHING, True)])
def test_api_gateways_own_address_is_off_where_there_is_another(parameters: dict[str, str], off: bool) -> None:
    (server,) = stack(**parameters).one("HttpApi")["Body"]["servers"]
    assert server["x-amazon-apigateway-endpoint-configuration"] == {"disableExecuteApiEndpoint": off}


def test_without_a_domain_there_is_nothing_of_one() -> None:
    assert not stack().has("Domain")
    assert not stack().has("DomainMapping")
    assert "DomainTarget" not in stack().outputs()
