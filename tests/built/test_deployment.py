"""What `sam deploy` makes of samconfig.toml and of what was built: asked of SAM's own code, without AWS."""

from typing import Any

import pytest

from sandbox.repository import BUILT, ROOT
from tests.support.tool_runner import run

ASKED = """
import inspect, json, os, sys
from unittest import mock
from click.testing import CliRunner
from samcli.commands.deploy import command
from samcli.commands.deploy.auth_utils import auth_per_resource
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

os.chdir(json.load(sys.stdin))
with mock.patch.object(command, "do_cli") as deploy:
    CliRunner(env={"SAM_CLI_TELEMETRY": "0"}).invoke(command.cli, [], catch_exceptions=False)
arguments = inspect.signature(command.do_cli).bind(*deploy.call_args.args, **deploy.call_args.kwargs).arguments
stacks, _ = SamLocalStackProvider.get_stacks(arguments["template_file"])
names = ("template_file", "stack_name", "confirm_changeset", "fail_on_empty_changeset", "resolve_s3")
json.dump({**{name: arguments[name] for name in names}, "authenticated": auth_per_resource(stacks)}, sys.stdout)
"""


@pytest.fixture(scope="module")
def deployment() -> dict[str, Any]:
    asked: dict[str, Any] = run("sam/bin/python", "-c", ASKED, given=str(ROOT))
    return asked


def test_what_was_built_is_deployed_once_somebody_has_seen_the_changes(deployment: dict[str, Any]) -> None:
    assert deployment["template_file"] == str(BUILT / "template.yaml")
    assert (deployment["stack_name"], deployment["confirm_changeset"], deployment["resolve_s3"]) == ("tripod", True, True)


def test_deploying_what_is_deployed_already_is_no_failure(deployment: dict[str, Any]) -> None:
    assert deployment["fail_on_empty_changeset"] is False


def test_the_guide_asks_about_no_function_whether_it_may_go_without_authentication(deployment: dict[str, Any]) -> None:
    assert {function for function, _ in deployment["authenticated"]} == {"StartFunction", "CallbackFunction", "RevokeFunction"}
    assert all(authenticated for _, authenticated in deployment["authenticated"])
