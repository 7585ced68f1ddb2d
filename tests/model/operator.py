"""What the app's operator changes while users sign in."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.model.truths import Truths
from tripod.credentials import Store

CHANGES = 3  # at most, of one play


class Operator(Truths):
    """An operator who moves users' tokens to the table, or back."""

    @precondition(lambda self: self._store != "none" and self._changes < CHANGES)
    @rule(store=st.sampled_from(["table", "moving"]))
    def change_store(self, store: Store) -> None:
        """Let new grants be kept elsewhere; readers look into both."""
        self._count("change store")
        self._changes += 1
        self._change_store(store)
