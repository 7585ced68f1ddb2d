"""The conditions of tests/support are evaluated as DynamoDB evaluates them (moto's, through the real table's update)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from boto3.dynamodb.conditions import Attr, ConditionBase

from sandbox.world import Sandbox
from tests.support.conditions import apply, create, holds
from tripod_flow.edges.table import Table
from tripod_flow.rules import revocation, transitions
from tripod_flow.rules.authorization import Authorization
from tripod_flow.rules.connection import ConnectionRecord
from tripod_flow.rules.transitions import Transition

RECORD = replace(transitions.begin("x", "token", "s", cookie_digest="browser", now=1000.5), lease_until=30.25, failed_pins=2)
KEPT: dict[str, list[Any]] = {
    "cookie_digest": ["browser", "aaa", "zzz"],
    "lease_until": [30.25, 30.249, 30.251],
    "failed_pins": [2, 1, 3],
}
YES, NO = Attr("pk").exists(), Attr("claim_id").exists()


def conditions() -> Iterator[ConditionBase]:
    """Yield every operator on a lesser, an equal and a greater value, and on an attribute that is missing."""
    for name, values in {**KEPT, "claim_id": ["first"], "ttl": [1]}.items():
        yield from (Attr(name).exists(), Attr(name).not_exists())
        for value in values:
            compared = Attr(name)
            yield from (compared.eq(value), compared.lt(value), compared.lte(value), compared.gt(value), compared.gte(value))
            yield from (~compared.eq(value), ~compared.lt(value))
    yield from (Attr("pin").eq(False), Attr("pin").eq(True), Attr("failed_pins").eq("2"), Attr("cookie_digest").eq(1))
    for left in (YES, NO):
        for right in (YES, NO):
            yield from (left & right, left | right, ~(left & right), (left | right) & left, left | (right & left))


@pytest.fixture
def table(sandbox: Sandbox) -> Table:
    return Table(sandbox.client("dynamodb"), sandbox.table)


@pytest.fixture
def record(unique: str) -> Authorization:
    return replace(RECORD, pk=f"authorization#{unique}")


def test_a_condition_is_evaluated_as_in_dynamodb(table: Table, record: Authorization) -> None:
    table.add(record)
    for number, condition in enumerate(conditions()):
        transition = Transition(record.pk, condition, {"error": str(number)})  # new each time: else it were taken for a retry
        assert table.update(Transition(record.pk, YES, {"error": "before"})).applied
        before = replace(record, error="before")
        expected = apply(before, transition)
        assert table.update(transition).applied is (expected is not None), condition.get_expression()
        assert table.authorization(record.pk) == (expected or before)


def test_a_transition_is_applied_as_in_dynamodb(table: Table, record: Authorization) -> None:
    names = {"verifier_digest": "v", "ticket_digest": "t", "ticket_salt": "s", "claim_id": "first", "now": 1000.5}
    table.add(record)
    claim = transitions.claim(record.pk, cookie_digest="browser", **names)  # type: ignore[arg-type]  # as named above
    claimed = apply(record, claim)
    assert table.update(claim).record == claimed == table.authorization(record.pk)
    assert isinstance(claimed, Authorization)
    released = transitions.release(claimed, due=0.0, maybe_exchanged=True)
    assert table.update(released).record == apply(claimed, released)
    assert (table.update(released).applied, apply(replace(claimed, claim_id=None), released)) == (False, None)


def test_a_record_is_made_as_in_dynamodb(table: Table, unique: str) -> None:
    revoked = revocation.revoke(unique, "42", None, now=5.0)
    assert table.update_connection(revoked).applied
    made = create(revoked)
    assert table.connection(revoked.pk) == made
    assert isinstance(made, ConnectionRecord)
    again = revocation.revoke(unique, "42", made, now=6.0)
    assert table.update_connection(again).applied
    assert table.connection(revoked.pk) == apply(made, again)
    assert not table.update_connection(revocation.revoke(unique, "42", None, now=7.0)).applied


@pytest.mark.parametrize(
    ("condition", "raised"),
    [
        (Attr("pk").ne("a"), NotImplementedError),
        (Attr("pk").size().lt(1), AssertionError),
        (Attr("pk").begins_with("a"), NotImplementedError),
        (Attr("pk").eq(None), KeyError),
        (Attr("pin").lt(True), TypeError),
        (Attr("pk").lt(1), TypeError),
    ],
)
def test_any_other_operator_or_operand_is_no_silent_no(condition: ConditionBase, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        holds(condition, {"pk": "a", "pin": False})
