"""A transition: what the rules decide and the table does, as one conditional update."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from boto3.dynamodb.conditions import ConditionBase


@dataclass(frozen=True, slots=True)
class Transition:
    """One conditional update of the item ``pk``: what must hold, and the attributes that change (None takes one out)."""

    pk: str
    condition: ConditionBase
    changes: Mapping[str, Any] = field(repr=False)
