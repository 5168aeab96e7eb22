"""Spark on this machine for tests: two executors that are processes of their own, and what they leave behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

from enclos.stores.spark.session import _MODEST_JAVA, _home

LOCAL_CLUSTER = "spark:local-cluster[2,1,1024]"
_READ_AT_ONCE = 64 << 20


def with_spark(home: Path, *conf: str, **said: object) -> Path:
    """Give an enclosure a section [spark]; the file for what Spark says."""
    log = home.parent / "spark.log"
    file = home / "enclos.toml"
    before = file.read_text(encoding="utf-8").partition("\n[spark]")[0]
    lines = [f"{name} = {value!r}" for name, value in {"log": str(log), "memory_limit_mb": 1024, **said}.items()]
    file.write_text("\n".join([before, "[spark]", *lines, f"conf = {list(conf)!r}", ""]), encoding="utf-8")
    return log


@dataclass(frozen=True)
class Process:
    """A process that descends from this one: its number, its command line, and that of whoever started it."""

    pid: int
    line: bytes
    parent: int


def processes(word: str) -> list[Process]:
    """The processes that descend from this one and have the word in their command lines."""
    all_, children = {}, defaultdict(list)
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((place / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[1])
            all_[int(place.name)] = Process(int(place.name), (place / "cmdline").read_bytes(), parent)
        except OSError:
            continue
        children[parent].append(int(place.name))
    found, left = [], [os.getpid()]
    while left:
        left += (own := children.get(left.pop(), []))
        found += [all_[child] for child in own]
    return [each for each in found if word.encode() in each.line]


def beside_executors() -> list[Process]:
    """The Python processes that Spark starts, without their children, which look at buckets."""
    found = processes(PYTHON)
    starters = {each.pid: each.parent for each in found}
    return [each for each in found if starters.get(each.parent) not in starters]


@contextmanager
def connect_server(folder: Path) -> Iterator[str]:
    """A Spark Connect server with two executors, as its owner would start it; its master's name for ``--on``."""
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    conf = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.executorEnv.PYTHONPATH": os.pathsep.join(each for each in sys.path if each),
        "spark.executorEnv.TMPDIR": str(folder),
    }
    home = _home(folder)
    words = [str(home / "bin" / "spark-submit"), "--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
    words += ["--master", LOCAL_CLUSTER.removeprefix("spark:"), *(f"--conf={each}={conf[each]}" for each in conf)]
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME")},
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_HOSTNAME": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "TMPDIR": str(folder),
    }
    with (folder / "server.log").open("wb") as log:
        words += ["--conf", f"spark.driver.extraJavaOptions={_MODEST_JAVA}", "spark-internal"]
        server = subprocess.Popen(words, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            end = time.monotonic() + 180
            while not port_answers(port):
                assert server.poll() is None, (folder / "server.log").read_text(encoding="utf-8")[-3000:]
                assert time.monotonic() < end
                time.sleep(0.2)
            yield f"spark:sc://127.0.0.1:{port}"
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def port_answers(port: int) -> bool:
    """Whether somebody listens at a port of this machine."""
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


EXECUTOR, DRIVER, PYTHON = "CoarseGrainedExecutorBackend", "org.apache.spark.deploy.SparkSubmit", "pyspark.daemon"
"""What is in the command lines of executors, of Spark's driver, and of the Python processes beside executors."""


def memory(pid: int) -> Iterator[bytes]:
    """All that a process may write to of its memory, in pieces; nothing when it may not be read."""
    try:
        regions = Path(f"/proc/{pid}/maps").read_text(encoding="ascii").splitlines()
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as file:
            for region in regions:
                where, how, *_ = region.split()
                begin, end = (int(each, 16) for each in where.split("-"))
                if not how.startswith("rw"):
                    continue
                for at in range(begin, end, _READ_AT_ONCE):
                    try:
                        file.seek(at)
                        yield file.read(min(_READ_AT_ONCE, end - at))
                    except (OSError, ValueError, OverflowError):
                        break
    except (OSError, ProcessLookupError):
        return


def files(*folders: Path) -> Iterator[tuple[Path, bytes]]:
    """All files below the folders that are there and stay for as long as it takes to read them."""
    for folder in folders:
        for path in [folder] if folder.is_file() else list(folder.rglob("*")):
            try:
                if path.is_file() and not path.is_symlink():
                    yield path, path.read_bytes()
            except OSError:
                continue


@dataclass
class Search:
    """Looks for what must be nowhere, and remembers how many bytes of what it looked through."""

    secrets: list[bytes]
    n_bytes: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def through(self, what: str, content: bytes) -> None:
        """Look through some bytes."""
        self.n_bytes[what] += len(content)
        assert not any(secret in content for secret in self.secrets), what

    def process(self, what: str, process: Process) -> None:
        """Look through how a process was started."""
        self.through(f"{what} command", process.line)
        self.through(f"{what} environment", Path(f"/proc/{process.pid}/environ").read_bytes())

    def memory(self, what: str, process: Process) -> None:
        """Look through all that a process may write to."""
        for piece in memory(process.pid):
            self.through(f"{what} memory", piece)

    def pages(self, port: int) -> None:
        """Look through the pages that Spark shows."""
        for page in ("environment/", "executors/", "SQL/", "jobs/", "stages/", "api/v1/applications"):
            self.through(f"page {page}", _page(port, page))


def _page(port: int, page: str) -> bytes:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=5) as answer:
            content: bytes = answer.read()
            return content
    except (OSError, HTTPException):
        return b""
