"""Serving an enclosure to the public, and to people who sign in, by two processes.

The one that answers knows two folders of public files and nothing else: no passphrase, no key. The other opens the
enclosure while the register may have to be renewed and, where people can sign in, for what they ask.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

import anyio
import anyio.to_thread
import uvicorn

from enclos.app.enclosure import Enclosure, open_enclosure
from enclos.app.faults import tell_faults_of
from enclos.app.keys import Passphrase
from enclos.app.paths import EnclosurePaths
from enclos.app.register import renew_register
from enclos.app.settings import read_settings
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.portal.opened import Opened
from enclos.portal.people import People
from enclos.stores.files import lock_exclusive, storage_border

_SECONDS_TO_END = 10
_GIVEN = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZ", "TMPDIR")
"""What the answering process is given of the environment: nothing that could hold a secret."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where readers come in.

    In: certificate, key — PEM files; without them it is plain http, on this machine alone
    """

    host: str = "127.0.0.1"
    port: int = 8400
    certificate: Path | None = None
    key: Path | None = None

    @property
    def is_tls(self) -> bool:
        """Whether readers come by https."""
        return self.certificate is not None


def serve_public(
    directory: Path,
    passphrase: Passphrase,
    door: Door,
    *,
    catalogue: bool,
    about: Path | None,
    every: float,
    began: Callable[[dict[str, Any]], None],
    refused: Callable[[Refusal], None],
) -> None:
    """Serve the register and the ledger until the process is told to end (SIGTERM, SIGINT).

    In: every — seconds between looks at whether the register must be renewed; began — told the addresses once they
        answer; refused — told when the register cannot be renewed: the last one is served on
    Refuses: SERVE_PLACE when the address cannot be had; ENCLOSURE_BUSY when the enclosure is served already; at the
        start, what a register or a description is refused for.
    """
    paths = EnclosurePaths(directory)
    stopped = Event()

    def renew(opening: Callable[[], AbstractContextManager[Enclosure]]) -> tuple[bytes, date]:
        seen = _seen(paths)
        with opening() as enclosure:
            renew_register(enclosure, paths.published, catalogue=catalogue, about=about)
        return seen

    def alone() -> AbstractContextManager[Enclosure]:
        return open_enclosure(directory, passphrase)

    read_settings(directory)  # no folder is made where there is no enclosure
    with lock_exclusive(paths.published / ".lock"), _listening(door) as listening:
        seen = renew(alone)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        addresses = _addresses(door, listening)
        place, opening = None, alone
        with ExitStack() as stack:
            if _tells_who(directory):
                place, opening = stack.enter_context(_people(directory, passphrase, str(addresses["address"])))
            answering = _answer(paths, door, listening, place)
            try:
                began(addresses)
                while not stopped.wait(every):
                    if place is None and _tells_who(directory):
                        # the first account: who answers the public is told where people sign in
                        place, opening = stack.enter_context(_people(directory, passphrase, str(addresses["address"])))
                        _end(answering)
                    if answering.poll() is not None:
                        answering = _answer(paths, door, listening, place)
                    if _seen(paths) != seen:
                        try:
                            seen = renew(opening)
                        except Refusal as error:
                            refused(error)
            finally:
                _end(answering)


def _tells_who(directory: Path) -> bool:
    """Whether a provider or an account says who anybody is; settings that cannot be read now name none yet."""
    try:
        chosen = read_settings(directory).sign_in
    except Refusal:
        return False
    return chosen.issuer is not None or EnclosurePaths(directory).accounts.exists()


@contextmanager
def _people(
    directory: Path, passphrase: Passphrase, root: str
) -> Iterator[tuple[Path, Callable[[], AbstractContextManager[Enclosure]]]]:
    """The socket behind which people sign in, and the enclosure that is open for them."""
    chosen = read_settings(directory).sign_in
    opened = Opened(directory, passphrase)
    with TemporaryDirectory(prefix="enclos-") as folder, closing(opened), socket.socket(socket.AF_UNIX) as listening:
        place = Path(folder) / "people"  # the folder is this account's alone
        listening.bind(str(place))
        config = uvicorn.Config(
            People(opened, chosen.portal or root).application(),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_SECONDS_TO_END,
        )
        server = uvicorn.Server(config)
        tell_faults_of("people", "uvicorn", "asyncio")
        get_ready(opened)
        serving = Thread(target=server.run, kwargs={"sockets": [listening]})
        serving.start()
        try:
            opened.look_ahead()
            yield place, opened.enclosure
        finally:
            server.should_exit = True
            serving.join()


def get_ready(opened: Opened) -> None:
    """Have nobody's first page wait for what any page needs, and no page for what was loaded (decision 0153)."""
    anyio.run(anyio.to_thread.run_sync, opened.make_ready)  # which loads what requests are answered by, too
    gc.collect()
    gc.freeze()


def _seen(paths: EnclosurePaths) -> tuple[bytes, date]:
    """What tells whether the register may have something new to say: the ledger's end, and the day (permits end)."""
    with storage_border("the ledger"):
        return (paths.ledger / "checkpoint").read_bytes(), datetime.now(UTC).date()


@contextmanager
def _listening(door: Door) -> Iterator[socket.socket]:
    """The socket that readers come to; it outlives an answering process that dies."""
    try:
        listening = socket.create_server((door.host, door.port))
    except (OSError, OverflowError):
        raise refusal(
            Code.SERVE_PLACE, "The address cannot be listened at.", "Name a free port and an address of this machine."
        ) from None
    with listening:
        yield listening


def _answer(
    paths: EnclosurePaths, door: Door, listening: socket.socket, people: Path | None
) -> subprocess.Popen[bytes]:
    """Start the answering process; it ends when its standard input does, so also when this process is killed."""
    command = [sys.executable, "-m", "enclos.portal", "--fd", str(listening.fileno())]
    command += ["--registers", str(paths.published), "--ledger", str(paths.ledger)]
    if door.certificate is not None:
        command += ["--certificate", str(door.certificate), "--key", str(door.key)]
    if people is not None:
        command += ["--people", str(people)]
    known = {name: value for name, value in os.environ.items() if name in _GIVEN}
    return subprocess.Popen(command, stdin=subprocess.PIPE, env=known, pass_fds=[listening.fileno()])  # noqa: S603 - our own module


def _end(answering: subprocess.Popen[bytes]) -> None:
    if answering.stdin is not None:
        answering.stdin.close()
    try:
        answering.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        answering.kill()
        answering.wait()


def _addresses(door: Door, listening: socket.socket) -> dict[str, Any]:
    host = f"[{door.host}]" if ":" in door.host else door.host
    root = f"http{'s' if door.is_tls else ''}://{host}:{listening.getsockname()[1]}"
    return {"address": f"{root}/", "register": f"{root}/register/", "ledger": f"{root}/ledger"}
