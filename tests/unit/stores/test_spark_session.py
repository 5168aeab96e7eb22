"""Why Spark did not start is said, whatever its dying processes do to the folder that they wrote to."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread, Timer
from time import sleep

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.stores.spark.session import SparkPlace, SparkSession


def test_a_spark_that_does_not_start_is_said_while_its_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spark's driver is no child of ours: killed, it may write and remove for a moment more."""
    scratch, is_dead = tmp_path / "scratch", Event()
    scratch.mkdir()
    for n in range(2000):
        (scratch / f"before {n}").touch()

    def write() -> None:
        n = 0
        with suppress(FileNotFoundError):  # it is gone
            while not is_dead.is_set():
                (scratch / str(n)).touch()
                n += 1

    with monkeypatch.context() as without:
        without.setattr(sys, "path", ["/nowhere"])  # its process finds no program
        session = SparkSession(SparkPlace("sc://127.0.0.1:1"), "none", scratch)
    driver, dies = Thread(target=write), Timer(0.3, is_dead.set)

    def fail() -> None:
        try:
            while True:
                session.look()
                sleep(0.02)
        finally:
            driver.start()
            dies.start()
            session.end()

    with pytest.raises(Refusal) as said:
        fail()
    driver.join()
    dies.join()
    assert said.value.code is Code.SPARK_FAILED
    assert not scratch.exists()
