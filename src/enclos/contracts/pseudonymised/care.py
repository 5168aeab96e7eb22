"""Town care of the DCIR: prestations, and what hangs on each by the nine keys."""

from __future__ import annotations

from enclos.contracts.pseudonymised.columns import person_table

_CARE = {
    "FLX_DIS_DTD": "DATE",
    "EXE_SOI_DTD": "DATE",
    "EXE_SOI_DTF": "DATE",
    "PRS_NAT_REF": "INTEGER",
    "BSE_PRS_NAT": "INTEGER",
    "DPN_QLF": "INTEGER",
    "PRS_DPN_QLP": "INTEGER",
    "CPL_MAJ_TOP": "INTEGER",
    "CPL_AFF_COD": "INTEGER",
    "PSE_SPE_COD": "INTEGER",
    "PSE_ACT_NAT": "INTEGER",
    "PSP_SPE_COD": "INTEGER",
    "PSP_ACT_NAT": "INTEGER",
    "ETE_IND_TAA": "INTEGER",
    "ETE_MCO_DDP": "VARCHAR",
    "ETB_EXE_FIN": "VARCHAR",
    "executant_key": "BIGINT",  # keyed hash of PFS_EXE_NUM
}
"""The context of one prestation (ER_PRS_F joined on the nine keys with ER_ETE_F), carried by each of its lines."""

CARE = (
    # ER_PRS_F, one row per prestation
    person_table(
        "prs",
        **_CARE,
        PRS_ACT_QTE="DOUBLE",
        PRS_PAI_MNT="DOUBLE",
        BSE_REM_MNT="DOUBLE",
        CPL_REM_MNT="DOUBLE",
        RGM_GRG_COD="INTEGER",
        RGM_COD="INTEGER",
        BEN_AMA_COD="INTEGER",
    ),
    # ER_PHA_F, one row per dispensed line
    person_table(
        "pha",
        **_CARE,
        PHA_PRS_C13="BIGINT",
        PHA_PRS_IDE="BIGINT",
        PHA_ACT_QSN="INTEGER",
        PHA_DEC_TOP="VARCHAR",
        PHA_DEC_QSU="INTEGER",
    ),
    # ER_CAM_F, one row per CCAM act line
    person_table(
        "cam", **_CARE, CAM_PRS_IDE="VARCHAR", CAM_ACT_COD="VARCHAR", CAM_TRT_PHA="INTEGER", PRS_ACT_QTE="DOUBLE"
    ),
    # ER_UCD_F, one row per hospital drug billed beside the stay, or handed out by a hospital's pharmacy
    person_table("ucd", **_CARE, UCD_UCD_COD="VARCHAR", UCD_DLV_NBR="INTEGER"),
    # ER_BIO_F, one row per analysis paid for; no result
    person_table("bio", **_CARE, BIO_PRS_IDE="INTEGER", BIO_ACT_QSN="INTEGER"),
    # ER_TIP_F, one row per device or service of the LPP
    person_table(
        "tip",
        **_CARE,
        TIP_PRS_IDE="BIGINT",
        TIP_ACT_QSN="INTEGER",
        TIP_PRS_TYP="INTEGER",
        TIP_ACL_DTD="DATE",
        TIP_ACL_DTF="DATE",
    ),
)
