"""docs/command.md says of every command what ``--help`` says."""

import re

import click
from click.testing import CliRunner

from docs import command
from tripod_cli import options
from tripod_cli.main import main

TEXT = command.PAGE.read_text()
SECTIONS = re.findall(rf"^## (.+)\n\n{command.BEGIN}$", TEXT, re.MULTILINE)
NEEDED = set(re.findall(r"^\| `([a-z ]+)` \|", TEXT.partition("## What must my credentials allow?")[2], re.MULTILINE))


def test_the_sections_say_what_help_says() -> None:
    assert command.page(TEXT) == TEXT, "run `make command`"


def test_every_command_has_its_section_and_no_other() -> None:
    names = [name for name, _ in command.commands()]
    assert sorted(SECTIONS) == sorted(names)
    assert set(names) <= NEEDED, "what it needs of AWS is missing"


def test_every_word_of_help_is_in_the_section() -> None:
    sections = dict(re.findall(rf"^## (.+?)\n\n{command.BEGIN}\n(.*?){command.END}", TEXT, re.MULTILINE | re.DOTALL))
    shared = click.command(context_settings={"help_option_names": ["-h", "--help"]})(options.shared(lambda: None))
    of_all = words(CliRunner().invoke(shared, ["--help"], prog_name="tripod").stdout)
    for name, told in sections.items():
        help_ = CliRunner().invoke(main, [*name.split(), "--help"], prog_name="tripod", terminal_width=1000).stdout
        shown = words(help_)  # in lines that break no word at its hyphen
        assert shown - of_all <= words(told), name


def words(text: str) -> set[str]:
    return set(re.findall(r"[\w-]+", text))


def test_the_options_that_all_share_are_told_once() -> None:
    told = re.findall(r"^\| `(--[a-z]+)", TEXT.partition("## ")[0], re.MULTILINE)
    shared = click.command()(options.shared(lambda: None))
    assert [f"--{each.name}" for each in shared.params] == told


def test_what_makes_a_shell_complete_is_given_by_click() -> None:
    for shell in ("bash", "zsh", "fish"):
        assert f"_TRIPOD_COMPLETE={shell}_source" in TEXT
        ran = CliRunner(env={"_TRIPOD_COMPLETE": f"{shell}_source"}).invoke(main, prog_name="tripod")
        assert f"_TRIPOD_COMPLETE={shell}_complete" in ran.stdout
