"""How a process is shut in: its own namespaces, no network, no file but the programs it runs.

Source: bubblewrap 0.8, user namespaces; tried as root and as an ordinary user (docs/decisions/0020).
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

WORKER = Path(__file__).with_name("worker.py")
_PACKAGES = ("duckdb", "_duckdb", "pyarrow", "numpy")
_SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/etc/ld.so.cache")
_START = "import sys; sys.path.insert(0, {packages!r}); import runpy; runpy.run_path({worker!r}, run_name='__main__')"


@cache
def can_confine() -> bool:
    """Whether this machine lets us shut a process in."""
    program = shutil.which("bwrap")
    if program is None:
        return False
    tried = subprocess.run(  # noqa: S603 - a fixed command
        [program, "--unshare-all", "--ro-bind", "/", "/", "true"], capture_output=True, check=False, timeout=20
    )
    return tried.returncode == 0


def confined_command() -> list[str]:
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
