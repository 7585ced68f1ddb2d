"""CloudWatch on one machine: what a sandbox's run would be as metrics, and when an alarm of the template rings over them.

Samples are of what ran: the functions' lines in the embedded metric format, Lambda's and API Gateway's own metrics of each invocation and
request, the metric filter's of each line of the access log, and the queue's. Only their time is the test's. A state is judged by the periods
asked for alone; CloudWatch looks a little further back where some of them have no data.

Source: CloudWatch's user guide, "Using Amazon CloudWatch alarms", "Configuring how alarms treat missing data", "Using math expressions".
"""

import ast
import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.runtime.functions import InvocationResult
from sandbox.world import Sandbox
from tests.support.translated import TranslatedStack

MINUTE = 60.0  # seconds
DAY = 86_400.0
PERIOD = 300.0  # of every metric that is judged

Key = tuple[str, str, frozenset[tuple[str, str]]]  # namespace, name, dimensions


@dataclass(frozen=True)
class MetricSample:
    """One value of one metric."""

    key: Key
    at: float
    value: float

    def moved(self, seconds: float) -> "MetricSample":
        return replace(self, at=self.at + seconds)


def embedded(line: str, at: float) -> Iterator[MetricSample]:
    """Yield the samples of a line in the embedded metric format; none of any other line."""
    if not line.startswith('{"_aws"'):
        return
    content = json.loads(line)
    for directive in content["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = frozenset((name, content[name]) for name in names)
            for metric in directive["Metrics"]:
                found = content[metric["Name"]]
                for value in found if isinstance(found, list) else [found]:
                    yield MetricSample((directive["Namespace"], metric["Name"], dimensions), at, float(value))


@dataclass
class Watch:
    """Takes the samples and the log lines of a sandbox while it runs, as of ``now``."""

    sandbox: Sandbox
    stack: TranslatedStack
    now: float = 0.0
    samples: list[MetricSample] = field(default_factory=list)
    lines: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))  # by log group

    def __post_init__(self) -> None:
        self.sandbox.functions.on_result = self._invoked
        self.sandbox.http_api.on_access = self._answered

    def look_into_the_queue(self) -> None:
        """Take the number of dead letters, as SQS reports it."""
        name = self.stack.attribute("DeadLetters", "QueueName")
        sqs = self.sandbox.client("sqs")
        found = sqs.get_queue_attributes(
            QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
        )
        visible = float(found["Attributes"]["ApproximateNumberOfMessages"])
        self._add("AWS/SQS", "ApproximateNumberOfMessagesVisible", visible, QueueName=name)

    def _add(self, namespace: str, name: str, value: float, **dimensions: str) -> None:
        self.samples.append(MetricSample((namespace, name, frozenset(dimensions.items())), self.now, value))

    def _invoked(self, name: str, result: InvocationResult) -> None:
        self._add("AWS/Lambda", "Errors", float(result.error is not None), FunctionName=name)
        for line in result.log.splitlines():
            self.samples += embedded(line, self.now)
            if line.startswith("{"):
                self.lines[f"/aws/lambda/{name}"].append(json.loads(line))

    def _answered(self, line: str) -> None:
        content, api = json.loads(line), self.stack.reference("HttpApi")
        self.lines[self.stack.reference("AccessLogs")].append(content)
        self._add("AWS/ApiGateway", "Count", 1.0, ApiId=api)
        self._add("AWS/ApiGateway", "5xx", float(content["status"].startswith("5")), ApiId=api)
        for counted in self.stack.resources("AWS::Logs::MetricFilter").values():
            wanted = re.fullmatch(r'\{ \$\.(\w+) = "(\w+)" \}', counted["FilterPattern"])
            assert wanted
            if content[wanted[1]] == wanted[2]:
                (metric,) = counted["MetricTransformations"]
                self._add(metric["MetricNamespace"], metric["MetricName"], float(metric["MetricValue"]))


STATISTICS: dict[str, Callable[[list[float]], float]] = {"Sum": math.fsum, "Maximum": max, "SampleCount": len}
COMPARISONS: dict[str, Callable[[float, float], bool]] = {"GreaterThanThreshold": lambda value, threshold: value > threshold}


class Samples:
    """Samples by metric and period, from which an alarm's state is told."""

    def __init__(self, samples: Iterable[MetricSample]) -> None:
        self._values: dict[tuple[Key, int], list[float]] = defaultdict(list)
        for sample in samples:
            self._values[sample.key, int(sample.at // PERIOD)].append(sample.value)

    def rings(self, alarm: dict[str, Any], first: float, last: float) -> bool:
        """Return True if the alarm is in state ALARM at the end of any period between ``first`` and ``last``."""
        return any(self._is_alarm(alarm, period) for period in range(int(first // PERIOD), int(last // PERIOD)))

    def _is_alarm(self, alarm: dict[str, Any], newest: int) -> bool:
        """Return True if enough of the periods up to ``newest`` breach the threshold."""
        periods = int(alarm["EvaluationPeriods"])
        breaching = sum(self._breaches(alarm, newest - back) for back in range(periods))
        return breaching >= int(alarm.get("DatapointsToAlarm", periods))

    def _breaches(self, alarm: dict[str, Any], period: int) -> bool:
        value = self._datapoint(alarm, period)
        if value is None:
            return {"notBreaching": False, "breaching": True}[alarm["TreatMissingData"]]
        return COMPARISONS[alarm["ComparisonOperator"]](value, float(alarm["Threshold"]))

    def _datapoint(self, alarm: dict[str, Any], period: int) -> float | None:
        if "Metrics" not in alarm:
            assert alarm["Period"] == PERIOD
            return self._statistic(alarm, alarm["Statistic"], period)
        values: dict[str, float | None] = {}
        for metric in alarm["Metrics"]:
            if "MetricStat" in metric:
                assert metric["MetricStat"]["Period"] == PERIOD
                values[metric["Id"]] = self._statistic(metric["MetricStat"]["Metric"], metric["MetricStat"]["Stat"], period)
            else:
                values[metric["Id"]] = _computed(ast.parse(metric["Expression"], mode="eval").body, values)
        (judged,) = (metric["Id"] for metric in alarm["Metrics"] if metric.get("ReturnData", True))
        return values[judged]

    def _statistic(self, metric: dict[str, Any], statistic: str, period: int) -> float | None:
        dimensions = frozenset((one["Name"], one["Value"]) for one in metric.get("Dimensions", []))
        found = self._values.get(((metric["Namespace"], metric["MetricName"], dimensions), period))
        return STATISTICS[statistic](found) if found else None


def _computed(node: ast.expr, values: dict[str, float | None]) -> float | None:
    """Return a metric math expression's value in one period; None: no data. Only what the template uses is known."""
    match node:
        case ast.Constant(value=number):
            return float(str(number))
        case ast.Name(id=name):
            return values[name]
        case ast.Call(func=ast.Name(id="FILL"), args=[filled, instead]):
            found = _computed(filled, values)
            return _computed(instead, values) if found is None else found
        case ast.Call(func=ast.Name(id="SUM" | "MAX" as name), args=[ast.List(elts=elements)]):
            known = [one for one in (_computed(each, values) for each in elements) if one is not None]
            if not known:
                return None
            return math.fsum(known) if name == "SUM" else max(known)
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div() as operator, right=right):
            one, other = _computed(left, values), _computed(right, values)
            if one is None or other is None or (isinstance(operator, ast.Div) and other == 0):
                return None
            return one * other if isinstance(operator, ast.Mult) else one / other
    raise ValueError(f"not known here: {ast.unparse(node)}")
