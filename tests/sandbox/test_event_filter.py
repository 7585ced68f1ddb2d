import json
from typing import Any

import pytest

from sandbox.sources.event_filter import passes, patterns
from sandbox.template.intrinsics import TemplateError

RECORD = {"eventName": "INSERT", "dynamodb": {"Keys": {"pk": {"S": "authorization#x#1"}}, "SizeBytes": 20}}


def criteria(*each: Any) -> dict[str, Any]:
    return {"Filters": [{"Pattern": json.dumps(pattern)} for pattern in each]}


def key(rule: Any) -> dict[str, Any]:
    return {"dynamodb": {"Keys": {"pk": {"S": [rule]}}}}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"eventName": ["INSERT", "MODIFY"]}, True),
        ({"eventName": ["REMOVE"]}, False),
        ({"eventName": ["INSERT"], **key({"prefix": "authorization#"})}, True),
        ({"eventName": ["REMOVE"], **key({"prefix": "authorization#"})}, False),
        (key({"prefix": "connection#"}), False),
        (key({"suffix": "#1"}), True),
        (key({"equals-ignore-case": "AUTHORIZATION#X#1"}), True),
        (key({"anything-but": "authorization#x#1"}), False),
        (key({"anything-but": ["a", "b"]}), True),
        (key({"anything-but": {"prefix": "connection#"}}), True),
        (key({"anything-but": {"prefix": "authorization#"}}), False),
        ({"dynamodb": {"SizeBytes": [{"numeric": [">", 10, "<=", 20]}]}}, True),
        ({"dynamodb": {"SizeBytes": [{"numeric": ["<", 20]}]}}, False),
        ({"userIdentity": [{"exists": False}]}, True),
        ({"userIdentity": [{"exists": True}]}, False),
        ({"userIdentity": {"type": ["Service"]}}, False),
        ({"dynamodb": {"SizeBytes": [20]}}, True),
        ({"dynamodb": {"SizeBytes": ["20"]}}, False),
        ({}, True),
    ],
)
def test_a_record_passes_a_pattern_that_it_fits(pattern: Any, expected: bool) -> None:
    assert passes(RECORD, patterns(criteria(pattern))) is expected


def test_one_fitting_pattern_is_enough_and_none_lets_all_pass() -> None:
    assert passes(RECORD, patterns(criteria({"eventName": ["REMOVE"]}, {"eventName": ["INSERT"]})))
    assert passes(RECORD, patterns({}))


@pytest.mark.parametrize(
    "pattern", [{"n": "INSERT"}, {"n": [{"cidr": "10.0.0.0/8"}]}, {"n": []}, {"n": [1.0]}, {"n": [{"numeric": [">"]}]}]
)
def test_what_a_pattern_may_not_say_is_an_error(pattern: Any) -> None:
    with pytest.raises(TemplateError):
        patterns(criteria(pattern))
