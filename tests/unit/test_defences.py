"""The list of defences is true of the product as it is: `make mutate-defences` would try each of them, with tests that there are."""

import ast
import collections

import pytest

from tools import mutate_template, remove_defences
from tools.remove_defences import ROOT, Defence

DEFENCES = remove_defences.read_list()


def exists(test: str) -> bool:
    """Return whether a file of tests is there, and in it the function that is named."""
    name, _, function = test.partition("::")
    path = ROOT / name
    return path.is_file() and (not function or f"def {function.partition('[')[0]}(" in path.read_text())


def test_every_defence_has_an_id_of_its_own_and_a_reason() -> None:
    assert [name for name, number in collections.Counter(one.id for one in DEFENCES).items() if number > 1] == []
    assert [one.id for one in DEFENCES if not one.why] == []


@pytest.mark.parametrize("defence", DEFENCES, ids=lambda defence: defence.id)
def test_a_defence_is_where_the_list_says_and_can_be_taken_out(defence: Defence) -> None:
    content = (ROOT / defence.file).read_text()
    assert content.count(defence.was) == 1
    changed = content.replace(defence.was, defence.without)
    if defence.file.endswith(".py"):
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(content))
    else:
        assert changed != content


@pytest.mark.parametrize("defence", DEFENCES, ids=lambda defence: defence.id)
def test_the_tests_that_should_notice_are_there(defence: Defence) -> None:
    assert defence.tests
    assert [test for test in defence.tests if not exists(test)] == []


def test_the_tests_that_should_notice_what_the_template_lacks_are_there() -> None:
    groups = (
        mutate_template.POLICIES,
        mutate_template.POLICIES_FOR_OTHERS,
        mutate_template.LIMITS,
        mutate_template.CHOICES,
        mutate_template.DENIALS,
        mutate_template.FLOWS,
        mutate_template.BUILT,
    )
    assert [test for group in groups for test in group if not exists(test)] == []
