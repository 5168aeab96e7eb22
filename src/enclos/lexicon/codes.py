"""The closed list of refusal codes, by room: id, branch, rule with its source."""

from __future__ import annotations

from enum import Enum


class Branch(Enum):
    """What a caller can do about a refusal."""

    NOT_ALLOWED = "not allowed"
    NOT_AS_PROMISED = "not as promised"
    NOT_SAFE = "not safe"


_ALLOW, _PROMISE, _SAFE = Branch.NOT_ALLOWED, Branch.NOT_AS_PROMISED, Branch.NOT_SAFE


class Code(Enum):
    """A stable id, its branch and the rule it stands for. Ids are never reused."""

    # -- the enclosure and its stores (ENC)
    ENCLOSURE_MISSING = ("ENC-01", _PROMISE, "an enclosure is a folder with a valid enclos.toml [design § 5]")
    ENCLOSURE_EXISTS = ("ENC-02", _PROMISE, "init never overwrites an existing enclosure [design § 5]")
    ENCLOSURE_BUSY = ("ENC-03", _ALLOW, "one process at a time writes to an enclosure [design § 5]")
    STORAGE_FULL = ("ENC-04", _PROMISE, "a step that cannot be stored whole is not kept at all [design § 3.1]")
    STORAGE_BROKEN = ("ENC-05", _PROMISE, "stored data must read back as written [design § 3.1]")
    PASSPHRASE_WRONG = ("ENC-06", _ALLOW, "the key store opens only with its passphrase [design § 6]")
    KEY_MISSING = ("ENC-07", _PROMISE, "a destroyed or absent key makes its data unreadable [design § 3.4]")
    SETTINGS_BROKEN = ("ENC-08", _PROMISE, "enclos.toml holds known settings only [design § 5]")
    CLOCK_BEHIND = ("ENC-09", _PROMISE, "time never runs behind the last ledger entry [design § 3.8]")

    # -- deliveries and intake (DLV)
    # -- linkage and pseudonyms (LNK)
    # -- warehouse (WHS)
    # -- permits and views (PRM)
    # -- studies (STU)
    # -- release (REL)
    # -- ledger (LDG)
    LEDGER_UNWRITABLE = ("LDG-01", _PROMISE, "nothing runs that is not in the ledger first [design § 3.7]")
    LEDGER_MISSING = ("LDG-02", _PROMISE, "a ledger is begun once, at init, and never begun again [design § 3.7]")
    LEDGER_EXISTS = ("LDG-03", _PROMISE, "a ledger is never overwritten by a new one [design § 3.7]")
    LEDGER_DAMAGED = ("LDG-04", _PROMISE, "entries and tiles are as they were signed [RFC 6962 § 2.1; C2SP tlog-tiles]")
    LEDGER_UNSIGNED = ("LDG-05", _PROMISE, "a checkpoint bears the ledger's origin and signature [C2SP signed-note]")
    LEDGER_FORKED = ("LDG-06", _PROMISE, "a later checkpoint contains every earlier one [RFC 6962 § 2.1.2]")
    LEDGER_DISORDERED = ("LDG-07", _PROMISE, "time never runs back; an outcome follows its own intent [design § 3.7]")

    def __init__(self, id_: str, branch: Branch, rule: str) -> None:
        self.id = id_
        self.branch = branch
        self.rule = rule
