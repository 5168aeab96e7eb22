"""The example of each command's help, on a line of its own that can be copied."""

from __future__ import annotations

import re
from typing import Any

_EXAMPLE = re.compile(r"^Example: (.+(?:\n\S.*)*)", re.MULTILINE)
_AS_IT_STANDS = "\b\n"
"""Before a paragraph that is not to be wrapped."""


def unwrapped(command: Any) -> Any:
    """The command, and all below it, with every example on one line however narrow the terminal is."""
    if example := example_of(command):
        command.help = _EXAMPLE.sub(lambda _: f"{_AS_IT_STANDS}Example: {example}", command.help, count=1)
    for below in getattr(command, "commands", {}).values():
        unwrapped(below)
    return command


def example_of(command: Any) -> str:
    """The command line that a command's help shows, or nothing."""
    found = _EXAMPLE.search(command.help or "")
    return found.group(1).replace("\n", " ") if found else ""
