"""``enclos serve`` as it runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from factories.enclosure import ENCLOS, PASSPHRASE

SECONDS = 30
SECRETS = dict.fromkeys(["ENCLOS_PG_PASSWORD", "ENCLOS_PIN", "PIN_OF_THE_TOKEN", "ENCLOS_S3_SECRET"], "a secret too")


@contextmanager
def serving(home: Path, *arguments: object) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The command as it runs, and the addresses that it tells."""
    command = [str(ENCLOS), "serve", str(home), "--port", "0", "--every", "0.2", "--json", *map(str, arguments)]
    env = {**os.environ, **SECRETS, "ENCLOS_PASSPHRASE": PASSPHRASE}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        assert told, process.stderr.read() if process.stderr else ""
        try:
            yield process, json.loads(told)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(SECONDS)
