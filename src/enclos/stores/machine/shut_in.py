"""The walls tried from within: a program behind them calls a canary that lives, and a neighbour that it must not see.

A canary that does not answer from outside proves nothing, so it is called from there first.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from enclos.conformity.model import Finding, Sight
from enclos.conformity.ports import Look
from enclos.stores.confined.enclosing import Walls, confined_command, landlocked_command, walls

_SECONDS = 60
_PROGRAM = """
import json, os, socket
def tcp(host, port, family):
    with socket.socket(family) as line:
        line.settimeout(2); line.connect((host, port))
def udp(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line: line.sendto(b"out", ("127.0.0.1", port))
def unix(name):
    with socket.socket(socket.AF_UNIX) as line: line.connect("\\0" + name)
def read(path):
    with open(path, "rb") as file: file.read(1)
TRIES = {tries!r}
done = []
for name, call in TRIES.items():
    try: eval(call)
    except (OSError, RuntimeError): continue
    done.append(name)
print(json.dumps(done))
"""


@dataclass(frozen=True, slots=True)
class Canary:
    """What lives outside: ports, an abstract name, a neighbour's process, a file."""

    tcp: int
    tcp6: int
    udp: socket.socket
    unix: str
    neighbour: int
    file: Path


def walls_probes(data: Sequence[Path]) -> list[Look]:
    """One look from within. In: data — folders of the enclosure that a query must not see."""
    names = ("net.egress", "net.segment", "app.tenant-isolation")
    return [Look(names, lambda: _findings(data))]


def _findings(data: Sequence[Path]) -> list[Finding]:
    by = walls()
    with canary() as alive:
        outward = {
            "tcp": f"tcp('127.0.0.1', {alive.tcp}, socket.AF_INET)",
            "tcp6": f"tcp('::1', {alive.tcp6}, socket.AF_INET6)",
            "udp": f"udp({alive.udp.getsockname()[1]})",
            "dns": "socket.getaddrinfo('enclos.example', 443)",
            "unix": f"unix({alive.unix!r})",
        }
        if not alive.tcp6:
            outward.pop("tcp6")
        sideward = {
            "signal": f"os.kill({alive.neighbour}, 0)",
            "process": f"read('/proc/{alive.neighbour}/environ')",
            "port": f"tcp('127.0.0.1', {alive.tcp}, socket.AF_INET)",
        }
        inward = {
            "file": f"read({str(alive.file)!r})",
            **{f"folder {n}": f"os.listdir({str(folder.resolve())!r})" for n, folder in enumerate(data)},
        }
        if by is Walls.NONE:
            said = "this machine cannot shut a query in, and none runs"
            return [Finding(name, Sight.BLIND, said) for name in ("net.egress", "net.segment", "app.tenant-isolation")]
        done = [each for each in _tried(by, outward | sideward | inward) if each != "udp" or _has_come(alive.udp)]
    return [
        _finding("net.egress", by, outward, done, "to the outside"),
        _finding("net.segment", by, sideward, done, "to a neighbour"),
        _finding("app.tenant-isolation", by, inward, done, "to files of others"),
    ]


def _finding(name: str, by: Walls, tries: dict[str, str], done: Sequence[str], where: str) -> Finding:
    through = [each for each in tries if each in done]
    said = f"of {len(tries)} ways {where}, tried behind {by.value}, {', '.join(through) or 'none'} led through"
    return Finding(name, Sight.FAILS if through else Sight.HOLDS, said, len(tries))


def _tried(by: Walls, tries: dict[str, str]) -> list[str]:
    """What a program behind the walls succeeded in. Refuses: OSError when it did not run."""
    program = _PROGRAM.replace("{tries!r}", repr(tries))
    with tempfile.TemporaryDirectory() as folder:
        if by is Walls.LANDLOCK:
            file = Path(folder) / "program.py"
            file.write_text(program, encoding="utf-8")
            command = landlocked_command(file)
        else:
            command = [*confined_command(by)[:-1], program]
        done = subprocess.run(  # noqa: S603 - a fixed command
            command, capture_output=True, text=True, env={}, timeout=_SECONDS, check=False
        )
    if done.returncode:
        raise OSError("the program behind the walls did not run")
    found: list[str] = json.loads(done.stdout)
    return found


@contextmanager
def canary() -> Iterator[Canary]:
    """Something outside that lives, called once from here so that it is known to.

    Refuses: OSError when it does not answer.
    """
    with ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        tcp6 = stack.enter_context(socket.create_server(("::1", 0), family=socket.AF_INET6)) if _has_ipv6() else None
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        name = f"enclos-canary-{os.urandom(8).hex()}"
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(f"\0{name}")
        unix.listen()
        file = stack.enter_context(tempfile.NamedTemporaryFile())
        file.write(b"canary")
        file.flush()
        command = ["/bin/sleep", str(_SECONDS)]
        neighbour = stack.enter_context(subprocess.Popen(command, stdin=subprocess.DEVNULL))  # noqa: S603 - fixed
        stack.callback(neighbour.kill)
        for listener in filter(None, (tcp, tcp6)):
            socket.create_connection(listener.getsockname()[:2], 2).close()
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(f"\0{name}")
        os.kill(neighbour.pid, 0)
        yield Canary(
            tcp.getsockname()[1],
            tcp6.getsockname()[1] if tcp6 else 0,
            udp,
            name,
            neighbour.pid,
            Path(file.name),
        )


def _has_come(line: socket.socket) -> bool:
    """Whether a datagram arrived: sending one always succeeds."""
    line.setblocking(False)
    try:
        return bool(line.recv(16))
    except BlockingIOError:
        return False


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True
