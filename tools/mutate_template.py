"""``make mutate``: take one thing out of the template or of a layer at a time, and see the behaviour tests notice.

Every IAM action, condition of a statement, route, event source, environment variable, layer attachment and layer requirement is a
mutant, everything that there is on a condition only, there always, and what an operator watches by: alarms, queries, widgets. Each one's tests run in a copy of the project whose template lacks it; first they run where nothing is lacking. The exit code is 1 unless
every mutant is noticed. Words as arguments try those alone whose names have all of them: MUTANTS='StartFunction variable'.
"""

import copy
import csv
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from tools import trials

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("functions", "layers", "events", "examples", "sandbox", "tests", "docs", "README.md", "pyproject.toml")
LAYERS = {"TripodLayer": "tripod", "FlowLayer": "flow"}
WORKERS = os.cpu_count() or 1

Body = dict[str, Any]

POLICIES = ("tests/flow/test_permissions.py",)
POLICIES_FOR_OTHERS = ("tests/flow/test_policies_for_others.py", "tests/flow/test_policies_for_the_table.py")
LIMITS = ("tests/template/test_stack.py", "tests/template/test_keys.py")  # under which something is allowed
CHOICES = (  # what there is only where a parameter asks for it
    "tests/template/test_keys.py",
    "tests/template/test_dashboard.py",
    "tests/template/test_parameters.py::test_without_a_domain_there_is_nothing_of_one",
)
DENIALS = ("tests/template/test_stack.py",)  # of what a policy of AWS's own allows
FLOWS = (
    "tests/flow/test_configuration.py",
    "tests/flow/test_sign_in.py",
    "tests/flow/test_denial.py",
    "tests/flow/test_pin.py",
    "tests/flow/test_revoke.py",
    "tests/flow/test_tickets.py",
    "tests/flow/test_relay.py",
    "tests/flow/test_table_store.py",
    "tests/flow/test_sign.py",
    "tests/flow/test_sign_for_one.py",
    "tests/flow/test_check_round.py",
)
WATCH = ("tests/template/test_alarms.py", "tests/template/test_dashboard.py", "tests/flow/test_watch.py")  # the quick ones first
WATCHED = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::Logs::MetricFilter", "AWS::Logs::QueryDefinition")
# Without the tests that see only whether the files are there.
BUILT = ("tests/built/test_artefacts.py::test_the_layers_need_no_package_of_the_runtimes", "tests/built/test_runtime.py")


@dataclass(frozen=True)
class Mutant:
    """One thing taken out: ``change`` takes it from a template's body, ``distribution`` from a built layer."""

    name: str
    tests: tuple[str, ...]
    change: Callable[[Body], None] = lambda _: None
    distribution: tuple[str, str] | None = None  # (layer, folder of its metadata)


def without(path: tuple[Any, ...], item: Any = None) -> Callable[[Body], None]:
    """Return a change that deletes what is at ``path``, or ``item`` from the list there."""

    def change(body: Body) -> None:
        *way, last = path
        holder: Any = body
        for step in way:
            holder = holder[step]
        if item is None:
            del holder[last]
        else:
            holder[last] = [each for each in holder[last] if each != item]

    return change


def always(path: tuple[Any, ...]) -> Callable[[Body], None]:
    """Return a change that puts the first branch of the ``Fn::If`` at ``path`` in its place."""

    def change(body: Body) -> None:
        *way, last = path
        holder: Any = body
        for step in way:
            holder = holder[step]
        holder[last] = holder[last]["Fn::If"][1]

    return change


