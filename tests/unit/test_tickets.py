import re

import pytest

from tripod import tickets


def test_a_secret_has_256_bits_and_is_another_each_time() -> None:
    secrets = {tickets.new_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", secret) for secret in secrets)


@pytest.mark.parametrize(
    ("provider", "return_to", "expected"),  # by sha256sum and base64 of coreutils
    [
        ("x", "https://app.example/signed-in", "bcf3iSxox7DsCwYKv2iAglMjf1162eOwvxqPo6DwrzE"),
        ("x", "", "TCtTkI4r2hPLJnbvAxI-I4GT69muRBqE4psUO8lC4-g"),
        ("y", "", "MpU5AAsUeGv9bcfivr0JWUslCSawUnZbWYKrN7jIKZM"),
    ],
)
def test_the_challenge_is_of_secret_provider_and_return_to(provider: str, return_to: str, expected: str) -> None:
    secret = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert tickets.challenge(secret, provider=provider, return_to=return_to) == expected
    assert (tickets.challenge(secret, provider=provider) == expected) is (return_to == "")
