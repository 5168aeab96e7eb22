"""Entries with their proofs in one document, for whoever has no ledger at hand."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.ledger.model import Entry, Proof
from enclos.ledger.rules.entries import entry_bytes, parse_entry
from enclos.ledger.rules.merkle import is_included, leaf_hash
from enclos.ledger.rules.notes import read_checkpoint, read_verifying_key, verifying_key
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal


def entries_with_proofs(
    enclosure: Enclosure, indices: Sequence[int], read: Mapping[int, Entry] = MappingProxyType({})
) -> dict[str, Any]:
    """The entries as they were hashed, their proofs, and the checkpoint that all lead to, in the order asked for.

    In: read — entries of this ledger that the caller has read already; of the others each is sought where it is
    """
    proofs: list[Proof] = enclosure.ledger.prove_all(indices)
    entries = {index: read.get(index) or next(enclosure.ledger.entries(index))[1] for index in indices}
    return {
        "key": verifying_key(enclosure.ledger.origin, enclosure.ledger.public_key),
        "checkpoint": proofs[0].note.decode("utf-8"),
        "entries": [
            {
                "index": proof.index,
                "entry": entry_bytes(entries[proof.index]).decode("utf-8"),
                "path": [base64.b64encode(part).decode("ascii") for part in proof.path],
            }
            for proof in proofs
        ],
    }


def proved_entries(document: Mapping[str, Any], key: str) -> dict[int, Entry]:
    """The entries of such a document by index, each proved to be in the ledger that the key signed.

    In: key — the verifying key that the caller trusts; the one in the document is not believed
    Refuses: LEDGER_UNSIGNED; LEDGER_DAMAGED when an entry is not in the tree
    """
    origin, public_key = read_verifying_key(key)
    try:
        checkpoint = read_checkpoint(document["checkpoint"].encode("utf-8"), origin, public_key)
        found = {}
        for row in document["entries"]:
            data, path = row["entry"].encode("utf-8"), [base64.b64decode(part, validate=True) for part in row["path"]]
            if not is_included(row["index"], checkpoint.size, leaf_hash(data), path, checkpoint.root):
                raise ValueError
            found[row["index"]] = parse_entry(data)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise refusal(
            Code.LEDGER_DAMAGED, "An entry is not in the ledger that was signed.", "Report it to the access body."
        ) from None
    return found
