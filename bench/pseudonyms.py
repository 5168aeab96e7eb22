"""Level-one pseudonyms through a real token (SoftHSM2), against one CMAC call for each row in the same run.

Usage: pseudonyms.py [rows]; prints one JSON document. Times are of the processor, one core, so that a busy machine
changes the ratio little; ``seconds`` is the clock's. 10 000 000 rows take about 2 GiB.
"""

from __future__ import annotations

import hmac
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from enclos.lexicon.keys import BlockCipher, KeyName, KeyRole
from enclos.pseudonyms.secret_functions import identity_messages, level_one_pseudonyms
from enclos.pseudonyms.secret_functions.cmac import cmac_of_each
from enclos.stores.keys import LocalBlocks, read_token_uri
from enclos.stores.keys.token import TokenKeyStore

N_REFERENCE = 100_000
MODULE, PIN = "/usr/lib/softhsm/libsofthsm2.so", "482915"


def main() -> int:
    """Make identities, pseudonymise them in the token and row by row, print the ratio."""
    n_rows = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    nir, birth, sex = _identities(n_rows)
    with tempfile.TemporaryDirectory() as folder:
        cipher = _token_key(Path(folder))
        clock, started = perf_counter(), process_time()
        messages = identity_messages(nir, birth, sex)
        pseudonyms = level_one_pseudonyms(cipher, messages)
        seconds, on_the_clock = process_time() - started, perf_counter() - clock
        started = process_time()
        cmac_of_each(cipher, messages)
        in_token = process_time() - started
    rows_per_second = n_rows / seconds
    reference, hmac_reference = _row_by_row(messages)
    key = os.urandom(32)
    few = messages[: 1 << 16]
    one_by_one = [_cmac(key, bytes(row)) for row in few]
    same = [bytes(tag) for tag in cmac_of_each(LocalBlocks(key), few)] == one_by_one
    row = {
        "name": "level-one pseudonyms through the token, against one CMAC a row",
        "ratio": round(rows_per_second / reference, 2),
        "goal": 2.0,
        "met": bool(same and rows_per_second / reference >= 2.0),
        "n_rows": n_rows,
        "n_pseudonyms": len(pseudonyms),
        "cpu_seconds": round(seconds, 2),
        "seconds": round(on_the_clock, 2),
        "cpu_seconds_of_cmac": round(in_token, 2),
        "rows_per_second": round(rows_per_second),
        "reference_rows_per_second": round(reference),
        "hmac_sha256_rows_per_second": round(hmac_reference),
    }
    print(json.dumps([row]))
    return 0


def _identities(n_rows: int) -> tuple[pa.Array, pa.Array, pa.Array]:
    random = np.random.default_rng(1)
    sexes = random.integers(1, 3, n_rows)
    numbers = sexes * 10**12 + random.integers(0, 10**12, n_rows)
    days = np.datetime64("1920-01-01") + random.integers(0, 36_500, n_rows)
    return pa.array(numbers).cast(pa.string()), pa.array(days).cast(pa.string()), pa.array(sexes).cast(pa.string())


def _token_key(folder: Path) -> BlockCipher:
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    command = ["softhsm2-util", "--init-token", "--free", "--label", "bench", "--pin", PIN, "--so-pin", "73519264"]
    subprocess.run(command, check=True, capture_output=True)
    keys = TokenKeyStore.initialise(
        folder / "token.json", read_token_uri(f"pkcs11:token=bench?module-path={MODULE}"), PIN
    )
    name = KeyName(KeyRole.SOURCE, "bench")
    keys.create(name)
    return keys.blocks(name)


def _cmac(key: bytes, message: bytes) -> bytes:
    code = CMAC(AES(key))
    code.update(message)
    return code.finalize()


def _row_by_row(messages: np.ndarray) -> tuple[float, float]:
    """Rows a second of cryptography's CMAC and of Python's HMAC-SHA256, one call a row."""
    key, rows = os.urandom(32), [bytes(row) for row in messages[:N_REFERENCE]]
    started = process_time()
    for row in rows:
        _cmac(key, row)
    middle = process_time()
    for row in rows:
        hmac.digest(key, row, "sha256")
    ended = process_time()
    return len(rows) / (middle - started), len(rows) / (ended - middle)


if __name__ == "__main__":
    sys.exit(main())
