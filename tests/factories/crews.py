"""The processes that a command starts for parts of its work, and what a build by them says of itself."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from enclos.app.enclosure import Enclosure

PASSES, BUCKETS = "pass_worker", "bucket_worker"


def crew_of(pid: int, kind: str) -> list[int]:
    """The processes that one started for passes or for buckets."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread, or what it started, may end meanwhile
            children = map(int, (task / "children").read_text(encoding="ascii").split())
            found += [each for each in children if kind.encode() in Path(f"/proc/{each}/cmdline").read_bytes()]
    return found


def is_alive(pid: int) -> bool:
    """Whether a process still runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def facts(enclosure: Enclosure) -> dict[str, Any]:
    """What the newest snapshot says of itself, but how its passes were cut."""
    with enclosure.reading_data(), enclosure.engine() as engine:
        told = dict(enclosure.lake(engine).facts() or {})
    return {name: value for name, value in told.items() if name not in ("n_passes", "rules")}
