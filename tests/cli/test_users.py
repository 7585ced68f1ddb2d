"""``tripod users``, ``show``, ``check`` and ``disconnect``, as the operator sees them."""

import pytest

from sandbox.provider import ProviderFault
from sandbox.world import Sandbox
from tests.support.command import started, tripod
from tests.support.sandbox_app import SandboxApp


def test_who_is_connected_is_listed_for_people_and_for_programs(checked: SandboxApp) -> None:
    sandbox, name, user = checked.sandbox, checked.name, checked.user
    people, programs = tripod(sandbox, "users", name), tripod(sandbox, "--json", "users", name)
    assert people.exit_code == programs.exit_code == 0
    assert user.user_id in people.out
    assert user.screen_name in people.out
    (row,) = programs.rows
    assert (row["user_id"], row["state"], row["cause"]) == (user.user_id, "connected", None)
    assert tripod(sandbox, "users", name, "--count").out == "1\n"
    assert tripod(sandbox, "users", name, "--state", "refused", "--count", "--json").rows[0]["count"] == 0


def test_one_connection_is_shown_without_a_token(checked: SandboxApp) -> None:
    shown = tripod(checked.sandbox, "show", checked.name, checked.user.user_id, "--json")
    stored = checked.stored()
    assert stored is not None
    assert shown.exit_code == 0
    assert shown.rows[0]["tokens_in"] == "Secrets Manager"
    assert stored["oauth_token"] not in shown.out
    assert stored["oauth_token_secret"] not in shown.out


def test_a_check_says_what_the_provider_says_and_its_exit_code_too(checked: SandboxApp) -> None:
    sandbox, about = checked.sandbox, (checked.name, checked.user.user_id)
    works = tripod(sandbox, "check", *about, "--json")
    assert (works.exit_code, works.rows[0]["state"]) == (0, "connected")
    checked.change_item(checked.connection_key, check_after=1)
    sandbox.provider_server.revoke(checked.consumer.key, checked.user)
    refused = tripod(sandbox, "check", *about, "--json")
    assert (refused.exit_code, refused.rows[0]["state"], refused.rows[0]["cause"]) == (1, "refused", "token_revoked")
    assert "sign in again" in refused.err
    assert tripod(sandbox, "show", *about, "--json").rows[0]["state"] == "refused"


def test_a_provider_that_is_down_is_not_aws_out_of_reach(checked: SandboxApp) -> None:
    checked.change_item(checked.connection_key, check_after=1)
    checked.fault("verify_credentials", ProviderFault.OVER_CAPACITY, times=5)
    ran = tripod(checked.sandbox, "check", checked.name, checked.user.user_id, "--json")
    assert (ran.exit_code, ran.out) == (1, "")
    assert "(provider_unavailable)" in ran.err


def test_a_user_is_disconnected_once_the_operator_says_yes(checked: SandboxApp) -> None:
    sandbox, about = checked.sandbox, (checked.name, checked.user.user_id)
    assert tripod(sandbox, "disconnect", *about, "--dry-run").exit_code == 0
    assert tripod(sandbox, "disconnect", *about, typed="n\n").exit_code == 1
    assert checked.stored()
    done = tripod(sandbox, "disconnect", *about, typed="y\n")
    assert done.exit_code == 0
    assert checked.is_deleted()
    again = tripod(sandbox, "disconnect", *about, "--yes")
    assert again.exit_code == 1
    assert "has not granted access" in again.err
    assert tripod(sandbox, "show", *about, "--json").rows[0]["state"] == "revoked"


def test_nobody_is_said_to_be_connected_at_a_provider_that_is_not_there(sandbox: Sandbox) -> None:
    ran = tripod(sandbox, "users", "nobody")
    assert (ran.exit_code, ran.out) == (1, "")
    assert "tripod consumer list" in ran.err


@pytest.mark.parametrize(
    ("arguments", "environ", "code", "said"),
    [
        (["users", "x", "--prefix", "none"], {}, 3, "/none/table"),
        (["show", "x", "1", "--prefix", "none"], {}, 3, "function none-relay in us-east-1"),
        (["users", "x", "--profile", "none"], {}, 3, "no such profile"),
        (["users", "x"], {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, 3, "no AWS credentials"),
        (["users", "x"], {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, 3, "can't be reached"),
        (["users", "x"], {"AWS_ENDPOINT_URL": "garbage"}, 3, "AWS_ENDPOINT_URL"),
        (["users", "x"], {"AWS_REGION": None, "AWS_DEFAULT_REGION": None}, 3, "or AWS_REGION in the environment"),
        (["users"], {}, 2, "Missing argument"),
        (["check", "x", ""], {}, 2, "'USER_ID': it is empty"),
    ],
)
def test_what_keeps_a_command_from_its_work_is_said_with_what_to_do(
    sandbox: Sandbox, arguments: list[str], environ: dict[str, str | None], code: int, said: str
) -> None:
    without_files = {
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    ran = tripod(sandbox, *arguments, environ={**without_files, **environ})
    assert (ran.exit_code, ran.out) == (code, "")
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_the_region_is_the_environments_as_in_awss_own_command(sandbox: Sandbox) -> None:
    for named in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        ran = tripod(
            sandbox, "users", "x", "--count", environ={"AWS_REGION": None, "AWS_DEFAULT_REGION": None, named: "us-east-1"}
        )
        assert (ran.exit_code, ran.err) == (0, ""), named
    both = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1"}
    ran = tripod(sandbox, "show", "x", "1", "--prefix", "none", environ=both)
    assert "in eu-west-1" in ran.err


def test_the_installed_command_answers(sandbox: Sandbox) -> None:
    with started(sandbox, "users", "x", "--count") as command:
        out, err = command.communicate(timeout=60)
    assert (command.returncode, out, err) == (0, "0\n", "")
