"""What the API calls: a published version, and another one whenever what a function runs with is another."""

from typing import Any

import pytest

from tests.support.parameter_changes import CHANGES
from tests.support.translated import TranslatedStack, stack

PUBLISHED = ("StartFunction", "CallbackFunction")


def version(one: TranslatedStack, function: str) -> tuple[str, str]:
    """Return what tells a published version from another: CloudFormation publishes anew where either differs."""
    number = one.raw(f"{function}Aliaslive")["Properties"]["FunctionVersion"]["Fn::GetAtt"][0]
    return number, one.one(number)["Description"]


def published(one: TranslatedStack, function: str) -> dict[str, Any]:
    """Return what of a function's configuration a version has: not how many may run at once."""
    return {name: value for name, value in one.one(function).items() if name != "ReservedConcurrentExecutions"}


def runs_with(one: TranslatedStack, function: str) -> dict[str, Any]:
    """Return a version's configuration but for what is only there to be read."""
    return {name: value for name, value in published(one, function).items() if name != "Description"}


@pytest.mark.parametrize("function", PUBLISHED)
@pytest.mark.parametrize("name", CHANGES)
def test_a_parameter_that_a_function_runs_with_publishes_a_version(name: str, function: str) -> None:
    change = CHANGES[name]
    before, after = stack(), stack(**{name: change.value, **dict(change.beside)})
    if runs_with(before, function) != runs_with(after, function):
        assert version(before, function) != version(after, function)
    if version(before, function) != version(
        after, function
    ):  # Lambda publishes nothing where nothing changed: that fails a deployment
        assert published(before, function) != published(after, function)


@pytest.mark.parametrize("function", PUBLISHED)
@pytest.mark.parametrize("place", [("StartFunction", "CodeUri"), ("TripodLayer", "ContentUri"), ("FlowLayer", "ContentUri")])
def test_new_code_publishes_a_version(function: str, place: tuple[str, str]) -> None:
    resource, key = place
    where = function if key == "CodeUri" else resource
    changed = TranslatedStack({}, {where: "s3://bucket/another"})
    assert version(changed, function) != version(stack(), function)


@pytest.mark.parametrize("function", PUBLISHED)
def test_another_table_publishes_a_version(function: str) -> None:
    replaced = TranslatedStack({})
    replaced.raw("Table")["Properties"]["TableName"] = "another"
    assert replaced.environment(function)["TRIPOD_TABLE"] == "another"
    assert version(replaced, function) != version(stack(), function)


@pytest.mark.parametrize("function", PUBLISHED)
def test_a_description_stays_within_lambdas_limit(function: str) -> None:
    longest = stack(AllowedReturnUrls="https://a.example/" + "a" * 2000)
    assert len(version(longest, function)[1]) <= 256
    assert len(longest.one(function)["Description"]) <= 256


def test_what_a_browser_asks_for_is_answered_by_a_published_version() -> None:
    calls = {}
    for key, route in stack().routes().items():
        arn = route["x-amazon-apigateway-integration"]["uri"].split("/functions/")[1].split("/")[0]
        calls[key] = arn.split(":function:")[1]
    assert calls.pop("POST /oauth/{provider}/users/{user_id}/revoke") == "tripod-revoke"
    assert set(calls.values()) == {"tripod-start:live", "tripod-callback:live"}


@pytest.mark.parametrize(("parameter", "applied"), [("off", "None"), ("on", "PublishedVersions")])
def test_snapshots_are_taken_where_they_are_asked_for(parameter: str, applied: str) -> None:
    one = stack(SnapStart=parameter)
    found = {name: properties.get("SnapStart", {}).get("ApplyOn") for name, properties in one.functions().items()}
    assert found == {name: applied if name in PUBLISHED else None for name in one.functions()}


@pytest.mark.parametrize("function", PUBLISHED)
def test_an_old_version_goes_with_its_snapshot(function: str) -> None:
    number, _ = version(stack(), function)
    assert stack().raw(number)["DeletionPolicy"] == "Delete"
