"""Where a reader of the ledger stopped, and what it had read by then: the next process reads what is new alone.

It is believed where its code is right, keyed with the ledger's salt key, which a host does not have, and where the
ledger still begins with the tree that was read. Of an earlier one more is read; of any other, everything.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field

from enclos.ledger.ports import LedgerStore
from enclos.ledger.rules.ahead import Head
from enclos.ledger.rules.merkle import consistency_path, is_consistent
from enclos.ledger.steps.reading import nodes_of
from enclos.lexicon.canonical import canonical_bytes

_CODE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Bookmarks:
    """The bookmarks of one ledger, each by the name of its reader.

    In: key — for their codes
    """

    store: LedgerStore
    key: bytes = field(repr=False)

    def put(self, name: str, head: Head, content: bytes) -> None:
        """Keep what was read of the entries before a bundle, in the place of what was kept.

        Refuses: LEDGER_UNWRITABLE.
        """
        said = canonical_bytes({"name": name, "origin": head.origin, "root": head.root.hex(), "size": head.size})
        whole = said + b"\n" + content
        # not durable: what a power cut tears has another code
        self.store.write(_file(name), whole + self._code(whole), durable=False)

    def read(self, name: str, head: Head) -> tuple[int, bytes]:
        """How many entries were read, and what was kept of them; (0, nothing) where that is not to be believed.

        In: head — the ledger as it is now
        Refuses: LEDGER_DAMAGED when the ledger's tiles are.
        """
        sealed = self.store.read(_file(name)) or b""
        whole, code = sealed[:-_CODE_BYTES], sealed[-_CODE_BYTES:]
        if not hmac.compare_digest(code, self._code(whole)):
            return 0, b""
        said, _, content = whole.partition(b"\n")
        place = json.loads(said)
        size, root = int(place["size"]), bytes.fromhex(place["root"])
        if (place["name"], place["origin"]) != (name, head.origin) or size > head.size:
            return 0, b""
        path = consistency_path(size, head.size, nodes_of(self.store, head.size))
        return (size, content) if is_consistent(size, head.size, path, root, head.root) else (0, b"")

    def _code(self, whole: bytes) -> bytes:
        return hmac.digest(self.key, whole, hashlib.sha256)


def _file(name: str) -> str:
    return f"private/read/{name}"
