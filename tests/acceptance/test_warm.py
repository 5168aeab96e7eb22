"""Commands that are forked from a process that has imported them end as those that start on their own."""

from __future__ import annotations

import subprocess

import pytest

from factories.enclosure import call
from factories.warm import ENCLOS, door


def both(*arguments: object, **environment: str) -> tuple[subprocess.CompletedProcess[str], ...]:
    """The same command, once started on its own and once forked."""
    call(*arguments, **environment)  # the first of this name in this process, if no test ran it before
    assert door().is_open
    cold = subprocess.run(
        [str(ENCLOS), *map(str, arguments)],
        env={**door().environment, "ENCLOS_PASSPHRASE": "a passphrase for tests", **environment},
        input="",
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return cold, call(*arguments, **environment)


@pytest.mark.parametrize(
    ("words", "passphrase", "status"),
    [
        (("ledger", "verify"), "a passphrase for tests", 0),
        (("snapshots",), "a passphrase for tests", 4),
        (("snapshots",), "another", 3),
        (("permit", "open"), "", 2),
    ],
)
def test_a_forked_command_prints_and_ends_as_one_of_its_own(empty, words, passphrase, status):
    place = () if words[0] == "permit" else (empty,)
    cold, warm = both(*words, *place, "--json", ENCLOS_PASSPHRASE=passphrase)
    assert (warm.returncode, warm.stdout, warm.stderr) == (cold.returncode, cold.stdout, cold.stderr)
    assert warm.returncode == status


def test_nothing_of_a_command_is_left_for_the_next(empty):
    assert call("snapshots", empty).returncode == 4  # with the passphrase, and no snapshot
    words, without = [str(ENCLOS), "snapshots", str(empty)], dict(door().environment)
    assert without.pop("ENCLOS_PASSPHRASE", None) is None
    assert [door().run(words, without, [0, 1, 2]) for _ in "ab"] == [2, 2]
