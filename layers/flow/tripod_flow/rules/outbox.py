"""The outbox: what is still to be done about an item. An item is in its index while tokens, an event or a deletion are pending.

``outbox`` is the shard, ``outbox_since`` the entry, ``outbox_due`` the relay's next try (both in epoch seconds), and ``outbox_tries``
how many have failed.
"""

import hashlib
from typing import Any, Protocol

SHARDS = 8  # partitions of the index: a single one would take 1,000 writes a second
PATIENCE = 7 * 86_400  # seconds in the outbox, after which the relay gives up
LEFT: dict[str, Any] = {"outbox": None, "outbox_since": None, "outbox_due": None, "outbox_tries": 0}


class Item(Protocol):
    """What an authorization and a connection have in common."""

    @property
    def outbox(self) -> str | None:
        """Return the shard; None: nothing is pending."""

    @property
    def outbox_since(self) -> float | None:
        """Return when the item entered."""

    @property
    def outbox_due(self) -> float | None:
        """Return when the relay tries next."""


def shard(pk: str) -> str:
    """Return the partition of the index that an item belongs to."""
    return str(hashlib.sha256(pk.encode()).digest()[0] % SHARDS)


def entered(pk: str, now: float) -> dict[str, Any]:
    """Return the changes with which an item enters the outbox, or enters it anew: it is due at once."""
    return {"outbox": shard(pk), "outbox_since": now, "outbox_due": now, "outbox_tries": 0}


def is_due(item: Item, *, now: float) -> bool:
    """Return True if there is something to be done about an item, and its pause is over."""
    return item.outbox is not None and (item.outbox_due is None or item.outbox_due <= now)


def is_overdue(item: Item, *, now: float) -> bool:
    """Return True if an item has been in the outbox for ``PATIENCE``."""
    return item.outbox_since is not None and item.outbox_since + PATIENCE <= now
