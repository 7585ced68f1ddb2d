"""Disconnecting a user: at the provider, in Secrets Manager, in the table; by another Lambda or by a signed request."""

from typing import Any

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sandbox.aws.credentials import ACCESS_KEY, SECRET_KEY
from sandbox.provider import ProviderFailure, failures
from sandbox.template.intrinsics import REGION
from tests.support.direct import invoke
from tests.support.sandbox_app import SandboxApp


@pytest.fixture
def connected(app: SandboxApp) -> SandboxApp:
    browser = app.browser()
    assert browser.get(app.come_back(browser)).status_code == 200
    return app


def revoke(app: SandboxApp) -> dict[str, Any]:
    return invoke(app, "revoke", provider=app.name, user_id=app.user.user_id)


def test_a_user_is_disconnected_everywhere(connected: SandboxApp) -> None:
    assert revoke(connected) == {
        "outcome": "revoked",
        "provider": connected.name,
        "user_id": connected.user.user_id,
        "invalidated": True,
    }
    assert [call.status for call in connected.calls("invalidate_token")] == [200]
    assert connected.is_deleted()
    connection = connected.connection()
    assert connection is not None
    assert "revoked_at" in connection
    assert "connected_to" not in connection
    assert revoke(connected)["code"] == "token_not_found"


def test_a_user_who_comes_back_is_connected_again(connected: SandboxApp) -> None:
    revoke(connected)
    browser = connected.browser()
    assert browser.get(connected.come_back(browser)).status_code == 200
    assert not connected.is_deleted()
    assert connected.stored()
    connection = connected.connection()
    assert connection is not None
    assert "revoked_at" not in connection
    assert connection["connected_to"] == {"S": connected.name}


def test_a_token_that_the_provider_forgot_is_still_deleted_here(connected: SandboxApp) -> None:
    connected.sandbox.provider_server.revoke(connected.consumer.key, connected.user)
    assert revoke(connected)["outcome"] == "revoked"
    assert connected.is_deleted()


@pytest.mark.parametrize(
    "answer",
    [
        failures.NOT_AUTHENTICATED,
        failures.SUSPENDED,
        failures.NOT_FOUND,
        failures.USER_SUSPENDED,
        failures.V2_UNAUTHORIZED,
        ProviderFailure(403, '{"errors":[{"code":416,"message":"Invalid / suspended application"}]}'),
        ProviderFailure(403, "<!doctype html><title>Just a moment...</title>", failures.TEXT),
        ProviderFailure(302, "", failures.TEXT, {"Location": "https://elsewhere.example/"}),
        ProviderFailure(405, "", failures.TEXT),
        ProviderFailure(200, "Error: no such token", failures.TEXT),
    ],
    ids=lambda answer: f"{answer.status} {answer.body[:30]}",
)
def test_no_refusal_of_the_providers_keeps_a_user_connected(connected: SandboxApp, answer: ProviderFailure) -> None:
    connected.fault("invalidate_token", answer, times=9)
    told = revoke(connected)
    assert (told["outcome"], told["invalidated"]) == ("revoked", False)
    assert connected.is_deleted()
    assert len(connected.calls("invalidate_token")) == 1
    refused = [
        line for line in connected.sandbox.logs.text.splitlines() if '"not invalidated"' in line and connected.name in line
    ]
    assert f'"reason":"{answer.status} ' in refused[-1]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_success_is_one(connected: SandboxApp, status: int) -> None:
    connected.fault("invalidate_token", ProviderFailure(status, "", failures.TEXT))
    assert revoke(connected)["invalidated"] is True
    assert connected.is_deleted()


def test_whoever_was_never_connected_is_not_found(app: SandboxApp) -> None:
    assert revoke(app)["code"] == "token_not_found"
    assert invoke(app, "revoke", provider="nobody-here", user_id="1")["code"] == "unknown_provider"


@pytest.mark.parametrize("user_id", ["", "a" * 600, "a\n", 5, None])
def test_a_user_id_that_makes_no_sense_is_refused(app: SandboxApp, user_id: Any) -> None:
    assert invoke(app, "revoke", provider=app.name, user_id=user_id)["code"] == "bad_request"


def signed(url: str, secret_key: str = SECRET_KEY) -> requests.Response:
    """POST with AWS's signature, version 4, as IAM authorization asks for."""
    request = AWSRequest("POST", url, data=b"", headers={"Accept": "application/json"})
    SigV4Auth(Credentials(ACCESS_KEY, secret_key), "execute-api", REGION).add_auth(request)
    return requests.post(url, headers=dict(request.headers), timeout=30)


def test_the_route_takes_signed_requests_alone(connected: SandboxApp) -> None:
    url = f"{connected.sandbox.api}/oauth/{connected.name}/users/{connected.user.user_id}/revoke"
    assert requests.post(url, timeout=30).status_code == 403
    assert signed(url, "wrong" * 8).status_code == 403
    assert not connected.is_deleted()
    answer = signed(url)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "revoked")
    assert answer.headers["cache-control"] == "no-store"
    again = signed(url)
    assert (again.status_code, again.json()["code"]) == (404, "token_not_found")


def test_a_deletion_that_fails_is_finished_by_the_relay(connected: SandboxApp) -> None:
    aws = connected.sandbox.aws_server
    fault = aws.fault("secretsmanager", "DeleteSecret", "denied", times=3, match=connected.secret_name)
    assert revoke(connected)["code"] == "internal"
    assert fault.strikes
    assert not connected.is_deleted()
    fault.times = 0
    connected.relay(connected.connection_key)
    assert connected.is_deleted()
    connected.relay(connected.connection_key)  # and looks whether it has stayed so
    connection = connected.connection()
    assert connection is not None
    assert "outbox" not in connection
