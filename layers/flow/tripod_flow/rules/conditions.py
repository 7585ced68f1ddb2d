"""The condition that every rule needs: an attribute is as it was read."""

from boto3.dynamodb.conditions import Attr, ConditionBase


def equals(name: str, value: object) -> ConditionBase:
    """Return the condition that the attribute is ``value``, or, for None, that the item has none."""
    return Attr(name).not_exists() if value is None else Attr(name).eq(value)