def mutants(body: Body) -> Iterator[Mutant]:
    """Yield every mutant of a template."""
    resources: Body = body["Resources"]
    yield from _environment(("Globals", "Function"), "Globals", body["Globals"]["Function"])
    for layer in body["Globals"]["Function"]["Layers"]:
        yield Mutant(f"layer attachment {layer['Ref']}", BUILT, without(("Globals", "Function", "Layers"), layer))
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        place = ("Resources", name, "Properties")
        if "Condition" in resource:
            yield Mutant(f"{name} always", CHOICES, without(("Resources", name, "Condition")))
        if resource["Type"] == "AWS::Serverless::Function":
            yield from _environment(place, name, properties)
            for event in properties.get("Events", {}):
                yield Mutant(f"{name} event {event}", FLOWS, without((*place, "Events", event)))
            for number, policy in enumerate(properties["Policies"]):
                if "Statement" in policy:
                    yield from _statements((*place, "Policies", number, "Statement"), name, policy["Statement"], POLICIES)
        if resource["Type"] in WATCHED:
            yield from _watching(name, resource["Type"], properties)
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            statements = properties["PolicyDocument"]["Statement"]
            yield from _statements((*place, "PolicyDocument", "Statement"), name, statements, POLICIES_FOR_OTHERS)
    for layer, folder in LAYERS.items():
        for line in (ROOT / "layers" / folder / "requirements.txt").read_text().splitlines():
            if line and not line.startswith("#"):
                distribution = f"{line.split()[0].replace('-', '_').replace('==', '-')}.dist-info"
                yield Mutant(f"{layer} requirement {line.split('==')[0]}", BUILT, distribution=(layer, distribution))


def _watching(name: str, kind: str, properties: Body) -> Iterator[Mutant]:
    """Yield what an operator would miss: the whole of it, a metric of an alarm, one of its limits, a line of a query, a widget."""
    place = ("Resources", name)
    yield Mutant(f"{name} watching", WATCH, without(place))
    for limit in ("DatapointsToAlarm", "Dimensions", "TreatMissingData"):
        if kind == "AWS::CloudWatch::Alarm" and limit in properties:
            yield Mutant(f"{name} watching {limit}", WATCH, without((*place, "Properties", limit)))
    for metric in properties.get("Metrics", []):
        yield Mutant(f"{name} watching {metric['Id']}", WATCH, without((*place, "Properties", "Metrics"), metric))
    for line in properties.get("QueryString", "").splitlines():
        yield Mutant(f"{name} watching {line[:40]}", WATCH, shortened((*place, "Properties"), line))
    for group in properties.get("LogGroupNames", []):
        yield Mutant(f"{name} watching {group['Ref']}", WATCH, without((*place, "Properties", "LogGroupNames"), group))
    for number, widget in enumerate(json.loads(properties.get("DashboardBody", {}).get("Fn::Sub", "{}")).get("widgets", [])):
        yield Mutant(
            f"{name} watching {widget['properties']['title'][:40]}", WATCH, without_widget((*place, "Properties"), number)
        )


def shortened(place: tuple[Any, ...], line: str) -> Callable[[Body], None]:
    """Return a change that takes a line out of a query."""

    def change(body: Body) -> None:
        properties = body
        for step in place:
            properties = properties[step]
        properties["QueryString"] = "".join(
            each for each in properties["QueryString"].splitlines(keepends=True) if each.strip() != line.strip()
        )

    return change


def without_widget(place: tuple[Any, ...], number: int) -> Callable[[Body], None]:
    """Return a change that takes a widget off the dashboard."""

    def change(body: Body) -> None:
        properties = body
        for step in place:
            properties = properties[step]
        shown = json.loads(properties["DashboardBody"]["Fn::Sub"])
        del shown["widgets"][number]
        properties["DashboardBody"]["Fn::Sub"] = json.dumps(shown)

    return change


def _environment(place: tuple[Any, ...], name: str, properties: Body) -> Iterator[Mutant]:
    for variable in properties.get("Environment", {}).get("Variables", {}):
        yield Mutant(f"{name} variable {variable}", FLOWS, without((*place, "Environment", "Variables", variable)))


