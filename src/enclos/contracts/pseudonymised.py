"""What crosses the wall: records of persons without any identity.

The vault wing writes these tables, the research wing reads them; neither knows anything else of the other.
Each row carries ``person_id`` (a keyed number below 2**43), ``bucket`` (``person_id % n_buckets``) and ``source``
(the delivery's source id). Stay and visit keys are keyed hashes, meaningless outside. No NIR, no source
pseudonym, no patient id, no name, no exact row key of a delivery is a column here: a test holds the list.

Columns keep their official (French) names where the source is the SNDS; hospital records, whose formats differ,
come in one shape (``h_*``); an OMOP delivery keeps OMOP's names (``omop_*``), identities replaced.
"""

from __future__ import annotations

from enclos.contracts.columns import Column, TableContract
from enclos.contracts.omop import PERSON_TABLES, SHARED_TABLES, VOCABULARY_TABLES, omop_tables

_PERSON = (Column("person_id", "BIGINT", True), Column("bucket", "INTEGER", True), Column("source", "VARCHAR", True))


def _table(name: str, **columns: str) -> TableContract:
    return TableContract(name, (*_PERSON, *(Column(column, sql_type) for column, sql_type in columns.items())))


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

_STAY = {"stay_key": "BIGINT", "ETA_NUM": "VARCHAR", "EXE_SOI_DTD": "DATE", "EXE_SOI_DTF": "DATE"}
"""A PMSI stay: keyed hash of (year, ETA_NUM, RSA_NUM), FINESS, entry and exit."""

_SNDS = (
    # IR_BEN_R, one row per (BEN_NIR_PSA, BEN_RNG_GEM); a person may have several
    _table(
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
    _table(
        "imb",
        IMB_ALD_DTD="DATE",
        IMB_ALD_DTF="DATE",
        IMB_ALD_NUM="INTEGER",
        IMB_ETM_NAT="INTEGER",
        MED_MTF_COD="VARCHAR",
        INS_DTE="DATE",
    ),
    # KI_CCI_R, one row per death certificate
    _table("cci", BEN_DCD_DTE="DATE", DCD_CIM_COD="VARCHAR"),
    # ER_PRS_F, one row per prestation
    _table("prs", **_CARE, PRS_ACT_QTE="DOUBLE", PRS_PAI_MNT="DOUBLE", BSE_REM_MNT="DOUBLE"),
    # ER_PHA_F, one row per dispensed line
    _table("pha", **_CARE, PHA_PRS_C13="BIGINT", PHA_ACT_QSN="INTEGER"),
    # ER_CAM_F, one row per CCAM act line
    _table("cam", **_CARE, CAM_PRS_IDE="VARCHAR", CAM_ACT_COD="VARCHAR", CAM_TRT_PHA="INTEGER", PRS_ACT_QTE="DOUBLE"),
    # T_MCOaaB with T_MCOaaC, one row per stay
    _table(
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
    _table("mco_d", **_STAY, ASS_DGN="VARCHAR"),
    _table(
        "mco_um",
        **_STAY,
        UM_ORD_NUM="INTEGER",
        DGN_PAL="VARCHAR",
        DGN_REL="VARCHAR",
        AUT_TYP1_UM="VARCHAR",
        PAR_DUR_SEJ="INTEGER",
    ),
    _table(
        "mco_a",
        **_STAY,
        CDC_ACT="VARCHAR",
        PHA_ACT="VARCHAR",
        ACV_ACT="VARCHAR",
        ENT_DAT_DEL="INTEGER",
        NBR_EXE_ACT="INTEGER",
    ),
)

_HOSPITAL = (
    # sex: F, M or U
    _table("h_patient", sex="VARCHAR", birth_on="DATE", death_on="DATE"),
    # class: inpatient, outpatient, emergency, home
    _table("h_visit", visit_key="BIGINT", visit_class="VARCHAR", start_at="TIMESTAMP", end_at="TIMESTAMP"),
    # rank: DP, DR, DAS or empty; vocabulary: CIM10, SNOMED…
    _table(
        "h_condition",
        visit_key="BIGINT",
        vocabulary="VARCHAR",
        code="VARCHAR",
        rank="VARCHAR",
        start_on="DATE",
        end_on="DATE",
    ),
    _table("h_procedure", visit_key="BIGINT", vocabulary="VARCHAR", code="VARCHAR", done_on="DATE"),
    # kind: administration, prescription, dispensing, immunisation
    _table(
        "h_drug",
        visit_key="BIGINT",
        vocabulary="VARCHAR",
        code="VARCHAR",
        kind="VARCHAR",
        start_at="TIMESTAMP",
        end_at="TIMESTAMP",
        quantity="DOUBLE",
    ),
    # unit: UCUM
    _table(
        "h_lab",
        visit_key="BIGINT",
        vocabulary="VARCHAR",
        code="VARCHAR",
        taken_at="TIMESTAMP",
        value="DOUBLE",
        unit="VARCHAR",
        range_low="DOUBLE",
        range_high="DOUBLE",
    ),
)

_IDENTIFYING = frozenset({"person_id", "person_source_value", "provider_id", "provider_source_value"})


def _omop_table(name: str) -> TableContract:
    """An OMOP table as delivered, without what identifies; original row ids stay, to keep links between rows."""
    columns = tuple(Column(c.name, c.sql_type) for c in omop_tables()[name] if c.name not in _IDENTIFYING)
    if name in PERSON_TABLES:
        return TableContract(f"omop_{name}", (*_PERSON, *columns))
    return TableContract(f"omop_{name}", (Column("source", "VARCHAR", True), *columns))


PSEUDONYMISED: dict[str, TableContract] = {
    table.name: table
    for table in (
        *_SNDS,
        *_HOSPITAL,
        *(_omop_table(name) for name in PERSON_TABLES),
        *(_omop_table(name) for name in SHARED_TABLES if name != "provider"),
    )
}
"""Every table that may cross, by name. ``omop_location``, ``omop_care_site``, ``omop_cdm_source`` and
``omop_metadata`` hold no person and have no bucket."""

VOCABULARY: dict[str, TableContract] = {name: omop_tables()[name] for name in VOCABULARY_TABLES}
"""Vocabulary tables cross as they are: they hold no person."""
