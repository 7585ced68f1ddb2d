"""The docstrings of every public name: complete, and their examples run, with no more rights than the policies that they name."""

import dataclasses
import doctest
import inspect
import re
from collections.abc import Iterator
from contextlib import ExitStack
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import tripod
from sandbox.provider import ProviderFault
from sandbox.world import Sandbox
from tests.support.reading import reading
from tests.support.roles import role
from tests.support.sandbox_app import PARAMETERS, QUICK, RETURN_TO, SandboxApp
from tripod import errors, tickets

SECTION = re.compile(r"^(Args|Returns|Yields|Raises|Attributes):\n((?:^ {4}.*\n?)+)", re.M)
ENTRY = re.compile(r"^ {4}(\w+): \S", re.M)
POLICIES = re.compile(r"^Needs the managed policy ([^.]*)\.$", re.M)


def public() -> dict[str, Any]:
    """Return what ``tripod.__all__`` names, and each function of the modules among them."""
    named = {name: getattr(tripod, name) for name in tripod.__all__}
    for name, thing in list(named.items()):
        if isinstance(thing, ModuleType):
            named |= {
                f"{name}.{within}": value
                for within, value in inspect.getmembers(thing, inspect.isfunction)
                if not within.startswith("_") and value.__module__ == thing.__name__ and value not in named.values()
            }
    return named


PUBLIC = public()
FUNCTIONS = {name: thing for name, thing in PUBLIC.items() if inspect.isfunction(thing)}
DATA = {name: thing for name, thing in PUBLIC.items() if dataclasses.is_dataclass(thing)}
ERRORS = {name: thing for name, thing in PUBLIC.items() if isinstance(thing, type) and issubclass(thing, Exception)}
CALLS_AWS = {name for name in FUNCTIONS if name in tripod.__all__}


def documentation(thing: Any) -> str:
    """Return the docstring of ``thing`` itself, not of its base class."""
    return inspect.cleandoc(vars(thing).get("__doc__") or "" if isinstance(thing, type) else thing.__doc__ or "") + "\n"


def sections(thing: Any) -> dict[str, str]:
    return dict(SECTION.findall(documentation(thing)))


def entries(thing: Any, section: str) -> list[str]:
    return ENTRY.findall(sections(thing).get(section, ""))


def policies(thing: Any) -> list[str]:
    return re.findall(r"``(\w+)``", " ".join(POLICIES.findall(documentation(thing))))


def test_every_public_name_is_of_a_kind_that_is_checked() -> None:
    modules = {name for name, thing in PUBLIC.items() if isinstance(thing, ModuleType)}
    assert PUBLIC.keys() == FUNCTIONS.keys() | DATA.keys() | ERRORS.keys() | modules
    assert {"tickets.challenge", "tickets.new_secret"} <= FUNCTIONS.keys()


@pytest.mark.parametrize("name", PUBLIC)
def test_a_docstring_begins_with_a_sentence_and_has_an_example(name: str) -> None:
    text = documentation(PUBLIC[name])
    assert re.match(r"[A-Z][^\n]+[.:]\n", text)
    assert doctest.DocTestParser().get_examples(text)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_says_what_it_takes_returns_and_raises_and_which_policy_it_needs(name: str, world: Sandbox) -> None:
    function = FUNCTIONS[name]
    signature = inspect.signature(function)
    assert entries(function, "Args") == list(signature.parameters)
    assert bool(sections(function).keys() & {"Returns", "Yields"}) == (signature.return_annotation not in (None, "None"))
    raised = entries(function, "Raises")
    assert set(raised) <= {error.__name__ for error in vars(errors).values() if isinstance(error, type)}
    assert bool(raised) == bool(policies(function)) == (name in CALLS_AWS)
    assert set(policies(function)) <= world.template.resources("AWS::IAM::ManagedPolicy").keys()


@pytest.mark.parametrize("name", DATA)
def test_a_dataclass_describes_each_of_its_fields(name: str) -> None:
    assert entries(DATA[name], "Attributes") == [field.name for field in dataclasses.fields(DATA[name])]


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_says_when_it_is_raised_and_describes_each_of_its_attributes(name: str) -> None:
    kind = ERRORS[name]
    is_root = kind is tripod.TripodError  # which has no __init__ of its own
    parameters = [] if is_root else list(inspect.signature(kind).parameters.values())
    required = [parameter for parameter in parameters if parameter.default is parameter.empty]
    given = (1 if parameter.annotation is int else "made up" for parameter in required)
    assert entries(kind, "Attributes") == list(vars(kind(*given)))
    assert is_root or documentation(kind).startswith("Raised ")


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    """With the provider ``x``, and ``flickr``, which has no bearer tokens."""
    with Sandbox(parameters=PARAMETERS, settings=QUICK, streams=False) as running:
        running.add_provider("flickr", play="flickr")
        yield running


@pytest.fixture(scope="module")
def app(world: Sandbox) -> SandboxApp:
    users = world.provider_server.users
    (ada,) = (user for user in users if (user.user_id, user.screen_name) == ("2244994945", "ada"))
    return SandboxApp(world, "x", world.add_provider("x"), ada)


@pytest.fixture
def names(app: SandboxApp) -> dict[str, Any]:
    """What an example has at hand: the public names, and the session and the ticket of ada, who has just signed in."""
    session, browser = {"secret": tickets.new_secret()}, app.browser()
    callback = app.come_back(
        browser, challenge=tickets.challenge(session["secret"], provider="x", return_to=RETURN_TO), return_to=RETURN_TO
    )
    query = parse_qs(urlsplit(browser.get(callback).headers["location"]).query)
    assert query["outcome"] == ["granted"]
    own = {name: getattr(tripod, name) for name in tripod.__all__}
    return own | {"session": session, "ticket": query["ticket"][0]}


def run(name: str, text: str, names: dict[str, Any], app: SandboxApp) -> None:
    text = text.replace("https://api.x.com", app.sandbox.provider).replace("https://app.example/signed-in", RETURN_TO)
    test = doctest.DocTestParser().get_doctest(text, names, name, None, None)
    report: list[str] = []
    failed, tried = doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert tried
    assert not failed, "".join(report)


EXAMPLES = [(name, policy) for name, thing in PUBLIC.items() for policy in policies(thing) or [""]]


@pytest.mark.parametrize(("name", "policy"), EXAMPLES)
def test_an_example_runs_with_each_policy_that_its_docstring_names(
    name: str, policy: str, names: dict[str, Any], app: SandboxApp
) -> None:
    if name == "TripodUnavailable":  # its example is of a provider that fails
        app.fault("bearer_token", ProviderFault.OVER_CAPACITY)
    with ExitStack() as stack:
        stack.enter_context(role(app.sandbox, policy) if policy else reading(app.sandbox))
        run(name, documentation(PUBLIC[name]), names, app)


def test_the_packages_own_example_runs(names: dict[str, Any], app: SandboxApp) -> None:
    with reading(app.sandbox):
        run("tripod", tripod.__doc__ or "", names, app)
