"""moto's table of many connections, of which a query for a page looks at a page: moto 5.2.5 sorts all of them for each, for seconds."""

from bisect import bisect_left
from typing import Any

from moto.dynamodb.models.dynamo_type import Item

from sandbox.aws.transaction import QuickTable

INDEX, KEY = "connections", "user_id"
WINDOW = 8_000  # items; more than come into a page of 1 MB


class WindowedTable(QuickTable):
    """A table whose connections are one provider's, and change only while nobody lists them."""

    ordered: tuple[list[Item], list[str]] = ([], [])
    window: list[Item] | None = None

    def query(self, *arguments: Any, **named: Any) -> Any:
        """Let moto choose a page out of the items that may be in it."""
        start, index = arguments[4], arguments[7]
        if index == INDEX:
            items, keys = self._in_order()
            begins = bisect_left(keys, start[KEY]["S"]) if start else 0
            self.window = items[begins : begins + WINDOW]
        try:
            return super().query(*arguments, **named)
        finally:
            self.window = None

    def all_items(self) -> list[Item]:
        return super().all_items() if self.window is None else self.window

    def _in_order(self) -> tuple[list[Item], list[str]]:
        found = [one for one in super().all_items() if "connected_to" in one.attrs]
        if len(found) != len(self.ordered[0]):
            items = sorted(found, key=lambda one: str(one.attrs[KEY].value))
            self.ordered = items, [str(one.attrs[KEY].value) for one in items]
        return self.ordered
