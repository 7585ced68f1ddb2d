"""What the outbox's index says: all that is owed at no more calls than what is due takes."""

import math
from typing import Any

from tripod_flow.edges.table import OutboxEntry, Table
from tripod_flow.rules.outbox import SHARDS

NOW = 1_000.0


class Pages:
    """A client whose query of one shard has these pages, and of the others none; it counts those that are taken."""

    def __init__(self, *pages: list[dict[str, Any]]) -> None:
        self._pages = pages
        self.taken = 0
        self.asked: list[dict[str, Any]] = []

    def get_paginator(self, operation: str) -> "Pages":
        assert operation == "query"
        return self

    def paginate(self, **asked: Any) -> Any:
        self.asked.append(asked)
        for page in self._pages if asked["ExpressionAttributeValues"] == {":shard": {"S": "3"}} else ():
            self.taken += 1
            yield {"Items": page}


def entry(pk: str, due: float, since: float | None = None) -> dict[str, Any]:
    told = {"pk": {"S": pk}, "outbox_due": {"N": str(due)}}
    return told if since is None else told | {"outbox_since": {"N": str(since)}}


def test_what_waits_for_its_next_try_is_owed_and_not_due() -> None:
    pages = Pages([entry("a", 900, 800), entry("b", 1_100, 100)])
    table: Any = Table(pages, "table")  # type: ignore[arg-type]  # a client of two methods
    assert list(table.outbox(now=NOW)) == [OutboxEntry("a", 800.0, 900.0), OutboxEntry("b", 100.0, 1_100.0)]
    assert {asked["KeyConditionExpression"] for asked in pages.asked} == {"outbox = :shard"}
    shards = [asked["ExpressionAttributeValues"][":shard"]["S"] for asked in pages.asked[:SHARDS]]
    assert shards == [str(number) for number in range(SHARDS)]


def test_no_page_is_asked_for_that_has_nothing_due() -> None:
    pages = Pages([entry("a", 900, 800)], [entry("b", 950, 800), entry("c", 1_100, 800)], [entry("d", 1_200, 800)])
    table = Table(pages, "table")  # type: ignore[arg-type]  # a client of two methods
    assert [one.pk for one in table.outbox(now=NOW)] == ["a", "b", "c"]
    assert pages.taken == 2
    assert [one.pk for one in table.outbox(now=math.inf)] == ["a", "b", "c", "d"]


def test_an_entry_that_does_not_say_since_when_is_as_old_as_it_is_due() -> None:
    pages = Pages([entry("a", 900), entry("b", 950) | {"outbox_since": {"S": "?"}}])
    table = Table(pages, "table")  # type: ignore[arg-type]  # a client of two methods
    assert [one.since for one in table.outbox(now=NOW)] == [900.0, 950.0]
