"""Transitions applied to records in memory: a boto3 condition is evaluated on an item as DynamoDB does it.

It knows the operators that the rules use, and raises for any other. ``tests/flow/test_conditions.py`` compares it with moto.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from boto3.dynamodb.conditions import Attr, ConditionBase

from tripod.credentials import AccessToken
from tripod_flow.rules.authorization import Authorization
from tripod_flow.rules.connection import ConnectionRecord
from tripod_flow.rules.transitions import IfAbsent, Transition

Record = TypeVar("Record", Authorization, ConnectionRecord)

_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_KINDS: dict[type, str] = {bool: "BOOL", int: "N", float: "N", tuple: "L", bytes: "B", AccessToken: "M"}


def item(record: Authorization | ConnectionRecord) -> dict[str, Any]:
    """Return a record's attributes as the table keeps them: those that are not None."""
    return {one.name: value for one in fields(record) if (value := getattr(record, one.name)) is not None}


def apply(record: Record, transition: Transition) -> Record | None:
    """Return the record after ``transition``, or None where it is refused."""
    assert transition.pk == record.pk
    changes = {name: _new(getattr(record, name), value) for name, value in transition.changes.items()}
    return replace(record, **changes) if holds(transition.condition, item(record)) else None


def create(transition: Transition) -> ConnectionRecord | None:
    """Return the record that ``transition`` makes where there is none, or None where it is refused."""
    changes = {name: _new(None, value) for name, value in transition.changes.items()}
    return ConnectionRecord(pk=transition.pk, **changes) if holds(transition.condition, {}) else None


def _new(kept: Any, value: Any) -> Any:
    if not isinstance(value, IfAbsent):
        return value
    return value.value if kept is None else kept


def holds(condition: ConditionBase, attributes: Mapping[str, Any]) -> bool:
    """Return True if ``condition`` is true of an item. A comparison with an attribute that is missing is false."""
    expression = condition.get_expression()
    sign, values = expression["operator"], expression["values"]
    match sign:
        case "AND":
            return all(holds(each, attributes) for each in values)
        case "OR":
            return any(holds(each, attributes) for each in values)
        case "NOT":
            return not holds(values[0], attributes)
        case "attribute_exists":
            return _name(values[0]) in attributes
        case "attribute_not_exists":
            return _name(values[0]) not in attributes
        case "=" | "<" | "<=" | ">" | ">=":
            return _compared(sign, attributes.get(_name(values[0])), values[1])
        case _:
            raise NotImplementedError(sign)


def _compared(sign: str, kept: Any, given: Any) -> bool:
    """Compare what is kept, if anything, with what is given; raises ``KeyError`` for None, which can't be sent."""
    kind = _kind(given)
    if kept is None:
        return False
    if sign == "=":
        return kind == _kind(kept) and bool(kept == given)
    if kind not in ("N", "S") or kind != _kind(kept):
        raise TypeError("only numbers, or texts, are in an order")
    return _ORDER[sign](kept, given)


def _kind(value: Any) -> str:
    return "S" if isinstance(value, str) else _KINDS[type(value)]


def _name(attribute: Any) -> str:
    assert type(attribute) is Attr, "neither a size nor a key"
    return attribute.name
