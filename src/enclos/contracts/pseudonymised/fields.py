"""The PMSI beside medicine: external care (ACE), rehabilitation (SSR), home (HAD), psychiatry (RIP).

The lines that several fields have are in one table a noun: what each is comes from the table that brought it.
"""

from __future__ import annotations

from enclos.contracts.columns import TableContract
from enclos.contracts.pseudonymised.columns import person_table

_STAY = {"stay_key": "BIGINT", "ETA_NUM": "VARCHAR", "EXE_SOI_DTD": "DATE", "EXE_SOI_DTF": "DATE"}
"""As for medicine; ``ETA_NUM`` is ETA_NUM_EPMSI in HAD and RIP."""
_MODES = {"ENT_MOD": "VARCHAR", "ENT_PRV": "VARCHAR", "SOR_MOD": "VARCHAR", "SOR_DES": "VARCHAR"}
_RETURN_CODES = dict.fromkeys(
    ("NIR_RET", "NAI_RET", "SEX_RET", "SEJ_RET", "FHO_RET", "PMS_RET", "DAT_RET", "COH_NAI_RET", "COH_SEX_RET"),
    "VARCHAR",
)

HEADERS: tuple[TableContract, ...] = (
    # T_MCOaaCSTC, one row per external care
    person_table(
        "ace", **_STAY, **dict.fromkeys(("NIR_RET", "NAI_RET", "SEX_RET", "IAS_RET", "ENT_DAT_RET"), "VARCHAR")
    ),
    # T_SSRaaB with T_SSRaaC, one row per week
    person_table(
        "ssr_b",
        **_STAY,
        RHS_NUM="VARCHAR",
        HOS_TYP_UM="VARCHAR",
        AUT_TYP_UM="VARCHAR",
        GRG_GME="VARCHAR",
        TYP_GEN_RHA="VARCHAR",
        FP_PEC="VARCHAR",
        MOR_PRP="VARCHAR",
        ETL_AFF="VARCHAR",
        **_MODES,
        **_RETURN_CODES,
    ),
    # T_HADaaB with T_HADaaC and the GHT of T_HADaaGRP, one row per sub-sequence
    person_table(
        "had_b",
        **_STAY,
        SEQ_NUM="VARCHAR",
        SSEQ_NUM="VARCHAR",
        SEQ_SEJ_NBJ="INTEGER",
        SSEQ_SEQ_NBJ="INTEGER",
        SSEQ_NBJ="INTEGER",
        DGN_PAL="VARCHAR",
        PEC_PAL="VARCHAR",
        GHT_NUM="VARCHAR",
        **_MODES,
        **_RETURN_CODES,
    ),
    # T_RIPaaRSA with T_RIPaaC, one row per sequence
    person_table(
        "rip_rsa",
        **_STAY,
        SEQ_SEQ_NUM="VARCHAR",
        DEL_DAT="INTEGER",
        SEQ_COU_NBJ="INTEGER",
        DGN_PAL="VARCHAR",
        FOR_ACT="VARCHAR",
        TYP_GEN_RSA="VARCHAR",
        **_MODES,
        **_RETURN_CODES,
    ),
)
"""What makes the stays of each field."""

LINES: tuple[TableContract, ...] = (
    # T_MCOaaFBSTC: one row per billed act of external care
    person_table("ace_b", stay_key="BIGINT", ACT_COD="VARCHAR"),
    # T_SSRaaD, T_HADaaD, T_HADaaDMPP, T_HADaaDMPA, T_RIPaaRSAD
    person_table("pmsi_diagnosis", stay_key="BIGINT", came_as="VARCHAR", place="VARCHAR", ASS_DGN="VARCHAR"),
    # T_MCOaaFMSTC, T_SSRaaCCAM, T_SSRaaCSARR, T_HADaaA, T_RIPaaCCAM
    person_table(
        "pmsi_act",
        stay_key="BIGINT",
        came_as="VARCHAR",
        vocabulary="VARCHAR",
        CDC_ACT="VARCHAR",
        PHA_ACT="VARCHAR",
        ACV_ACT="VARCHAR",
        sequence="VARCHAR",
        ENT_DAT_DEL="INTEGER",
        delay_from="VARCHAR",
        NBR_EXE_ACT="INTEGER",
    ),
    # T_MCOaaFLSTC: an analysis that was billed; its result is nowhere in the SNDS
    person_table("pmsi_analysis", stay_key="BIGINT", NABM_COD="VARCHAR", ACT_NBR="INTEGER", DEL_DAT_ENT="INTEGER"),
    # T_MCOaaMED, MEDATU, MEDTHROMBO, FH, FHSTC, T_SSRaaMED, MEDATU, T_HADaaMED, MEDATU, MEDCHL
    person_table(
        "pmsi_drug",
        stay_key="BIGINT",
        came_as="VARCHAR",
        list="VARCHAR",
        UCD_UCD_COD="VARCHAR",
        ADM_NBR="DOUBLE",
        DAT_DELAI="INTEGER",
    ),
    # T_MCOaaVALO: what the stay cost the sickness insurance, and the tariff that it was reckoned from
    person_table("mco_valo", stay_key="BIGINT", MNT_TOT_AM="DOUBLE", MNT_TOT_BR="DOUBLE"),
    # T_MCOaaDMIP
    person_table("pmsi_device", stay_key="BIGINT", TIP_PRS_IDE="VARCHAR", NBR_POS="DOUBLE", DELAI="INTEGER"),
)
"""What hangs on a stay of any field."""

FIELDS = (*HEADERS, *LINES)
