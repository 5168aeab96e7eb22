"""The child that holds Spark's session (session.py): JSON lines in, JSON lines out, nothing secret in either.

What it says of a failure is the kind of the exception alone: Spark's texts go to its own log.
"""

from __future__ import annotations

import importlib
import json
import os
import secrets
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from enclos.stores.spark.executing import Serve, look_through
from enclos.stores.spark.session import CONNECT

if TYPE_CHECKING:
    import pyarrow as pa

_GENERATES_ITS_SECRET = ("yarn", "k8s", "local[", "local")


def main() -> None:
    """Hold a session until the input closes."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # nothing else speaks there
    lines = sys.stdin
    try:
        told = json.loads(lines.readline())
        session = _session(told["master"], told["conf"])
        serve: Serve = importlib.import_module(told["module"]).serve
        _say(out, {"ready": True})
    except Exception as error:  # noqa: BLE001 - said by its kind; the text is in the log
        traceback.print_exc()
        _say(out, {"failed": type(error).__name__})
        os._exit(1)
    for line in lines:
        job = json.loads(line)
        task = _task(job["hatch"], serve)
        threading.Thread(target=_run, args=(session, task, job["n_tasks"], out), daemon=True).start()
    with suppress(Exception):
        session.interruptAll()
    with suppress(Exception):
        session.stop()
    os._exit(0)


def _run(session: Any, task: Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]], n: int, out: Any) -> None:
    try:
        # A range has a row in each partition, and no data of its own in the plan.
        session.range(0, n, 1, n).mapInArrow(task, "id long").collect()
        _say(out, {"done": n})
    except Exception as error:  # noqa: BLE001 - as above
        traceback.print_exc()
        _say(out, {"failed": type(error).__name__})


def _task(told: str, serve: Serve) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return look_through(told, serve, batches)

    return task


def _session(master: str, conf: Mapping[str, str]) -> Any:
    if master.startswith(CONNECT):
        from pyspark.sql.connect.session import SparkSession as ConnectSession

        return ConnectSession.builder.remote(master).getOrCreate()
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    # The JVM first: settings that are given with it stand on its command line, where others see them.
    SparkContext._ensure_initialized()  # noqa: SLF001 - there is no other way to start it without settings
    builder = SparkSession.builder.master(master)
    for name, value in conf.items():
        builder = builder.config(name, value)
    if not master.startswith(_GENERATES_ITS_SECRET) or master.startswith("local-cluster"):
        builder = builder.config("spark.authenticate.secret", secrets.token_hex(32))
    return builder.getOrCreate()


def _say(out: Any, what: Mapping[str, object]) -> None:
    out.write(json.dumps(what) + "\n")
    out.flush()
