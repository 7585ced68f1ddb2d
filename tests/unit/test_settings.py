import pytest

from tripod_flow.edges.transport import Timeouts
from tripod_flow.rules.errors import NotConfigured
from tripod_flow.settings import Settings

ENV = {"TRIPOD_PREFIX": "tripod", "TRIPOD_TABLE": "table"}


def test_the_defaults_are_the_designs() -> None:
    settings = Settings.from_env(ENV)
    assert settings.timeouts == Timeouts(connect=3.0, read=5.0, call=8.0)
    assert settings.loopback is False
    assert settings.kms_key == ""
    assert settings.return_urls.flaw("https://a.example/")


def test_every_missing_variable_is_named_at_once() -> None:
    with pytest.raises(NotConfigured, match="TRIPOD_PREFIX, TRIPOD_TABLE"):
        Settings.from_env({"TRIPOD_TABLE": ""})


@pytest.mark.parametrize("value", ["", "soon", "0", "-1", "nan", "inf", "31"])
def test_a_wrong_timeout_is_named(value: str) -> None:
    with pytest.raises(NotConfigured, match="TRIPOD_READ_TIMEOUT"):
        Settings.from_env({**ENV, "TRIPOD_READ_TIMEOUT": value})


def test_a_wrong_return_url_is_named() -> None:
    with pytest.raises(NotConfigured, match=r"http://a\.example/"):
        Settings.from_env({**ENV, "TRIPOD_RETURN_URLS": "http://a.example/"})
