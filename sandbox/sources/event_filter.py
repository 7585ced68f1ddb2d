"""The patterns of an event source's FilterCriteria: which records of a stream a function gets. Matching is moto's.

Source: Lambda's developer guide, "Control which events Lambda sends to your function", and EventBridge's on patterns.
"""

from typing import Any, cast

from moto.events.exceptions import InvalidEventPatternException
from moto.events.models import EventPattern
from moto.events.utils import EventMessageType

from sandbox.template.intrinsics import TemplateError

# Those of moto's operators that Lambda's filters have. moto takes 1, 1.0 and true for equal, AWS does not: an exact float is refused.
OPERATORS = {"prefix", "suffix", "equals-ignore-case", "exists", "anything-but", "numeric"}


def patterns(criteria: dict[str, Any]) -> list[EventPattern]:
    """Return the patterns of FilterCriteria; raise TemplateError for one that Lambda refuses, or an unknown operator."""
    try:
        known = [EventPattern.load(each["Pattern"]) for each in criteria.get("Filters", [])]
    except InvalidEventPatternException as error:
        raise TemplateError(f"a filter's pattern is refused: {error.message}") from error
    for pattern in known:
        _check(pattern.get_pattern())
    return known


def passes(record: dict[str, Any], any_of: list[EventPattern]) -> bool:
    """Return True if a record matches one of the patterns; without patterns every record passes."""
    return not any_of or any(pattern.matches_event(cast(EventMessageType, record)) for pattern in any_of)


def _check(pattern: dict[str, Any]) -> None:
    for key, rules in pattern.items():
        if isinstance(rules, dict):
            _check(rules)
            continue
        for rule in rules:
            if isinstance(rule, float):
                raise TemplateError(f"a filter's {key} compares with {rule}: use numeric")
            if isinstance(rule, dict) and (len(rule) != 1 or rule.keys() - OPERATORS or len(rule.get("numeric", [])) % 2):
                raise TemplateError(f"a filter's {key} uses what is not known here: {rule}")
