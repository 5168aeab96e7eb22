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

    def __init__(self, id_: str, branch: Branch, rule: str) -> None:
        self.id = id_
        self.branch = branch
        self.rule = rule
