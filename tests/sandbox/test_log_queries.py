"""Logs Insights, as far as the sandbox has it."""

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.insights import run
from sandbox.world import Sandbox

LINES = [
    {"@timestamp": "1", "message": "a", "reason": "x"},
    {"@timestamp": "2", "message": "b"},
    {"@timestamp": "3", "message": "c", "reason": "y"},
]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("fields message | sort @timestamp desc", "cba"),
        ("fields message | filter ispresent(reason)", "ac"),
        ('fields message | filter message = "b" or ispresent(reason) and message in ["c", "d"]', "bc"),
        ("fields message | filter ispresent(nothing)", ""),
        ("fields message, @timestamp | sort @timestamp asc | limit 2", "ab"),
        ('fields coalesce(reason, message) as message | filter message like "b" or reason = "y"', "by"),
        ('fields message | filter message = "a|b"', ""),
        ('fields message | filter message != "b"', "ac"),
    ],
)
def test_a_query_finds_what_it_asks_for(query: str, found: str) -> None:
    assert "".join(row["message"] for row in run(query, LINES)) == found


@pytest.mark.parametrize(
    "query",
    [
        "stats count(*) by message",
        "fields a | filter a like /b/",
        "fields a | sort a",
        "fields a | filter a =",
        'fields a | filter (a = "b")',
        'fields a | filter a in ["b"',
        "fields a | dedup a",
    ],
)
def test_a_query_that_it_does_not_know_is_refused(sandbox: Sandbox, query: str) -> None:
    about = {"logGroupNames": ["/aws/lambda/tripod-start"], "startTime": 0, "endTime": 2**32}
    with pytest.raises(ClientError, match="MalformedQuery"):
        sandbox.client("logs").start_query(**about, queryString=query)


def test_a_group_or_query_that_is_not_there_is_refused(sandbox: Sandbox) -> None:
    logs = sandbox.client("logs")
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.start_query(logGroupNames=["/aws/lambda/none"], startTime=0, endTime=1, queryString="fields a")
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.get_query_results(queryId="none")
