"""Make the list of used passwords that Enclos carries: digests of the most used ones that are long enough for it.

    python tools/used_passwords.py LIST

LIST has a password a line, the most used first. The one in the package was made from the million most used of ten
million passwords of breaches (xato-net, Mark Burnett, 2015), as OWASP SecLists keeps it under the MIT licence. No
password is in the package: what is kept of each is six bytes of a digest, in order.
"""

from __future__ import annotations

import sys
from pathlib import Path

from enclos.signin.rules.passwords import DIGEST_BYTES, FEWEST_SIGNS, used_digest
from enclos.stores.used_passwords import LIST

MOST = 20_000


def main(source: str) -> None:
    """Write the list into the package."""
    found: dict[bytes, None] = {}
    with Path(source).open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            password = line.rstrip("\r\n")
            if len(password) >= FEWEST_SIGNS:
                found.setdefault(used_digest(password))
            if len(found) == MOST:
                break
    out = Path(__file__).resolve().parents[1] / "src" / "enclos" / "stores" / "data" / LIST
    out.write_bytes(b"".join(sorted(found)))
    print(f"{len(found)} passwords, {len(found) * DIGEST_BYTES} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
