"""The national references: beneficiaries, long-term illnesses, complementary cover, pregnancies, deaths, mothers."""

from __future__ import annotations

from enclos.contracts.pseudonymised.columns import person_table

REFERENCES = (
    # IR_BEN_R and its archive IR_BEN_R_ARC, one row per (BEN_NIR_PSA, BEN_RNG_GEM); a person may have several
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
    # KI_ECD_R with the certificate it is of (KI_CCI_R), one row per line of a death certificate
    person_table("ecd", BEN_DCD_DTE="DATE", DCD_CIM_COD="VARCHAR", ECD_CIM_COD="VARCHAR"),
    # IR_ORC_R, one row per contract of complementary cover
    person_table("orc", BEN_CTA_TYP="INTEGER", MLL_CTA_DSD="DATE", MLL_CTA_DSF="DATE"),
    # IR_MAT_R, one row per pregnancy that was declared
    person_table("mat", BEN_GRS_DTE="DATE", BEN_DRA_AME="VARCHAR"),
    # T_MCOaaC of births, one row per stay of a child whose mother is known
    person_table("kin", mother_id="BIGINT"),
)
