"""Which records of a stream a function gets: the patterns of an event source's FilterCriteria.

Source: Lambda's developer guide, "Control which events Lambda sends to your function", and EventBridge's on patterns.
"""

import json
import operator
from collections.abc import Callable
from typing import Any

from sandbox.intrinsics import TemplateError

_ABSENT = object()
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def patterns(criteria: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the patterns of FilterCriteria; raise TemplateError where one uses what is not known here."""
    known = [json.loads(each["Pattern"]) for each in criteria.get("Filters", [])]
    for pattern in known:
        _check(pattern)
    return known


def passes(record: dict[str, Any], any_of: list[dict[str, Any]]) -> bool:
    """Tell whether a record fits one of the patterns; without patterns every record passes."""
    return not any_of or any(_fits(record, pattern) for pattern in any_of)


def _check(pattern: dict[str, Any]) -> None:
    for key, rule in pattern.items():
        if isinstance(rule, dict):
            _check(rule)
        elif not isinstance(rule, list):
            raise TemplateError(f"a filter's {key} is not a list: {rule!r}")
        elif unknown := {name for each in rule if isinstance(each, dict) for name in each} - _RULES.keys():
            raise TemplateError(f"a filter's {key} uses {', '.join(sorted(unknown))}, which is not known here")


def _fits(content: Any, pattern: dict[str, Any]) -> bool:
    for key, rule in pattern.items():
        value = content.get(key, _ABSENT) if isinstance(content, dict) else _ABSENT
        if isinstance(rule, dict):
            if not _fits(value, rule):
                return False
        elif not any(_allows(value, each) for each in rule):
            return False
    return True


def _allows(value: Any, rule: Any) -> bool:
    if isinstance(rule, dict):
        ((name, argument),) = rule.items()
        return _RULES[name](value, argument)
    return type(value) is type(rule) and bool(value == rule)


def _numeric(value: Any, argument: list[Any]) -> bool:
    pairs = zip(argument[::2], argument[1::2], strict=True)
    return isinstance(value, int | float) and all(_ORDERS[order](value, limit) for order, limit in pairs)


def _anything_but(value: Any, argument: Any) -> bool:
    if isinstance(argument, dict):
        return value is not _ABSENT and not _allows(value, argument)
    return value is not _ABSENT and value not in (argument if isinstance(argument, list) else [argument])


_RULES: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": lambda value, start: isinstance(value, str) and value.startswith(start),
    "suffix": lambda value, end: isinstance(value, str) and value.endswith(end),
    "equals-ignore-case": lambda value, word: isinstance(value, str) and value.lower() == word.lower(),
    "exists": lambda value, there: (value is not _ABSENT) == there,
    "anything-but": _anything_but,
    "numeric": _numeric,
}
