import threading
from collections.abc import Callable
from typing import Any

from sandbox.runtime.functions import InvocationResult
from sandbox.sources.batches import BatchDelivery, EventSourceMapping

NOW = 1_000_000.0
QUEUE = "arn:aws:sqs:us-east-1:123456789012:dead"


class Trial:
    """Hands records to a function that is ``behave``; keeps the batches it got, as sequence numbers, and what was given up."""

    def __init__(self, behave: Callable[[list[int]], Any], **properties: Any) -> None:
        self.got: list[list[int]] = []
        self.discarded: list[dict[str, Any]] = []
        self.ending = threading.Event()
        self._behave = behave
        mapping = EventSourceMapping.of({"Stream": "arn:stream", **properties})
        self._delivery = BatchDelivery(
            mapping, "arn:function", self._invoke, self.discarded.append, self.ending, clock=lambda: NOW
        )

    def run(self, *numbers: int, age: float = 0) -> None:
        change = {"ApproximateCreationDateTime": int(NOW - age)}
        self._delivery.deliver("shard-1", [{"dynamodb": {**change, "SequenceNumber": str(number)}} for number in numbers])

    def _invoke(self, event: dict[str, Any]) -> InvocationResult:
        numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in event["Records"]]
        self.got.append(numbers)
        answer = self._behave(numbers)
        return (
            InvocationResult({"errorType": "E"}, "Unhandled", "", "r")
            if answer is Exception
            else InvocationResult(answer, None, "", "r")
        )

    @property
    def given_up(self) -> list[tuple[str, str]]:
        info = [each["DDBStreamBatchInfo"] for each in self.discarded]
        return [(each["startSequenceNumber"], each["endSequenceNumber"]) for each in info]


def failing_on(*poison: int) -> Callable[[list[int]], Any]:
    return lambda numbers: Exception if set(numbers) & set(poison) else None


def reporting(*failed: int) -> Callable[[list[int]], Any]:
    return lambda numbers: {"batchItemFailures": [{"itemIdentifier": str(each)} for each in failed if each in numbers]}


def test_records_come_in_order_in_batches_of_the_size() -> None:
    trial = Trial(failing_on(), BatchSize=2)
    trial.run(1, 2, 3, 4, 5)
    assert trial.got == [[1, 2], [3, 4], [5]]


def test_a_failed_batch_is_tried_again_then_given_up_and_the_next_one_comes() -> None:
    trial = Trial(failing_on(1), BatchSize=2, MaximumRetryAttempts=2)
    trial.run(1, 2, 3)
    assert trial.got == [[1, 2]] * 3 + [[3]]
    assert trial.given_up == [("1", "2")]


def test_without_a_limit_a_batch_is_tried_until_it_succeeds() -> None:
    tries = iter(range(4))
    trial = Trial(lambda _: Exception if next(tries) < 3 else None)
    trial.run(1)
    assert (trial.got, trial.discarded) == ([[1]] * 4, [])


def test_bisecting_isolates_the_poisoned_record_and_spends_no_retry() -> None:
    trial = Trial(failing_on(3), BisectBatchOnFunctionError=True, MaximumRetryAttempts=1)
    trial.run(1, 2, 3, 4)
    assert trial.got == [[1, 2, 3, 4], [1, 2], [3, 4], [3], [3], [4]]
    assert trial.given_up == [("3", "3")]


def test_a_reported_failure_is_tried_again_from_the_lowest_on() -> None:
    answers = iter([reporting(3, 2)([2, 3]), None])
    trial = Trial(lambda _: next(answers), FunctionResponseTypes=["ReportBatchItemFailures"])
    trial.run(1, 2, 3)
    assert trial.got == [[1, 2, 3], [2, 3]]


def test_reported_failures_that_stay_are_given_up_with_all_that_follows() -> None:
    trial = Trial(reporting(2), FunctionResponseTypes=["ReportBatchItemFailures"], MaximumRetryAttempts=1)
    trial.run(1, 2, 3)
    assert trial.got == [[1, 2, 3], [2, 3]]
    assert trial.given_up == [("2", "3")]


