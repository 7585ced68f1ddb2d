"""The CDK app and the Terraform configuration of docs/infrastructure-as-code.md: what they name is there, and what CDK makes is sound."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.repository import ROOT
from tests.support.node import NEEDS_NODE, NODE, PEERS
from tests.support.tool_runner import run
from tests.support.translated import source, stack, uploaded

PAGE = (ROOT / "docs/infrastructure-as-code.md").read_text()

# The parser that checkov reads Terraform with: blocks are lists of objects, and each value is in a list.
PARSE = "import hcl2, json, sys; json.dump(hcl2.loads(json.load(sys.stdin)), sys.stdout)"

# What Terraform makes and nothing refers to.
UNUSED = {
    "aws_iam_role_policy_attachment.logs",
    "aws_iam_role_policy_attachment.read_tokens",
    "aws_cloudwatch_event_target.refused",
    "aws_lambda_permission.refused",
}

Body = dict[str, Any]


def block(language: str) -> str:
    """Return the page's one block in a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)
    return str(found)


def values(body: Any, name: str) -> Iterator[Any]:
    """Yield every value that stands under a name, anywhere in a document."""
    if isinstance(body, dict):
        yield from (value for key, value in body.items() if key == name)
    for one in body.values() if isinstance(body, dict) else body if isinstance(body, list) else ():
        yield from values(one, name)


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the template that CDK makes of the page's app, in a project that has Tripod's clone, built and packaged."""
    folder = tmp_path_factory.mktemp("cdk")
    (folder / "tripod/.aws-sam").mkdir(parents=True)
    (folder / "tripod/.aws-sam/packaged.yaml").write_text(json.dumps(uploaded(source(), {})))  # JSON is YAML
    shutil.copytree(ROOT / "examples", folder / "tripod/examples")
    shutil.copytree(ROOT / "examples/reconnect/function", folder / "refused")
    (folder / "node_modules").symlink_to(PEERS / "node_modules")
    (folder / "app.mjs").write_text(block("javascript"))
    finished = subprocess.run(
        [*NODE, "app.mjs"],
        env={"CDK_OUTDIR": "out", "HOME": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return folder / "out/Posting.template.json"


@NEEDS_NODE
def test_cdk_deploys_the_template_and_uses_its_outputs(synthesized: Path) -> None:
    template = json.loads(synthesized.read_text())
    resources = template["Resources"]
    by_type = {one["Type"]: one["Properties"] for one in resources.values()}
    tripod = by_type["AWS::CloudFormation::Stack"]
    assert tripod["Parameters"].keys() <= source()["Parameters"].keys()
    asset = tripod["TemplateURL"]["Fn::Sub"].rpartition("/")[2]
    (deployed,) = synthesized.parent.glob(f"asset.{asset}")
    assert json.loads(deployed.read_text()) == uploaded(source(), {})  # as sam package has written it
    used = {name.removeprefix("Outputs.") for of, name in values(template, "Fn::GetAtt") if of == "Tripod"}
    assert used == {"CallbackUrl", "ReadTokensOfOneProviderPolicy", "LayerVersion", "EventBusName"}
    assert used <= stack().outputs().keys()
    (layered,) = [one["Properties"] for one in resources.values() if "Layers" in one["Properties"]]
    layer = source()["Resources"]["TripodLayer"]["Properties"]
    assert layered["Runtime"] in layer["CompatibleRuntimes"]
    assert layered["Architectures"] == layer["CompatibleArchitectures"]
    assert by_type["AWS::Events::Rule"]["EventBusName"] == {"Fn::GetAtt": ["Tripod", "Outputs.EventBusName"]}


@NEEDS_NODE
def test_cfn_lint_finds_nothing_in_what_cdk_makes_but_its_own_way_of_writing(synthesized: Path) -> None:
    findings = run("sam/bin/cfn-lint", "--format", "json", "--", str(synthesized))
    assert {each["Rule"]["Id"] for each in findings} == {"W3005"}  # CDK lets each function depend on its role twice


@pytest.fixture(scope="module")
def configuration() -> Body:
    parsed: Body = run("checks/bin/python", "-c", PARSE, given=block("terraform"))
    return parsed


def test_terraform_deploys_the_template_and_uses_its_outputs(configuration: Body) -> None:
    resources = {kind: one for each in configuration["resource"] for kind, one in each.items()}
    tripod = resources["aws_cloudformation_stack"]["tripod"]
    assert tripod["capabilities"] == [["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]]
    assert tripod["parameters"][0].keys() <= source()["Parameters"].keys()
    used = set(re.findall(r'aws_cloudformation_stack\.tripod\.outputs\["(\w+)"\]', block("terraform")))
    assert used == {"CallbackUrl", "ReadTokensOfOneProviderPolicy", "LayerVersion", "EventBusName"}
    assert used <= stack().outputs().keys()
    layer, function = source()["Resources"]["TripodLayer"]["Properties"], resources["aws_lambda_function"]["lambda"]
    assert function["runtime"][0] in layer["CompatibleRuntimes"]
    assert function["architectures"][0] == layer["CompatibleArchitectures"]


def test_terraform_refers_to_nothing_that_is_not_declared(configuration: Body) -> None:
    declared = {
        f"{'data.' * (what == 'data')}{kind}.{name}"
        for what in ("resource", "data")
        for each in configuration[what]
        for kind, one in each.items()
        for name in one
    }
    declared |= {f"var.{name}" for each in configuration["variable"] for name in each}
    declared |= {f"local.{name}" for each in configuration["locals"] for name in each if not name.startswith("__")}
    code = re.sub(r"#.*", "", block("terraform"))
    assert set(re.findall(r"\b((?:data\.)?(?:aws|archive)_\w+\.\w+|(?:var|local)\.\w+)", code)) == declared - UNUSED


def test_both_name_folders_and_handlers_that_are_there() -> None:
    named = {
        path for language in ("javascript", "terraform") for path in re.findall(r'"tripod/(examples/[^"]+)"', block(language))
    }
    assert named == {"examples/post/function"}
    assert (ROOT / named.pop() / "handler.py").exists()
