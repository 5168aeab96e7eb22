"""The process of one piece of long work (``process.py``)."""

from __future__ import annotations

import json
import os
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO

from enclos.app.enclosure import open_enclosure
from enclos.app.jobs.kept import files_of_work
from enclos.app.jobs.model import HOUSE, stopped
from enclos.app.jobs.process import listen_for_stop
from enclos.app.jobs.works import WORKS, Told
from enclos.lexicon.refusals import Refusal

_NICER = 10
"""By how much work gives way to who asks for a page."""
_MORE_LIKELY = "500"
"""When memory ends, the kernel ends work first, not the process that serves."""
_EVERY_SECONDS = 0.1


def main() -> None:
    """Do what standard input says."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing else speaks there
    told: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    stop = threading.Event()
    threading.Thread(target=listen_for_stop, args=(stop,), daemon=True).start()
    os.nice(_NICER)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_MORE_LIKELY, encoding="ascii")
    try:
        _say(out, {"done_as": _done(told, stop, out)})
    except Refusal as refused:
        _say(out, {"refused": [refused.code.id, refused.what, refused.next_step]})
    os._exit(0)


def _done(told: dict[str, Any], stop: threading.Event, out: BinaryIO) -> str:
    """Do it and keep what came of it; the run, if it is one."""
    last, files = 0.0, dict[str, bytes]()

    def report(step: str, done: float, note: str = "") -> None:
        nonlocal last
        also()
        if monotonic() - last >= _EVERY_SECONDS or done >= 1:
            last = monotonic()
            _say(out, {"step": step, "done": round(done, 4), "note": note})

    def also() -> None:
        if stop.is_set():
            raise stopped()

    def keep(name: str, content: bytes) -> None:
        files[name] = content

    work, user, permit = WORKS[told["work"]], told["user"], told["permit"]
    with open_enclosure(Path(told["folder"]), told["passphrase"]) as enclosure:
        acting = enclosure if permit != HOUSE else replace(enclosure, acting=user)
        result = work.act(Told(acting, user, permit, told["given"], report, also, keep))
        kept = files_of_work(enclosure, permit)
        for name, content in files.items():
            kept.keep_file(told["job"], name, content)
        kept.keep_result(told["job"], result)
    return str(result.get("run", ""))


def _say(out: BinaryIO, document: dict[str, Any]) -> None:
    out.write(json.dumps(document, ensure_ascii=False).encode() + b"\n")
    out.flush()


if __name__ == "__main__":
    main()
