import re

from tripod import tickets


def test_a_secret_has_256_bits_and_is_another_each_time() -> None:
    secrets = {tickets.new_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", secret) for secret in secrets)


def test_the_challenge_is_that_of_pkce() -> None:
    # RFC 7636, appendix B
    assert tickets.challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
