"""``make command``: what ``--help`` says of each command, into its section of docs/command.md."""

import re
from collections.abc import Iterator
from pathlib import Path

import click

from tripod_cli.main import main as tripod
from tripod_cli.options import shared

PAGE = Path(__file__).with_name("command.md")
BEGIN, END = "<!-- made by docs/command.py -->", "<!-- to here -->"
SECTION = re.compile(rf"^## (?P<name>[a-z ]+)\n\n{BEGIN}\n.*?{END}$", re.MULTILINE | re.DOTALL)


def commands(group: click.Group = tripod, above: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield each command that does something, with its name, such as ``consumer set``."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{above}{name} ")
        else:
            yield f"{above}{name}", command


def page(text: str) -> str:
    """Return the page's text with each command's section as it should be; a section of no command stays without one."""
    known = dict(commands())
    return SECTION.sub(lambda found: section(found["name"], known[found["name"]]) if found["name"] in known else "", text)


def section(name: str, command: click.Command) -> str:
    """Return the beginning of a command's section, in Markdown."""
    context = click.Context(command, info_name=f"tripod {name}", max_content_width=1000, terminal_width=1000)
    usage = command.get_usage(context).removeprefix("Usage: ")
    told = "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))
    rows = [f"| {_code(names)} | {said} |" for names, said in _options(command, context)]
    table = ["| option | what it does |", "|---|---|", *rows, ""] if rows else []
    return "\n".join([f"## {name}", "", BEGIN, f"`{usage}`", "", told, "", *table, END])


def _options(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    """Yield the command's own options, as ``--help`` has them; those that all share are told once."""
    everywhere = {one.name for one in click.command()(shared(lambda: None)).params}
    for parameter in command.params:
        if (
            isinstance(parameter, click.Option)
            and parameter.name not in everywhere
            and (record := parameter.get_help_record(context))
        ):
            yield record


def _code(names: str) -> str:
    return f"`{names}`".replace("|", "\\|")


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(PAGE.read_text()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