def test_reported_failures_with_bisecting_cost_only_the_poisoned_record() -> None:
    both: dict[str, Any] = {"FunctionResponseTypes": ["ReportBatchItemFailures"], "BisectBatchOnFunctionError": True}
    trial = Trial(reporting(2), MaximumRetryAttempts=0, **both)
    trial.run(1, 2, 3, 4)
    assert trial.got == [[1, 2, 3, 4], [2, 3, 4], [2], [3, 4]]
    assert trial.given_up == [("2", "2")]


def test_a_report_is_nothing_where_the_mapping_takes_none() -> None:
    trial = Trial(reporting(1))
    trial.run(1)
    assert trial.got == [[1]]


def test_a_report_that_cannot_be_understood_fails_the_whole_batch() -> None:
    wrong: list[Any] = [
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"id": "1"}]},
        {"batchItemFailures": [{"itemIdentifier": "77"}]},
        "done",
    ]
    for answer in wrong:
        trial = Trial(lambda _, answer=answer: answer, FunctionResponseTypes=["ReportBatchItemFailures"], MaximumRetryAttempts=0)  # type: ignore[misc]  # mypy: a default
        trial.run(1, 2)
        assert trial.given_up == [("1", "2")]


def test_an_empty_report_is_success() -> None:
    successes: list[Any] = [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}]
    for answer in successes:
        trial = Trial(lambda _, answer=answer: answer, FunctionResponseTypes=["ReportBatchItemFailures"], MaximumRetryAttempts=0)  # type: ignore[misc]  # mypy: a default
        trial.run(1, 2)
        assert (trial.got, trial.discarded) == ([[1, 2]], [])


def test_records_that_are_too_old_are_given_up_unseen() -> None:
    trial = Trial(failing_on(), MaximumRecordAgeInSeconds=60)
    trial.run(1, age=61)
    trial.run(2, age=59)
    assert trial.got == [[2]]
    assert trial.discarded[0]["requestContext"]["condition"] == "RecordAgeExceeded"


def test_what_is_given_up_is_described_as_lambda_does() -> None:
    trial = Trial(failing_on(1), MaximumRetryAttempts=1)
    trial.run(1, 2)
    assert trial.discarded == [
        {
            "requestContext": {
                "requestId": "r",
                "functionArn": "arn:function",
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": 2,
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0",
            "timestamp": "1970-01-12T13:46:40.000Z",
            "DDBStreamBatchInfo": {
                "shardId": "shard-1",
                "startSequenceNumber": "1",
                "endSequenceNumber": "2",
                "approximateArrivalOfFirstRecord": "1970-01-12T13:46:40.000Z",
                "approximateArrivalOfLastRecord": "1970-01-12T13:46:40.000Z",
                "batchSize": 2,
                "streamArn": "arn:stream",
            },
        }
    ]


def test_nothing_is_given_up_because_the_sandbox_ends() -> None:
    def end(_: list[int]) -> Any:
        trial.ending.set()
        return Exception

    trial = Trial(end, BatchSize=1, MaximumRetryAttempts=0)
    trial.run(1, 2)
    assert (trial.got, trial.discarded) == ([[1]], [])


def test_the_settings_are_read_from_the_template() -> None:
    mapping = EventSourceMapping.of(
        {
            "Stream": "arn:stream",
            "StartingPosition": "TRIM_HORIZON",
            "BatchSize": "5",
            "MaximumBatchingWindowInSeconds": 2,
            "MaximumRetryAttempts": 3,
            "DestinationConfig": {"OnFailure": {"Type": "SQS", "Destination": QUEUE}},
        }
    )
    assert (mapping.from_start, mapping.batch_size, mapping.window, mapping.retries) == (True, 5, 2.0, 3.0)
    assert mapping.queue == "dead"
    assert EventSourceMapping.of({"Stream": "arn:stream"}) == EventSourceMapping("arn:stream")
