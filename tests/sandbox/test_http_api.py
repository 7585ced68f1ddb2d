import base64
import json
import socket
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sandbox.aws.credentials import ACCESS_KEY, SECRET_KEY
from sandbox.world import Sandbox


def act(small: Sandbox, **instructions: Any) -> requests.Response:
    return requests.post(f"{small.api}/act", json=instructions, timeout=10)


def raw(small: Sandbox, sent: bytes) -> bytes:
    """Send bytes as they are, and return the whole answer."""
    address = urlsplit(small.api)
    with socket.create_connection((address.hostname, address.port), 5) as connection:
        connection.sendall(sent)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


def test_a_request_reaches_its_function_as_an_event(small: Sandbox) -> None:
    response = requests.get(f"{small.api}/echo/a%20b?x=1&x=2&y", headers={"X-Mixed-Case": "Yes", "Cookie": "a=1; b=2"}, timeout=5)
    event = response.json()["event"]
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert "apigw-requestid" in response.headers
    assert (event["routeKey"], event["rawPath"]) == ("GET /echo/{name}", "/echo/a b")
    assert event["pathParameters"] == {"name": "a b"}
    assert (event["rawQueryString"], event["queryStringParameters"]) == ("x=1&x=2&y", {"x": "1,2", "y": ""})
    assert (event["headers"]["x-mixed-case"], event["cookies"]) == ("Yes", ["a=1", "b=2"])
    assert f"http://{event['requestContext']['domainName']}" == small.api
    assert event["requestContext"]["accountId"] == small.aws_server.account


def test_a_submitted_form_arrives_in_base64(small: Sandbox) -> None:
    event = requests.post(f"{small.api}/echo", data={"pin": "123 4"}, timeout=5).json()["event"]
    assert event["isBase64Encoded"]
    assert base64.b64decode(event["body"]) == b"pin=123+4"


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/"), ("GET", "/echo"), ("POST", "/echo/a"), ("HEAD", "/echo/a"), ("OPTIONS", "/echo/a")]
)
def test_without_a_route_the_answer_is_404(small: Sandbox, method: str, path: str) -> None:
    response = requests.request(method, small.api + path, timeout=5)
    assert response.status_code == 404
    assert method == "HEAD" or response.json() == {"message": "Not Found"}


def test_a_greedy_route_takes_any_method_and_the_rest_of_the_path(small: Sandbox) -> None:
    event = requests.delete(f"{small.api}/deep/a/b", timeout=5).json()["event"]
    assert (event["routeKey"], event["pathParameters"]) == ("ANY /deep/{rest+}", {"rest": "a/b"})


@pytest.mark.parametrize(
    "instructions",
    [{"do": "raise"}, {"do": "exit"}, {"do": "leave"}, {"do": "set"}, {"do": "answer", "result": {"statusCode": "x"}}],
)
def test_a_function_that_fails_answers_500(small: Sandbox, instructions: dict[str, Any]) -> None:
    response = act(small, **instructions)
    assert (response.status_code, response.json()) == (500, {"message": "Internal Server Error"})


def test_a_function_that_takes_too_long_answers_503(small: Sandbox) -> None:
    response = act(small, do="sleep", seconds=5)
    assert (response.status_code, response.json()) == (503, {"message": "Service Unavailable"})
    assert "Task timed out after 1.00 seconds" in small.logs.text


def test_every_cookie_is_a_header_of_its_own(small: Sandbox) -> None:
    response = act(small, do="answer", result={"statusCode": 204, "cookies": ["a=1; Path=/", "b=2"]})
    assert response.raw.headers.getlist("set-cookie") == ["a=1; Path=/", "b=2"]
    assert (response.status_code, response.content) == (204, b"")


def test_a_body_above_10_mb_is_413(small: Sandbox) -> None:
    response = requests.post(f"{small.api}/echo", data=b"x" * (10 * 1024 * 1024 + 1), timeout=5)
    assert response.status_code == 413


def test_an_event_above_lambdas_6_mb_is_413(small: Sandbox) -> None:
    assert requests.post(f"{small.api}/echo", data=b"x" * 5 * 1024 * 1024, timeout=5).status_code == 413


