"""When a provider asks to be asked again, in whatever form it says so."""

import pytest

from tripod import retry_after

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "900"}, 900),
        ({"retry-after": " 900 "}, 900),
        ({"retry-after": "900.5"}, 901),
        ({"retry-after": "900s"}, 900),
        ({"retry-after": "900, 900"}, 900),
        ({"retry-after": "0"}, 1),
        ({"retry-after": "Fri, 15 Jan 2027 08:15:00 GMT"}, 900),
        ({"retry-after": "Friday, 15-Jan-27 08:15:00 GMT"}, 900),
        ({"retry-after": "2027-01-15T08:15:00Z"}, 900),
        ({"retry-after": "2027-01-15T08:15:00+00:00"}, 900),
        ({"retry-after": "Fri, 15 Jan 2027 07:00:00 GMT"}, 1),
        ({"retry-after": "2027-01-15T08:15:00"}, None),
        ({"retry-after": "later"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "9" * 5000}, None),
        ({"retry-after": "\u0669"}, None),
        ({"retry-after": ""}, None),
        ({"x-rate-limit-reset": "1800000900"}, 900),
        ({"x-rate-limit-reset": "1800000900000"}, 900),
        ({"x-rate-limit-reset": "900"}, 900),
        ({"x-rate-limit-reset": "1799990000"}, 1),
        ({"retry-after": "5", "x-rate-limit-reset": "1800000900"}, 5),
        ({"retry-after": "soon", "x-rate-limit-reset": "1800000900"}, 900),
        ({}, None),
    ],
)
def test_when_to_ask_again(headers: dict[str, str], seconds: int | None) -> None:
    assert retry_after.seconds(headers, NOW) == seconds
