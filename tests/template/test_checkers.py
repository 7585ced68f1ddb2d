"""What cfn-lint, checkov and parliament say of the translated template: nothing that has no reason here.

A reason whose finding is gone fails as well.
"""

import pytest

from sandbox.repository import TEMPLATE
from tests.support.parameter_changes import CHANGES
from tests.support.tool_runner import run
from tests.support.translated import EVERYTHING, KEY, OWN_KEY, example, stack

# Rule: why the template is right nevertheless.
CFN_LINT = {
    "W1020": "SAM wraps a layer's name in Fn::Sub itself",
    "W1030": "where Tracing is Disabled, SAM leaves Lambda's property out",
    "I3011": "log groups and the queue go with the stack; what must outlive it (the table) says so",
}
CHECKOV = {
    "CKV_AWS_27": "the queue is encrypted with SQS's own key: EventBridge and Lambda could not send under another without a key policy for them",
    "CKV_AWS_115": "reserved concurrency takes from the account's: the throttles of the API limit what visitors can start",
    "CKV_AWS_116": "who invokes directly waits for the answer; the relay, invoked asynchronously, has its destination in EventInvokeConfig",
    "CKV_AWS_117": "providers are on the internet, and nothing here is in a VPC",
    "CKV_AWS_158": "no secret is logged; a key for logs needs a key policy that names CloudWatch Logs, which KmsKeyArn's need not have",
    "CKV_AWS_173": "no secret is in the environment; AWS encrypts it with its own key",
}
PARLIAMENT = {"NO_VERSION RelayFunctionRole 0": "SAM writes this one, for the destination of EventInvokeConfig"}

# parliament itself takes one policy a run, and starting it is what takes the time.
ANALYZE = """
import json, sys
from parliament import analyze_policy_string
found = []
for name, document in json.load(sys.stdin):
    for finding in analyze_policy_string(json.dumps(document)).findings:
        found.append([finding.issue, name, str(finding.detail)])
json.dump(found, sys.stdout)
"""


@pytest.fixture(scope="module")
def linted() -> list[tuple[str, str]]:
    variants: tuple[dict[str, str], ...] = (
        {},
        EVERYTHING,
        {name: change.value for name, change in CHANGES.items()},
        {"KmsKeyArn": KEY},
        OWN_KEY,
        OWN_KEY | {"KmsKeyArn": KEY},
        OWN_KEY | {name: value for name, value in EVERYTHING.items() if name != "KmsKeyArn"},
        {"EnablePin": "true", "ReaderProvider": "other", "Prefix": "other", "SnapStart": "on"},
    )
    files = [str(stack(**variant).path) for variant in variants]
    findings = run("sam/bin/cfn-lint", "--format", "json", "--include-checks", "I", "--", *files)
    return [(each["Rule"]["Id"], f"{each['Message']} at {each['Location']['Path']} of {each['Filename']}") for each in findings]


@pytest.fixture(scope="module")
def checked() -> list[tuple[str, str]]:
    files = [str(stack(**variant).path) for variant in (EVERYTHING, OWN_KEY)]
    options = ["--framework", "cloudformation", "--compact", "--quiet", "--skip-download", "--output", "json"]
    report = run("checks/bin/checkov", "--file", *files, *options)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"]
    return [(each["check_id"], f"{each['check_name']}: {each['resource']}") for each in report["results"]["failed_checks"]]


@pytest.fixture(scope="module")
def analyzed() -> list[tuple[str, str]]:
    policies = [[name, one] for variant in ({}, EVERYTHING, OWN_KEY) for name, one in stack(**variant).policies().items()]
    assert len(policies) > 20
    return [(f"{issue} {name}", detail) for issue, name, detail in run("checks/bin/python", "-c", ANALYZE, given=policies)]


@pytest.mark.parametrize(("findings", "reasons"), [("linted", CFN_LINT), ("checked", CHECKOV), ("analyzed", PARLIAMENT)])
def test_a_checker_finds_nothing_but_what_has_its_reason(
    findings: str, reasons: dict[str, str], request: pytest.FixtureRequest
) -> None:
    found: list[tuple[str, str]] = request.getfixturevalue(findings)
    assert [(rule, what) for rule, what in found if rule not in reasons] == []
    assert reasons.keys() - {rule for rule, _ in found} == set()


def test_cfn_lint_finds_nothing_in_the_examples() -> None:
    files = [str(example(path.parent.name)) for path in (TEMPLATE.parent / "examples").glob("*/template.yaml")]
    assert len(files) > 5
    assert run("sam/bin/cfn-lint", "--format", "json", "--include-checks", "I", "--", *files) == []


def test_parliament_would_find_a_flaw() -> None:
    statement = {"Effect": "Allow", "Action": "dynamodb:PutItems", "Resource": "*"}
    (found, *_) = run("checks/bin/python", "-c", ANALYZE, given=[["flawed", {"Version": "2012-10-17", "Statement": [statement]}]])
    assert found[:2] == ["UNKNOWN_ACTION", "flawed"]
