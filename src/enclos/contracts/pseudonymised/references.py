"""The national references: beneficiaries, long-term illnesses, deaths."""

from __future__ import annotations

from enclos.contracts.pseudonymised.columns import person_table

REFERENCES = (
    # IR_BEN_R, one row per (BEN_NIR_PSA, BEN_RNG_GEM); a person may have several
    person_table(
        "ben",
        BEN_SEX_COD="INTEGER",
        BEN_NAI_ANN="INTEGER",
        BEN_NAI_MOI="INTEGER",
        BEN_DCD_DTE="DATE",
        BEN_RES_DPT="VARCHAR",
        BEN_RES_COM="VARCHAR",
        BEN_DTE_INS="DATE",
        MAX_TRT_DTD="DATE",
    ),
    # IR_IMB_R, one row per long-term illness entitlement
    person_table(
        "imb",
        IMB_ALD_DTD="DATE",
        IMB_ALD_DTF="DATE",
        IMB_ALD_NUM="INTEGER",
        IMB_ETM_NAT="INTEGER",
        MED_MTF_COD="VARCHAR",
        INS_DTE="DATE",
    ),
    # KI_CCI_R, one row per death certificate
    person_table("cci", BEN_DCD_DTE="DATE", DCD_CIM_COD="VARCHAR"),
)
