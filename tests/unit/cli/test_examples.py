"""Every command shows an example that its own options take, on one line that can be copied; pages show no other."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from run_pages import command_lines
from typer.exceptions import TyperException

from enclos.cli import commands as _every_command  # noqa: F401 - importing them registers them
from enclos.cli.application import application
from enclos.cli.examples import example_of, unwrapped

ROOT = Path(__file__).resolve().parents[3]
PAGES = ("README.md", *(f"docs/guides/{path.name}" for path in (ROOT / "docs/guides").glob("*.md")))
PROGRAM = unwrapped(typer.main.get_command(application))


def commands_of(command: Any, *names: str) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield " ".join(names), command
    else:
        for name, each in below.items():
            yield from commands_of(each, *names, name)


COMMANDS = dict(commands_of(PROGRAM))


def refused(line: str) -> str | None:
    """What the parser has against a command line."""
    words = shlex.split(line)
    words = words[words.index("enclos") + 1 :]
    command, parent, name = PROGRAM, None, "enclos"
    while True:
        try:
            context = command.make_context(name, list(words), parent=parent)
        except TyperException as error:
            return error.format_message()
        below = getattr(command, "commands", None)
        if below is None:
            return None
        name, *words = [*context._protected_args, *context.args] or [""]
        if name not in below:
            return f"no command {name}"
        command, parent = below[name], context


def test_a_parser_that_takes_everything_would_prove_nothing():
    assert refused("enclos build") and refused("enclos build home --acount") and refused("enclos biuld home")
    assert refused("enclos release verify") and refused("enclos init home --buckets many")
    assert refused("X=1 enclos build home --account") is None


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_shows_an_example_of_itself_that_parses(name):
    example = example_of(COMMANDS[name])
    assert f"enclos {name} " in f"{example} "
    assert refused(example) is None
    assert "\b\nExample: " in COMMANDS[name].help
    unsaid = [each.name for each in COMMANDS[name].params if each.param_type_name == "option" and not each.help]
    assert unsaid == []


def test_an_example_stays_on_one_line_however_narrow_the_terminal_is(capsys):
    with pytest.raises(SystemExit):
        PROGRAM.main(["release", "request", "--help"], prog_name="enclos", terminal_width=60)
    assert example_of(COMMANDS["release request"]) in capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES)
def test_what_pages_tell_people_to_type_parses(page):
    lines = command_lines((ROOT / page).read_text(encoding="utf-8"))
    assert [line for line in lines if refused(line)] == []
