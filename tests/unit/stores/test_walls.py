"""Which walls a machine has is tried out with all that the worker's walls are made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from enclos.stores.confined.enclosing import has_bubblewrap


@pytest.mark.parametrize(("refuses", "holds"), [("--hostname", False), ("--nothing-that-we-ask", True)])
def test_bubblewrap_counts_only_where_it_can_do_all_that_is_asked(
    refuses: str, holds: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that lets namespaces be made and no host be named."""
    program = tmp_path / "bwrap"
    program.write_text(f'#!/bin/sh\ncase "$*" in *{refuses}*) exit 1;; esac\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert has_bubblewrap.__wrapped__() is holds
