"""A process that opens keys leaves no core file, whatever its limits were and wherever the kernel sends cores."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import ctypes, resource, sys
from pathlib import Path
from enclos.app.keys import make_keys
from enclos.app.settings import KeysSection
resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
make_keys(Path(sys.argv[1]), KeysSection(), "a passphrase")
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


def test_core_files_are_off_once_keys_are_open(tmp_path):
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "(0, 0) 0", done.stderr  # 3 is PR_GET_DUMPABLE
