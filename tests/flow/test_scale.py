"""Growth measured in short; all of it: ``make scale``."""

import pytest

from tools.scale import growth
from tools.scale.fill import KeptIn


@pytest.mark.parametrize("store", KeptIn, ids=[store.word for store in KeptIn])
def test_a_short_run_reads_and_relays_everything(store: KeptIn) -> None:
    measured = list(growth.measure([20], owed=(0, 3), backlog=(), stores=[store]))
    assert [(row.what, row.owed, row.measured.items) for row in measured] == [
        ("first page", 0, 1),
        ("users", 0, 20),
        ("uncached", 0, 19),
        ("cached", 0, 380),
        ("sweep", 0, 0),
        ("sweep", 3, 3),
    ]
    calls = [row.measured.calls for row in measured]
    assert calls[:5] == [1, 1, 19 if store is KeptIn.SECRETS else 38, 0, 8]
    assert (calls[5] - 8) / 3 == (9 if store is KeptIn.SECRETS else 8)