def _statements(place: tuple[Any, ...], name: str, statements: list[Body], allowing: tuple[str, ...]) -> Iterator[Mutant]:
    for number, conditional in enumerate(statements):
        where = (*place, number)
        statement, content = conditional, where
        if "Fn::If" in conditional:
            statement, content = conditional["Fn::If"][1], (*where, "Fn::If", 1)
        label = f"{name} {statement.get('Sid', number)}"
        if "Fn::If" in conditional:
            yield Mutant(f"{label} always", CHOICES, always(where))
        actions, tests = statement["Action"], (allowing if statement["Effect"] == "Allow" else DENIALS)
        if isinstance(actions, str):
            yield Mutant(f"{label} {actions}", tests, without(where))
        else:
            for action in actions:
                yield Mutant(f"{label} {action}", tests, without((*content, "Action"), action))
        for operator, keys in statement.get("Condition", {}).items():
            for key in keys:
                limit = without((*content, "Condition", operator, key))
                yield Mutant(f"{label} without {operator} {key}", LIMITS, limit)


class Workplace:
    """A copy of the project in a folder of its own, in which one mutant after the other is tried."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, folder / name, ignore=ignored)
            else:
                shutil.copy(ROOT / name, folder / name)
        (folder / ".tools").symlink_to(ROOT / ".tools")
        shutil.copytree(ROOT / ".aws-sam" / "build", folder / ".aws-sam" / "build")

    def is_green(self, tests: list[str]) -> bool:
        """Return whether the tests pass where nothing is lacking."""
        self._write_templates(lambda _: None)
        return trials.all_pass(sys.executable, self.folder, tests, WORKERS)

    def trial(self, mutant: Mutant) -> str:
        """Run a mutant's tests on it; return what that shows."""
        self._write_templates(mutant.change)
        with Lacking(self.folder / ".aws-sam" / "build", mutant.distribution):
            return trials.result(sys.executable, self.folder, mutant.tests)

    def _write_templates(self, change: Callable[[Body], None]) -> None:
        for template in ("template.yaml", ".aws-sam/build/template.yaml"):
            body = yaml_parse((ROOT / template).read_text())
            change(body)
            (self.folder / template).write_text(json.dumps(body))


class Lacking:
    """While it is entered, the files of a distribution are not in the built layer."""

    def __init__(self, build: Path, distribution: tuple[str, str] | None) -> None:
        self._away: list[tuple[Path, Path]] = []
        self._python = build / distribution[0] / "python" if distribution else build
        self._metadata = distribution[1] if distribution else ""

    def __enter__(self) -> None:
        if not self._metadata:
            return
        names = [row[0] for row in csv.reader((self._python / self._metadata / "RECORD").read_text().splitlines())]
        for name in sorted({name.split("/")[0] for name in names if not name.startswith("..")}):
            if not name.endswith(".dist-info"):
                path = self._python / name
                self._away.append((path, path.with_name(f"{name}.away")))
        for path, away in self._away:
            path.rename(away)

    def __exit__(self, *_: object) -> None:
        for path, away in self._away:
            away.rename(path)


def main() -> int:
    """Try every mutant, or those whose names have all the words that are given; return the exit code."""
    body, began = yaml_parse((ROOT / "template.yaml").read_text()), time.monotonic()
    chosen = {one.name: one for one in mutants(copy.deepcopy(body)) if all(word in one.name for word in sys.argv[1:])}
    if not chosen:
        print(f"there is no mutant whose name has {' and '.join(sys.argv[1:])}")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        workplaces = [Workplace(Path(folder) / str(number)) for number in range(WORKERS)]
        if not workplaces[0].is_green(sorted({test for one in chosen.values() for test in one.tests})):
            print("the tests must pass with everything in place")
            return 1
        print(f"with everything in place the tests pass ({time.monotonic() - began:.0f} s)", flush=True)
        return trials.summarize(chosen, trials.make_all(chosen, workplaces, Workplace.trial), began)


if __name__ == "__main__":
    sys.exit(main())
