"""The fields of the PMSI: what makes a stay in each, and which of its tables Enclos reads.

Source: schema-snds (Health Data Hub, commit fe17ef8, end of 2020); CNAM, Essentiel SNDS.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PmsiField:
    """One field: medicine (MCO), its external care (ACE), rehabilitation (SSR), home (HAD) or psychiatry (RIP)."""

    name: str
    stay_keys: tuple[str, str]
    """What joins the tables of one year: the hospital's FINESS and the stay's number."""
    chaining: str
    """The table that says whose the stay is."""
    tables: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The tables that are read, each with the columns that must be there."""


MCO = PmsiField(
    "MCO",
    ("ETA_NUM", "RSA_NUM"),
    "T_MCOaaC",
    {
        "T_MCOaaB": ("DGN_PAL",),
        "T_MCOaaC": ("NIR_ANO_17",),
        "T_MCOaaA": ("CDC_ACT",),
        "T_MCOaaD": ("ASS_DGN",),
        "T_MCOaaUM": (),
        "T_MCOaaMED": ("UCD_UCD_COD",),
        "T_MCOaaMEDATU": ("UCD_UCD_COD",),
        "T_MCOaaMEDTHROMBO": ("UCD_UCD_COD",),
        "T_MCOaaFH": (),
        "T_MCOaaDMIP": (),
        "T_MCOaaVALO": ("MNT_TOT_AM",),
    },
)
ACE = PmsiField(
    "ACE",
    ("ETA_NUM", "SEQ_NUM"),
    "T_MCOaaCSTC",
    {
        "T_MCOaaCSTC": ("NIR_ANO_17",),
        "T_MCOaaFBSTC": ("ACT_COD",),
        "T_MCOaaFMSTC": ("CCAM_COD",),
        "T_MCOaaFLSTC": ("NABM_COD",),
        "T_MCOaaFHSTC": (),
    },
)
SSR = PmsiField(
    "SSR",
    ("ETA_NUM", "RHA_NUM"),
    "T_SSRaaC",
    {
        "T_SSRaaC": ("NIR_ANO_17",),
        "T_SSRaaB": ("RHS_NUM",),
        "T_SSRaaD": ("DGN_COD",),
        "T_SSRaaCCAM": ("CCAM_ACT",),
        "T_SSRaaCSARR": ("CSARR_COD",),
        "T_SSRaaMED": ("UCD_UCD_COD",),
        "T_SSRaaMEDATU": (),
    },
)
HAD = PmsiField(
    "HAD",
    ("ETA_NUM_EPMSI", "RHAD_NUM"),
    "T_HADaaC",
    {
        "T_HADaaC": ("NIR_ANO_17",),
        "T_HADaaB": ("DGN_PAL",),
        "T_HADaaD": ("DGN_ASS",),
        "T_HADaaDMPP": ("DGN_ASS_MPP",),
        "T_HADaaDMPA": ("DGN_ASS_MPA",),
        "T_HADaaA": ("CCAM_COD",),
        "T_HADaaGRP": ("GHT_NUM",),
        "T_HADaaMED": ("UCD_UCD_COD",),
        "T_HADaaMEDATU": ("UCD_UCD_COD",),
        "T_HADaaMEDCHL": ("UCD_UCD_COD",),
    },
)
RIP = PmsiField(
    "RIP",
    ("ETA_NUM_EPMSI", "RIP_NUM"),
    "T_RIPaaC",
    {
        "T_RIPaaC": ("NIR_ANO_17",),
        "T_RIPaaRSA": ("DGN_PAL",),
        "T_RIPaaRSAD": ("ASS_DGN",),
        "T_RIPaaCCAM": ("CDC_ACT",),
    },
)
FIELDS: tuple[PmsiField, ...] = (MCO, ACE, SSR, HAD, RIP)

NEVER_CHAINED = frozenset({"T_RIPaaR3A", "T_RIPaaR3AD"})
"""Psychiatry's ambulatory acts: they bear a hospital's own irreversible number (IPP_IRR_CRY) and lead to no person."""

PREFIXES = ("T_MCOaa", "T_SSRaa", "T_HADaa", "T_RIPaa")
"""How the names of all their tables begin."""