def test_headers_above_10_kb_are_refused(small: Sandbox) -> None:
    assert requests.get(f"{small.api}/echo/a", headers={"X-Long": "x" * 10_240}, timeout=5).status_code == 431
    assert requests.get(f"{small.api}/echo/a?{'x' * 10_240}", timeout=5).status_code == 414
    assert requests.get(f"{small.api}/echo/a", headers={"X-Long": "x" * 9_500}, timeout=5).status_code == 200


@pytest.mark.parametrize(
    "line",
    [
        b"GET /echo/\xff\xfe?a=\xff&%zz=%00 HTTP/1.1",
        b"GET //echo/a?[ HTTP/1.1",
        b"GET http://[evil/echo/a HTTP/1.1",
        b"GET /echo/%00%ff HTTP/1.1",
        b"PROPFIND / HTTP/1.1",
        b"nonsense",
    ],
)
def test_weird_bytes_get_an_answer_and_break_nothing(small: Sandbox, line: bytes) -> None:
    answer = raw(small, line + b"\r\nHost: x\r\nX-Odd: \xff\x85\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 ")
    assert requests.get(f"{small.api}/echo/a", timeout=5).status_code == 200


def test_a_connection_is_kept_alive(small: Sandbox) -> None:
    request = b"GET /echo/a HTTP/1.1\r\nHost: x\r\n"
    assert raw(small, request + b"\r\n" + request + b"Connection: close\r\n\r\n").count(b"HTTP/1.1 200") == 2


def test_requests_at_once_are_served_at_once(small: Sandbox) -> None:
    began, threads = (
        time.monotonic(),
        [threading.Thread(target=act, args=(small,), kwargs={"do": "sleep", "seconds": 0.5}) for _ in range(8)],
    )
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began < 3


def signed(
    small: Sandbox, body: str = "{}", key: str = ACCESS_KEY, secret: str = SECRET_KEY, path: str = "/signed/a%20b"
) -> dict[str, str]:
    asked = AWSRequest(method="POST", url=f"{small.api}{path}?b=2&a=1", data=body, headers={"content-type": "application/json"})
    SigV4Auth(Credentials(key, secret), "execute-api", "us-east-1").add_auth(asked)
    return dict(asked.headers.items())


def test_a_signed_request_passes_an_iam_route(small: Sandbox) -> None:
    response = requests.post(f"{small.api}/signed/a%20b?b=2&a=1", data="{}", headers=signed(small), timeout=5)
    assert response.status_code == 200
    event = response.json()["event"]
    assert event["requestContext"]["authorizer"]["iam"]["accessKey"] == ACCESS_KEY
    assert event["pathParameters"] == {"user_id": "a b"}


def test_an_iam_route_forbids_anything_not_rightly_signed(small: Sandbox) -> None:
    right = signed(small)
    wrong = {
        "unsigned": ({}, "{}"),
        "another body": (right, '{"a": 1}'),
        "another key": (signed(small, key="AKIANOBODYNOBODYNOBO"), "{}"),
        "another secret": (signed(small, secret="guessed"), "{}"),
        "another path": (signed(small, path="/signed/c"), "{}"),
        "an old date": (right | {"X-Amz-Date": "20200101T000000Z"}, "{}"),
        "no signature": (right | {"Authorization": right["Authorization"].partition("Signature=")[0]}, "{}"),
    }
    for reason, (headers, body) in wrong.items():
        response = requests.post(f"{small.api}/signed/a%20b?b=2&a=1", data=body, headers=headers, timeout=5)
        assert (response.status_code, response.json()) == (403, {"message": "Forbidden"}), reason


def test_what_a_function_answers_wrongly_is_told_in_the_logs(small: Sandbox) -> None:
    act(small, do="answer", result={"statusCode": 200, "body": {"a": 1}})
    assert "small-act returned a malformed result" in small.logs.text


def test_the_events_json_fits_what_lambda_takes(small: Sandbox) -> None:
    assert json.loads(requests.post(f"{small.api}/echo", data="x", timeout=5).text)["event"]["version"] == "2.0"
