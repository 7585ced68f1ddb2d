"""A flood's short form; all of it: ``make flood``."""

from sandbox.world import Sandbox
from tests.support.sandbox_app import PARAMETERS, QUICK
from tools.flood import flood


def test_a_burst_beyond_the_quota_is_stored_in_the_end_and_nobody_is_refused() -> None:
    with Sandbox(parameters=PARAMETERS, settings=QUICK, streams=False) as own:
        came = flood.run(own, 60, per_second=600, quota=20)
    assert came.completed == 60
    assert (came.refused, came.lost) == (0, 0)
    assert came.throttled > 20
    assert max(owed for *_, owed in came.curve) > 30
    assert came.curve[-1][2] == 0
    assert flood.svg(came).startswith("<svg")
