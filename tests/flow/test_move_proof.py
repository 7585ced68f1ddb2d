"""A short form of the proof that a move disturbs nobody; all of it: ``make move``."""

from sandbox.world import Sandbox
from tests.support.sandbox_app import PARAMETERS, QUICK
from tools.move import proof


def test_users_are_moved_there_and_back_while_others_read_and_sign_in_and_no_read_fails_or_is_older() -> None:
    with Sandbox(parameters=PARAMETERS, settings=QUICK, streams=False) as own:
        came = proof.run(own, 40)
    assert (dict(came.failed), came.older, came.left) == ({}, 0, 0)
    assert came.killed == 6
    assert came.reads > 100
    assert came.sign_ins > 5
