"""What deployers set up wrong, made in a sandbox: of an app in a consumer secret, and of the stack. ``docs/troubleshooting.md`` has each."""

import base64
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sandbox.loopback import free_port
from sandbox.provider import ProviderFault, ProviderServer
from sandbox.world import Sandbox
from tests.support.sandbox_app import SandboxApp, make_app

HOUR = 3600.0  # seconds
GONE = "sign-in.example.invalid"  # a name that leads nowhere (RFC 6761, section 6.4)
CLIENT_ID = base64.b64encode(b"M3R5GpLWwBjRqy3MKy8N:1:ci").decode().rstrip("=")


def _app(sandbox: Sandbox, **options: Any) -> SandboxApp:
    return make_app(sandbox, **options)


def _with_text(sandbox: Sandbox, change: Callable[[str], str]) -> str:
    """Make an app whose consumer secret's text is changed."""
    app = _app(sandbox)
    client = sandbox.client("secretsmanager")
    text = client.get_secret_value(SecretId=app.consumer_secret_name)["SecretString"]
    client.put_secret_value(SecretId=app.consumer_secret_name, SecretString=change(text))
    return app.name


def _with_key(sandbox: Sandbox, change: Callable[[str], str], field: str = "consumer_key") -> str:
    def changed(text: str) -> str:
        content = json.loads(text)
        return json.dumps(content | {field: change(content[field])})

    return _with_text(sandbox, changed)


def _answered(sandbox: Sandbox, fault: ProviderFault, times: int = 2) -> str:
    app = _app(sandbox)
    app.fault("request_token", fault, times)
    return app.name


def _elsewhere(sandbox: Sandbox, url: str) -> str:
    app = _app(sandbox)
    app.redefine(request_token_url=url)
    return app.name


def _deleted(sandbox: Sandbox) -> str:
    app = _app(sandbox)
    sandbox.client("secretsmanager").delete_secret(SecretId=app.consumer_secret_name)
    return app.name


def _without_value(sandbox: Sandbox) -> str:
    name = f"p-{secrets.token_hex(6)}"
    sandbox.client("secretsmanager").create_secret(Name=f"{sandbox.prefix}/consumer/{name}")
    return name


def _under_another_key(sandbox: Sandbox) -> str:
    app = _app(sandbox)
    key = sandbox.client("kms").create_key()["KeyMetadata"]["KeyId"]
    sandbox.client("secretsmanager").update_secret(SecretId=app.consumer_secret_name, KmsKeyId=key)
    return app.name


def _refused_users(sandbox: Sandbox) -> str:
    app = _app(sandbox)
    for user in ("1", "2", "3"):
        values = {"pk": f"connection#{app.name}#{user}", "connected_to": app.name, "user_id": user}
        refused = {"refused_by": app.name} if user != "3" else {}
        item = {name: {"S": value} for name, value in {**values, **refused}.items()}
        sandbox.client("dynamodb").put_item(TableName=sandbox.table, Item=item)
    return app.name


@contextmanager
def clock_ahead(sandbox: Sandbox, seconds: float) -> Iterator[str]:
    """Make an app at a provider whose clock is ahead of everybody else's."""
    with ProviderServer(clock=lambda: time.time() + seconds) as provider:
        consumer = provider.register()
        name = f"p-{secrets.token_hex(6)}"
        content = {
            "consumer_key": consumer.key,
            "consumer_secret": consumer.secret,
            "provider": provider.endpoints(consumer.key),
        }
        client = sandbox.client("secretsmanager")
        client.create_secret(Name=f"{sandbox.prefix}/consumer/{name}", SecretString=json.dumps(content))
        yield name


