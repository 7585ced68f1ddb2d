"""The sandbox's DynamoDB refuses what AWS's refuses, and of conditional writes at once one wins."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.world import Sandbox
from tests.support.refusal import refused

OPERATIONS: dict[str, Callable[[str], dict[str, Any]]] = {
    "put_item": lambda key: {"Item": {"pk": {"S": key}}},
    "get_item": lambda key: {"Key": {"pk": {"S": key}}},
    "update_item": lambda key: {"Key": {"pk": {"S": key}}},
    "delete_item": lambda key: {"Key": {"pk": {"S": key}}},
}


@pytest.mark.parametrize("key", ["", "x" * 2049])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_partition_key_that_is_empty_or_too_long_is_refused(small: Sandbox, items: Any, operation: str, key: str) -> None:
    call = getattr(items, operation)
    assert refused(call, TableName=small.table, **OPERATIONS[operation](key)) == "ValidationException"


def test_a_partition_key_of_2048_bytes_is_taken(small: Sandbox, items: Any) -> None:
    items.put_item(TableName=small.table, Item={"pk": {"S": "x" * 2048}})


def test_a_value_that_no_expression_uses_is_refused(small: Sandbox, items: Any) -> None:
    values = {":a": {"S": "1"}, ":b": {"S": "2"}}
    expression = {"ConditionExpression": "attribute_not_exists(pk) OR a = :a", "ExpressionAttributeValues": values}
    put = {"TableName": small.table, "Item": {"pk": {"S": "unused"}}, **expression}
    assert refused(items.put_item, **put) == "ValidationException"
    assert refused(items.transact_write_items, TransactItems=[{"Put": put}]) == "ValidationException"


def test_of_100_conditional_writes_at_once_one_wins(small: Sandbox, items: Any) -> None:
    outcomes: list[str] = []
    together = threading.Barrier(100)

    def write(number: int) -> None:
        together.wait()
        try:
            items.put_item(
                TableName=small.table,
                Item={"pk": {"S": "race"}, "winner": {"N": str(number)}},
                ConditionExpression="attribute_not_exists(pk)",
            )
        except items.exceptions.ConditionalCheckFailedException:
            outcomes.append("lost")
        else:
            outcomes.append("won")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["lost"] * 99 + ["won"]
