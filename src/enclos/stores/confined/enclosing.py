"""How a process is shut in: its own namespaces where bubblewrap can make them, else Landlock and seccomp.

Source: bubblewrap 0.8, user namespaces; tried as root and as an ordinary user (docs/decisions/0020, 0032).
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from enum import Enum
from functools import cache
from itertools import takewhile
from pathlib import Path

WORKER = Path(__file__).with_name("worker.py")
_LANDLOCKED = Path(__file__).with_name("landlocked.py")
_PACKAGES = ("duckdb", "_duckdb", "pyarrow", "numpy")
_SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/etc/ld.so.cache")
_START = "import sys; sys.path.insert(0, {packages!r}); import runpy; runpy.run_path({worker!r}, run_name='__main__')"


class Walls(Enum):
    """What shuts a process in."""

    BUBBLEWRAP = "bubblewrap"
    LANDLOCK = "landlock"
    NONE = "none"


def walls() -> Walls:
    """The best that this machine has: tried out, not read from a version."""
    if has_bubblewrap():
        return Walls.BUBBLEWRAP
    return Walls.LANDLOCK if has_landlock() else Walls.NONE


@cache
def has_landlock() -> bool:
    """Whether Landlock and seccomp hold here: an empty worker starts behind them."""
    with tempfile.NamedTemporaryFile(suffix=".py") as probe:
        tried = subprocess.run(  # noqa: S603 - a fixed command
            landlocked_command(Path(probe.name)), capture_output=True, check=False, timeout=60, env={}
        )
    return tried.returncode == 0


@cache
def has_bubblewrap() -> bool:
    """Whether bubblewrap can build the worker's walls here: a container may grant namespaces, and not all of it."""
    if shutil.which("bwrap") is None:
        return False
    walls_alone = [*takewhile(lambda part: part != "--", bubblewrap_command()), "/usr/bin/true"]
    tried = subprocess.run(walls_alone, capture_output=True, check=False, timeout=20)  # noqa: S603 - a fixed command
    return tried.returncode == 0


def confined_command(by: Walls) -> list[str]:
    """The worker behind these walls."""
    return landlocked_command(WORKER) if by is Walls.LANDLOCK else bubblewrap_command()


def landlocked_command(program: Path) -> list[str]:
    """A program that loads what it needs, and then can open no file, no socket and no process."""
    places = _package_places()
    command = [sys.executable, "-I", "-S", "-B", str(_LANDLOCKED), str(places[0].parent), str(program)]
    return [*command, *map(str, places)]


def bubblewrap_command() -> list[str]:
    """The worker, with read-only programs, no place to write, no network and no other process in sight."""
    python = Path(sys.executable).resolve()
    command = [shutil.which("bwrap") or "bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    command += ["--cap-drop", "ALL", "--hostname", "worker", "--setenv", "LC_ALL", "C.UTF-8"]
    for path in _SYSTEM:
        is_link = Path(path).is_symlink()
        command += ["--symlink", str(Path(path).readlink()), path] if is_link else ["--ro-bind-try", path, path]
    if not Path(sys.base_prefix).is_relative_to("/usr"):
        command += ["--ro-bind", sys.base_prefix, sys.base_prefix]
    for place in _package_places():
        command += ["--ro-bind", str(place), f"/packages/{place.name}"]
    command += ["--ro-bind", str(WORKER), "/worker.py", "--proc", "/proc", "--dev", "/dev", "--dir", "/tmp"]  # noqa: S108 - inside
    command += ["--remount-ro", "/", "--chdir", "/", "--", str(python), "-I", "-S", "-B", "-c"]
    return [*command, _START.format(packages="/packages", worker="/worker.py")]


def unconfined_command() -> list[str]:
    """The worker without its walls, for trying out on synthetic data only."""
    packages = str(next(iter(_package_places())).parent)
    return [sys.executable, "-I", "-B", "-c", _START.format(packages=packages, worker=str(WORKER))]


def _package_places() -> list[Path]:
    """Where the packages lie that the worker imports, with what their wheels put beside them."""
    places: list[Path] = []
    for name in _PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            continue
        origin = Path(spec.origin)
        places.append(origin.parent if origin.name == "__init__.py" else origin)
    site = places[0].parent
    beside = [site / f"{name}.libs" for name in _PACKAGES] + sorted(site.glob("duckdb-*.dist-info"))
    return [*places, *(place for place in beside if place.is_dir())]
