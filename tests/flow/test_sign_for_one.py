"""A stack whose sign is for one provider (the parameter SignProvider): what its role can read, in both stores."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from sandbox.aws.credentials import SESSION_PREFIX
from sandbox.world import Sandbox
from tests.support.direct import invoke
from tests.support.reading import grant
from tests.support.refusal import refused
from tests.support.sandbox_app import PARAMETERS, QUICK, SandboxApp
from tripod.sealed_tokens import encryption_context, find, unseal

NEIGHBOURS = ("mine-too", "other")  # the first has a longer name that begins alike


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    with Sandbox(parameters=PARAMETERS | {"SignProvider": "mine"}, settings=QUICK, streams=False) as running:
        yield running


@pytest.fixture(scope="module")
def apps(world: Sandbox) -> dict[str, SandboxApp]:
    """Return the provider ``mine`` and its neighbours, each with a user whose tokens are in the table, and another's secret."""
    found = {}
    for name in ("mine", *NEIGHBOURS):
        consumer = world.add_provider(name, store="table")
        found[name] = SandboxApp(world, name, consumer, world.provider_server.add_user())
        grant(found[name])
        world.client("secretsmanager").create_secret(Name=f"{world.prefix}/user/{name}/1", SecretString="{}")
    return found


@pytest.fixture
def own(world: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what makes clients with the role of sign, and nothing else."""
    for name, value in world.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SESSION_TOKEN", f"{SESSION_PREFIX}{world.prefix}-sign")
    return boto3.Session().client


def signed(app: SandboxApp) -> dict[str, Any]:
    return invoke(
        app, "sign", provider=app.name, user_id=app.user.user_id, method="GET", url=f"{app.sandbox.provider}/2/users/me"
    )


def test_it_signs_for_its_own_provider_and_tells_others_why_not(apps: dict[str, SandboxApp]) -> None:
    assert signed(apps["mine"])["authorization"].startswith("OAuth ")
    for name in NEIGHBOURS:
        told = signed(apps[name])
        assert told["code"] == "unknown_provider"
        assert told["detail"] == "Requests are signed for mine alone here: the stack's parameter SignProvider."


def test_the_role_reads_one_providers_secrets_and_no_others(own: Any, apps: dict[str, SandboxApp], world: Sandbox) -> None:
    """The variable beside it decides nothing: this process has none."""
    secrets = own("secretsmanager")
    for name in apps:
        for secret in (f"{world.prefix}/consumer/{name}", f"{world.prefix}/user/{name}/1"):
            if name == "mine":
                assert secrets.get_secret_value(SecretId=secret)["Name"] == secret
            else:
                assert refused(secrets.get_secret_value, SecretId=secret) == "AccessDeniedException"


def test_the_role_opens_one_providers_sealed_tokens_and_no_others(own: Any, apps: dict[str, SandboxApp], world: Sandbox) -> None:
    dynamodb, kms = own("dynamodb"), own("kms")
    mine = apps["mine"].user.user_id
    sealed = find(dynamodb, world.table, world.prefix, "mine", mine)
    assert isinstance(sealed, bytes)
    assert unseal(kms, world.prefix, "mine", mine, sealed).user_id == mine
    for name in NEIGHBOURS:
        theirs = {"table": world.table, "prefix": world.prefix, "provider": name, "user_id": apps[name].user.user_id}
        assert refused(find, dynamodb=dynamodb, **theirs) == "AccessDeniedException"
        found = find(world.client("dynamodb"), **theirs)
        context = encryption_context(world.prefix, name, apps[name].user.user_id)
        assert refused(kms.decrypt, CiphertextBlob=found, EncryptionContext=context) == "AccessDeniedException"
