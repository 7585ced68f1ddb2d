"""How long the relay waits: doubled each time, up to a quarter of an hour, and at least as long as the provider asks for."""

import pytest

from tripod_flow.rules import backoff


@pytest.mark.parametrize(
    ("tries", "retry_after", "seconds"),
    [(0, 0.0, 5.0), (1, 0.0, 10.0), (7, 0.0, 640.0), (8, 0.0, 900.0), (10**6, 0.0, 900.0), (0, 60.0, 60.0), (0, 1e9, 900.0)],
)
def test_what_fails_again_waits_longer(tries: int, retry_after: float, seconds: float) -> None:
    assert backoff.delay(tries, retry_after=retry_after, random=lambda: 0.0) == seconds
    assert backoff.delay(tries, retry_after=retry_after, random=lambda: 1.0) == pytest.approx(seconds * 1.2)
