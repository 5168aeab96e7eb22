"""Hospital stays of the PMSI."""

from __future__ import annotations

from enclos.contracts.pseudonymised.columns import person_table

_STAY = {"stay_key": "BIGINT", "ETA_NUM": "VARCHAR", "EXE_SOI_DTD": "DATE", "EXE_SOI_DTF": "DATE"}
"""A PMSI stay: keyed hash of (year, ETA_NUM, RSA_NUM), FINESS, entry and exit."""

STAYS = (
    # T_MCOaaB with T_MCOaaC, one row per stay
    person_table(
        "mco_b",
        **_STAY,
        SEJ_NBJ="INTEGER",
        DGN_PAL="VARCHAR",
        DGN_REL="VARCHAR",
        ENT_MOD="VARCHAR",
        ENT_PRV="VARCHAR",
        SOR_MOD="VARCHAR",
        SOR_DES="VARCHAR",
        GRG_GHM="VARCHAR",
        NBR_SEA="INTEGER",
        SEJ_TYP="VARCHAR",
        TYP_GEN_RSA="INTEGER",
        NIR_RET="VARCHAR",
        NAI_RET="VARCHAR",
        SEX_RET="VARCHAR",
        SEJ_RET="VARCHAR",
        FHO_RET="VARCHAR",
        PMS_RET="VARCHAR",
        DAT_RET="VARCHAR",
        COH_NAI_RET="VARCHAR",
        COH_SEX_RET="VARCHAR",
    ),
    # T_MCOaaD, one row per associated diagnosis; T_MCOaaUM, one row per medical unit; T_MCOaaA, one row per act
    person_table("mco_d", **_STAY, ASS_DGN="VARCHAR"),
    person_table(
        "mco_um",
        **_STAY,
        UM_ORD_NUM="INTEGER",
        DGN_PAL="VARCHAR",
        DGN_REL="VARCHAR",
        AUT_TYP1_UM="VARCHAR",
        PAR_DUR_SEJ="INTEGER",
    ),
    person_table(
        "mco_a",
        **_STAY,
        CDC_ACT="VARCHAR",
        PHA_ACT="VARCHAR",
        ACV_ACT="VARCHAR",
        ENT_DAT_DEL="INTEGER",
        NBR_EXE_ACT="INTEGER",
    ),
)
