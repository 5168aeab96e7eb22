"""Spark's own process: a child of this one that holds a session and starts jobs. It is told no secret of ours.

Its environment is made anew, its closures hold the hatch alone (hatch.py), and what it writes on this machine lies in a
folder that goes when it ends. It ends when this process does, however it ends: its input closes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.stores.files import remove_tree_of_dying, storage_border

CONNECT = "sc://"
_LOCAL = "local"
_MODEST_JAVA = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
_SECONDS_TO_END = 20
_SECONDS_TO_DIE = 5.0
"""Spark's driver is nobody's child here: it is killed, and it is not waited for."""
_START = "import sys; sys.path[:] = {path!r}; from enclos.stores.spark.driver import main; main()"
_KEPT = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "JAVA_HOME", "HADOOP_CONF_DIR", "YARN_CONF_DIR", "HADOOP_HOME",
    "SPARK_CONF_DIR", "SPARK_DIST_CLASSPATH", "KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT",
    "KRB5_CONFIG", "KRB5CCNAME", "SSL_CERT_FILE", "SPARK_CONNECT_AUTHENTICATE_TOKEN",
})  # fmt: skip
"""What of this process's environment Spark may see: where things are, and how it knows itself to its cluster."""


@dataclass(frozen=True, slots=True)
class SparkPlace:
    """A cluster.

    In: master — as Spark writes it (``local-cluster[2,1,1024]``, ``yarn``, ``k8s://…``), or ``sc://…`` of a Spark
        Connect server; address, port — where executors reach this process; port 0 is any; python — the
        interpreter on executors; conf — Spark's own settings, each ``name=value``; log — a file for what Spark says
    """

    master: str
    address: str = "127.0.0.1"
    port: int = 0
    python: str = ""
    conf: tuple[str, ...] = ()
    log: Path | None = None

    @property
    def is_connect(self) -> bool:
        """Whether a server that runs already is asked."""
        return self.master.startswith(CONNECT)

    @property
    def is_here(self) -> bool:
        """Whether executors are processes of this machine."""
        return self.master.startswith(_LOCAL)


class SparkSession:
    """A session that starts when this is made, without waiting for it.

    In: module — whose ``serve`` tasks run; scratch — a folder that is nobody else's
    """

    def __init__(self, place: SparkPlace, module: str, scratch: Path) -> None:
        self._scratch = scratch
        self._failed = ""
        self._ending = False
        with storage_border("Spark's files"):
            environment = _environment(place, scratch)
            log = (place.log or scratch / "spark.log").open("ab")
        start = _START.format(path=[each for each in sys.path if each])
        with log:
            self._child = subprocess.Popen(  # noqa: S603 - a fixed command
                [sys.executable, "-c", start],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=scratch,
                env=environment,
                start_new_session=True,
            )
        self._say({"master": place.master, "conf": _conf(place, environment), "module": module})
        self._listener = threading.Thread(target=self._listen, name="enclos-spark", daemon=True)
        self._listener.start()

    def __repr__(self) -> str:
        return "SparkSession()"

    def run(self, told: str, n_tasks: int) -> None:
        """Start a job of so many tasks, each of which comes to the hatch that is told; does not wait for it."""
        self._say({"hatch": told, "n_tasks": n_tasks})

    def look(self) -> None:
        """See that it goes on.

        Refuses: SPARK_FAILED
        """
        if self._failed and not self._ending:
            raise refusal(
                Code.SPARK_FAILED,
                f"Spark stopped with {self._failed}.",
                "See what it says in the file that `log` names in the section [spark], then run it again.",
            )

    def end(self) -> None:
        """End session and child, and remove what they wrote here."""
        self._ending = True
        if self._child.stdin is not None:
            with suppress(OSError):
                self._child.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(_SECONDS_TO_END)
        # The group holds Spark's driver too, which may outlive the child that started it.
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        self._listener.join()
        if self._child.stdout is not None:
            self._child.stdout.close()
        remove_tree_of_dying(self._scratch, _SECONDS_TO_DIE)

    def _say(self, what: Mapping[str, Any]) -> None:
        if self._child.stdin is None:
            raise AssertionError("the child has an input")
        with suppress(OSError):  # a child that is gone is noticed by ``look``
            self._child.stdin.write(json.dumps(what).encode() + b"\n")
            self._child.stdin.flush()

    def _listen(self) -> None:
        for line in self._child.stdout or ():
            with suppress(ValueError):
                said = json.loads(line)
                self._failed = self._failed or str(said.get("failed", ""))
        self._failed = self._failed or "no word"


def _environment(place: SparkPlace, scratch: Path) -> dict[str, str]:
    """What Spark's processes on this machine see; its folders are made."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT}
    temporary, local = scratch / "tmp", scratch / "local"
    for folder in (temporary, local):
        folder.mkdir(parents=True, exist_ok=True)
    python = place.python or sys.executable
    environment = kept | {
        "LC_ALL": "C.UTF-8",
        "PYSPARK_PYTHON": python,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "TMPDIR": str(temporary),
        "SPARK_LOCAL_DIRS": str(local),
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
        "PYSPARK_SUBMIT_ARGS": f'--driver-java-options "{_MODEST_JAVA}" pyspark-shell',
    }
    if not place.is_connect:
        environment["SPARK_HOME"] = str(_home(scratch))
    if place.is_here:
        environment |= {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "127.0.0.1"}
    return environment


def _home(scratch: Path) -> Path:
    """Spark as it is installed, but where workers write to is here."""
    import importlib.util

    found = importlib.util.find_spec("pyspark")
    if found is None or found.origin is None:
        raise refusal(
            Code.SPARK_FAILED, "Spark is not installed here.", "Install the extra: pip install 'enclos[spark]'."
        )
    home = scratch / "home"
    home.mkdir()
    for each in Path(found.origin).parent.iterdir():
        if each.name != "work":
            (home / each.name).symlink_to(each)
    return home


def _conf(place: SparkPlace, environment: Mapping[str, str]) -> dict[str, str]:
    """Spark's settings: ours where nothing else is said, then the enclosure's, then what is not up for choice."""
    given = dict(each.split("=", 1) for each in place.conf)
    if place.is_connect:
        return given
    chosen = {
        "spark.app.name": "enclos",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.task.maxFailures": "8",
        "spark.executorEnv.OPENBLAS_NUM_THREADS": "1",
        # A JVM that only starts tasks: it need not be quick, and it need not compile itself.
        "spark.executor.extraJavaOptions": _MODEST_JAVA,
    }
    if place.is_here:
        chosen |= {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.executorEnv.PYTHONPATH": os.pathsep.join(each for each in sys.path if each),
            "spark.executorEnv.TMPDIR": environment["TMPDIR"],
        }
    must = {
        "spark.authenticate": "true",
        "spark.network.crypto.enabled": "true",
        "spark.io.encryption.enabled": "true",
        "spark.python.worker.faulthandler.enabled": "false",
    }
    return chosen | given | must
