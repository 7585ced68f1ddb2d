import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

import tripod
from tripod import TripodUnavailable, process


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


@pytest.fixture
def this() -> process.Process:
    return process.Process()


def test_the_layer_is_imported_without_boto3_and_reads_nothing() -> None:
    code = """
import sys
sys.modules["boto3"] = sys.modules["botocore"] = None  # as in a reader's environment that has neither
import tripod
assert tripod.process._this is None
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


def test_the_prefix_is_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, prefix in (("other", "other"), ("", "tripod")):
        monkeypatch.setenv("TRIPOD_PREFIX", value)
        assert process.Process().prefix == prefix
    monkeypatch.delenv("TRIPOD_PREFIX")
    assert process.Process().prefix == "tripod"


def test_how_long_credentials_are_kept_is_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, seconds in (("", 300), ("60", 60), ("3600", 3600)):
        monkeypatch.setenv("TRIPOD_CACHE_SECONDS", value)
        assert process.Process().cache_seconds == seconds
    for value in ("59", "3601", "5m", "-60", "60.5"):
        monkeypatch.setenv("TRIPOD_CACHE_SECONDS", value)
        with pytest.raises(TripodUnavailable, match="TRIPOD_CACHE_SECONDS must be") as caught:
            process.Process()
        assert caught.value.code == "not_configured"


def test_threads_share_one_process_one_secret_reader_and_one_client_per_service() -> None:
    process.forget()
    found: list[object] = []
    ready = threading.Barrier(8)

    def look() -> None:
        ready.wait()
        found.append((process.this(), process.this().secret_reader, process.this().client("ssm")))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    process.forget()


def test_calls_to_aws_are_bounded_in_time(this: process.Process) -> None:
    config = this.client("secretsmanager").meta.config
    assert (config.connect_timeout, config.read_timeout) == (2, 3)
    assert this.client("lambda").meta.config.read_timeout == 30
    this.close()


def test_without_boto3_it_says_what_to_install(this: process.Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(ImportError, match="pip install boto3"):
        this.client("ssm")


@pytest.mark.parametrize(
    ("call", "service"),
    [
        (lambda: tripod.user_tokens("x", user_id="1"), "Secrets Manager"),
        (lambda: tripod.disconnect("x", user_id="1"), "Lambda"),
        (lambda: next(tripod.users("x")), "Systems Manager"),
        (lambda: next(tripod.users("x")), "DynamoDB"),
    ],
)
def test_a_service_that_cant_be_reached_is_named(
    call: Callable[[], object], service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")  # where nobody listens
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    process.forget()
    if service == "DynamoDB":
        process.this()._table = "read before"
    with pytest.raises(TripodUnavailable, match=f"^{service} can't be reached: EndpointConnectionError; in a VPC") as caught:
        call()
    assert caught.value.code == "internal"
    process.forget()