# By what is wrong: what makes an app of that kind and returns its provider's name.
OF_AN_APP: dict[str, Callable[[Sandbox], str]] = {
    "callback not registered": lambda sandbox: _app(sandbox, callback_urls=["https://other.example/oauth/x/callback"]).name,
    "no callback at all": lambda sandbox: _app(sandbox, callback_urls=[]).name,
    "wrong keys": lambda sandbox: _with_key(sandbox, lambda secret: secret[:-1], "consumer_secret"),
    "client id": lambda sandbox: _with_key(sandbox, lambda _: CLIENT_ID),
    "access token": lambda sandbox: _with_key(sandbox, lambda _: "2244994945-Abcdefghijklmnopqrstuvwxyz"),
    "bearer token": lambda sandbox: _with_key(sandbox, lambda _: "A" * 24 + "bCd"),
    "key twice": lambda sandbox: _with_text(
        sandbox, lambda text: json.dumps((content := json.loads(text)) | {"consumer_secret": content["consumer_key"]})
    ),
    "blank": lambda sandbox: _with_key(sandbox, lambda key: f"{key} "),
    "line end": lambda sandbox: _with_key(sandbox, lambda secret: f"{secret}\n", "consumer_secret"),
    "byte order mark": lambda sandbox: _with_key(sandbox, lambda key: f"\ufeff{key}"),
    "zero width": lambda sandbox: _with_key(sandbox, lambda key: f"\u200b{key}"),
    "byte order mark before it all": lambda sandbox: _with_text(sandbox, lambda text: f"\ufeff{text}"),
    "blank within": lambda sandbox: _with_key(sandbox, lambda key: f"{key[:5]}\n{key[5:]}"),
    "quotes around": lambda sandbox: _with_key(sandbox, lambda key: f"'{key}'"),
    "typographic quotes": lambda sandbox: _with_text(sandbox, lambda text: text.replace('"', "”")),
    "single quotes": lambda sandbox: _with_text(sandbox, lambda text: text.replace('"', "'")),
    "trailing comma": lambda sandbox: _with_text(sandbox, lambda text: f"{text[:-1]},}}"),
    "no brace": lambda sandbox: _with_text(sandbox, lambda text: text[:-1]),
    "key alone": lambda sandbox: _with_text(sandbox, lambda text: json.loads(text)["consumer_key"]),
    "empty": lambda sandbox: _with_text(sandbox, lambda _: " "),
    "other names": lambda sandbox: _with_text(sandbox, lambda _: '{"api_key": "k", "api_secret": "s"}'),
    "unknown provider": lambda sandbox: _with_text(sandbox, lambda text: json.dumps(json.loads(text) | {"provider": "tumbler"})),
    "no site": lambda sandbox: _with_text(sandbox, lambda text: json.dumps(json.loads(text) | {"provider": "usos"})),
    "not described": lambda sandbox: _with_text(sandbox, lambda _: '{"consumer_key": "k", "consumer_secret": "s"}'),
    "deleted": _deleted,
    "without a value": _without_value,
    "under another key": _under_another_key,
    "no secret": lambda _: f"p-{secrets.token_hex(6)}",
    "no name": lambda _: "X_Corp",
    "suspended": lambda sandbox: _answered(sandbox, ProviderFault.SUSPENDED),
    "no credits": lambda sandbox: _answered(sandbox, ProviderFault.NO_CREDITS),
    "no page of its own": lambda sandbox: _answered(sandbox, ProviderFault.HTML),
    "down": lambda sandbox: _answered(sandbox, ProviderFault.OVER_CAPACITY),
    "too often": lambda sandbox: _answered(sandbox, ProviderFault.RATE_LIMITED),
    "not confirmed": lambda sandbox: _app(sandbox, callback_confirmed=None).name,
    "host not known": lambda sandbox: _elsewhere(sandbox, "https://api.x.invalid/oauth/request_token"),
    "nobody listens": lambda sandbox: _elsewhere(sandbox, f"http://127.0.0.1:{free_port()}/oauth/request_token"),
    "users refused": _refused_users,
}


def break_stack(sandbox: Sandbox) -> None:
    """Break everything about a stack that can be broken at once."""
    client, prefix, table = sandbox.client, sandbox.prefix, sandbox.table
    client("kms").disable_key_rotation(KeyId=sandbox.token_key)
    client("kms").disable_key(KeyId=sandbox.token_key)
    client("cloudwatch").set_alarm_state(AlarmName=f"{prefix}-RelayAlarm", StateValue="ALARM", StateReason="a test says so")
    queue = client("sqs").get_queue_url(QueueName=f"{prefix}-dead-letters")["QueueUrl"]
    client("sqs").send_message(QueueUrl=queue, MessageBody="a sweep that failed")
    client("events").delete_event_bus(Name=prefix)
    client("dynamodb").update_time_to_live(TableName=table, TimeToLiveSpecification={"Enabled": False, "AttributeName": "ttl"})
    off = {"PointInTimeRecoveryEnabled": False}
    client("dynamodb").update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=off)
    owe(sandbox, due=time.time() - HOUR, tries=3)
    for name, value in (
        ("api-url", f"https://{GONE}"),
        ("layer-arn", f"arn:aws:lambda:us-east-1:{sandbox.aws_server.account}:layer:TripodLayer:0"),
    ):
        client("ssm").put_parameter(Name=f"/{prefix}/{name}", Value=value, Type="String", Overwrite=True)
    client("ssm").delete_parameter(Name=f"/{prefix}/table")
    functions = sandbox.functions
    functions.take_away(f"{prefix}-sign")
    functions.describe(f"{prefix}-check", State="Failed", StateReason="The function could not be restored")
    functions.describe(f"{prefix}-redeem", LastUpdateStatus="Failed", LastUpdateStatusReason="The role can't be assumed")
    functions.describe(f"{prefix}-callback", "live", Description="settings 1", Version="3")
    functions.describe(f"{prefix}-revoke", Runtime="python3.12")
    functions.reconfigure(f"{prefix}-start", {"TRIPOD_APP_NAME": "By hand", "TRIPOD_RETURN_URLS": "https://app.example/?here"})


def owe(sandbox: Sandbox, *, due: float, tries: int) -> None:
    """Let a grant's tokens wait in the outbox, as after so many tries that failed."""
    pk = "authorization#x#made-up"
    item = {
        "pk": {"S": pk},
        "provider": {"S": "x"},
        "state": {"S": "granted"},
        "pending_event": {"S": "authorization.granted"},
        "pending_tokens": {"M": {"oauth_token": {"S": "t0ken-never-shown"}, "consumer_key": {"S": "k"}}},
        "outbox": {"S": "0"},
        "outbox_since": {"N": "1790000000"},
        "outbox_due": {"N": str(due)},
        "outbox_tries": {"N": str(tries)},
    }
    sandbox.client("dynamodb").put_item(TableName=sandbox.table, Item=item)


def without_key(sandbox: Sandbox) -> str:
    """Take the key that seals tokens away from every function, as a deployment with TokenKey off; return an app that wants it."""
    for function in sandbox.template.functions():
        if function.name != f"{sandbox.prefix}-sign":  # it is taken away
            sandbox.functions.reconfigure(function.name, {"TRIPOD_TOKEN_KEY": ""})
    return make_app(sandbox, secret={"store": "table"}).name


def put_address(sandbox: Sandbox, url: str) -> None:
    """Have the stack say that this is its address."""
    sandbox.client("ssm").put_parameter(Name=f"/{sandbox.prefix}/api-url", Value=url, Type="String", Overwrite=True)
