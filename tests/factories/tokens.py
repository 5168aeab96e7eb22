"""Real SoftHSM2 tokens (Debian's softhsm2) in a folder of their own, made once by each test process."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")
LABELS = ("enclos-test", "access-body", "ledger-keeper", "pseudonym-keeper", "untouched")
"""All of them are made at once: a module that was loaded does not see tokens that come later."""
PIN = "482915"


@cache
def module() -> str:
    """The module's path, with its configuration set for this process and its children; it must be there."""
    found = next((path for path in MODULES if Path(path).is_file()), None)
    assert found, "softhsm2 is not installed: apt-get install softhsm2 (make test does it for root)"
    folder = Path(tempfile.mkdtemp(prefix="enclos-tokens-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    lines = (f"directories.tokendir = {folder / 'tokens'}", "objectstore.backend = file", "log.level = ERROR")
    configuration.write_text("\n".join(lines) + "\n")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    for label in LABELS:
        command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "73519264"]
        subprocess.run(command, check=True, capture_output=True)
    return found


def token_folder() -> Path:
    """Where SoftHSM2 keeps this process's tokens."""
    module()
    return Path(os.environ["SOFTHSM2_CONF"]).parent


def token(label: str = "enclos-test") -> str:
    """The PKCS#11 URI of a token that is set up."""
    assert label in LABELS
    return f"pkcs11:token={label}?module-path={module()}"
