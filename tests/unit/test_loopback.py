import pytest

from tripod.loopback import is_loopback


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True), ("localhost", True), ("LOCALHOST", True), ("::1", True), ("[::1]", True),
        ("127.0.0.2", False), ("127.1", False), ("localhost.", False), ("a.localhost", False), (" localhost ", False),
        ("XlocalhostX", False), ("[::]", False), ("", False),
    ],
)  # fmt: skip
def test_which_hosts_are_this_machine(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
