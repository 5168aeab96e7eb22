"""What a test names as the moment at which a command is killed exists, also where that test is a slow one."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

TESTS = Path(__file__).parents[1]
MOMENT = re.compile(r'"(enclos(?:\.\w+)+):([\w.]+)"')


def is_there(module: str, path: str) -> bool:
    """Whether a module has what a dotted path names."""
    holder: object = import_module(module)
    for name in path.split("."):
        if not hasattr(holder, name):
            return False
        holder = getattr(holder, name)
    return True


def test_every_moment_that_a_test_names_is_there() -> None:
    named = {each for path in TESTS.rglob("test_*.py") for each in MOMENT.findall(path.read_text(encoding="utf-8"))}

    assert [f"{module}:{path}" for module, path in sorted(named) if not is_there(module, path)] == []
    assert len(named) > 20
    assert not is_there("enclos.app.moving", "no_such_function")
