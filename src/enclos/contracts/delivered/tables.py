"""The layout of every table that may be delivered, by kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from enclos.contracts.columns import Column, TableContract
from enclos.contracts.delivered import pmsi
from enclos.contracts.delivered.document import Kind
from enclos.contracts.delivered.fhir import FHIR_R4_TYPES
from enclos.contracts.delivered.snds import NINE_KEYS, snds_columns, snds_family
from enclos.contracts.delivered.years import older_names, year_of_table
from enclos.contracts.durations import ATC_DDD
from enclos.contracts.omop import OMOP_53_NAMES, VOCABULARY_TABLES, omop_tables, primary_keys


@dataclass(frozen=True, slots=True)
class DeliveredTable:
    """How a delivered table must look.

    ``keys`` must be there and filled in every row; ``needed`` must be there; any other column may be left out.
    """

    name: str
    family: str
    columns: TableContract
    keys: tuple[str, ...]
    needed: tuple[str, ...] = ()

    def official(self, column: str) -> str | None:
        """The official spelling of a column's name, or None when the layout has no such column.

        A name that the table's year gave to a column of today stands for it: UM_TYP in T_MCO09UM is AUT_TYP1_UM.
        """
        name, year = column.strip().lower(), year_of_table(self.name)
        older = older_names(self.family, year).get(name) if year else None
        return older or _spellings(self.columns).get(name)


@cache
def _spellings(columns: TableContract) -> dict[str, str]:
    return {name.lower(): name for name in columns.names}


WITHOUT_EVENTS: tuple[str, ...] = (
    "ER_ANO_F",
    "ER_ARO_F",
    "ER_CPT_F",
    "ER_DCT_F",
    "ER_DTR_F",
    "ER_INV_F",
    "ER_LOT_F",
    "ER_RAT_F",
    "ER_TRS_F",
)
"""Affined claims tables that tell of payment, transport or recovery and of no clinical event: accepted, counted, not
mapped."""

_SNDS: dict[Kind, dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    Kind.SNDS_DCIR: {
        "ER_PRS_F": (NINE_KEYS, ("BEN_NIR_PSA", "BEN_RNG_GEM", "EXE_SOI_DTD", "PRS_NAT_REF")),
        "ER_PHA_F": (NINE_KEYS, ("PHA_PRS_C13", "PHA_ACT_QSN")),
        "ER_CAM_F": (NINE_KEYS, ("CAM_PRS_IDE",)),
        "ER_ETE_F": (NINE_KEYS, ()),
        "ER_UCD_F": (NINE_KEYS, ("UCD_UCD_COD",)),
        "ER_BIO_F": (NINE_KEYS, ("BIO_PRS_IDE",)),
        "ER_TIP_F": (NINE_KEYS, ("TIP_PRS_IDE",)),
        **dict.fromkeys(WITHOUT_EVENTS, (NINE_KEYS, ())),
    },
    Kind.SNDS_PMSI: {
        # every other official table of the PMSI is taken too, landed and accounted for as not mapped
        **{name: ((), ()) for name in snds_columns() if name.startswith(pmsi.PREFIXES)},
        **{name: (field.stay_keys, needed) for field in pmsi.FIELDS for name, needed in field.tables.items()},
    },
    Kind.SNDS_REF: {
        "IR_BEN_R": (("BEN_NIR_PSA", "BEN_RNG_GEM"), ("BEN_IDT_ANO", "BEN_SEX_COD", "BEN_NAI_ANN")),
        "IR_BEN_R_ARC": (("BEN_NIR_PSA", "BEN_RNG_GEM"), ("BEN_IDT_ANO", "BEN_SEX_COD", "BEN_NAI_ANN")),
        "IR_IMB_R": (("BEN_NIR_PSA", "BEN_RNG_GEM"), ("IMB_ALD_DTD",)),
        "IR_ORC_R": (("BEN_NIR_PSA", "BEN_RNG_GEM"), ("BEN_CTA_TYP",)),
        "IR_MAT_R": (("BEN_NIR_PSA", "BEN_RNG_GEM"), ("BEN_GRS_DTE",)),
        "KI_CCI_R": (("DCD_IDT_ENC",), ("BEN_IDT_ANO", "BEN_DCD_DTE", "DCD_CIM_COD")),
        "KI_ECD_R": (("DCD_IDT_ENC",), ("ECD_CIM_COD",)),
    },
}
"""Key columns and needed columns of the SNDS tables, by kind and family."""

_LAID_OUT_AS = {"IR_BEN_R_ARC": "IR_BEN_R"}
"""Tables with the columns of another one."""


def _own(name: str, keys: Iterable[str], needed: Iterable[str] = (), **columns: str) -> DeliveredTable:
    contract = TableContract(name, tuple(Column(column, sql_type) for column, sql_type in columns.items()))
    return DeliveredTable(name, name, contract, tuple(keys), tuple(needed))


_PLAIN: dict[Kind, tuple[DeliveredTable, ...]] = {
    # docs/hospital-csv.md
    Kind.HOSPITAL_CSV: (
        _own(
            "PATIENT",
            ["patient_id"],
            ["sex", "birth_date"],
            patient_id="VARCHAR",
            sex="VARCHAR",
            birth_date="DATE",
            death_date="DATE",
        ),
        _own(
            "SEJOUR",
            ["sejour_id", "patient_id"],
            ["entree", "sortie"],
            sejour_id="VARCHAR",
            patient_id="VARCHAR",
            entree="TIMESTAMP",
            sortie="TIMESTAMP",
            mode="VARCHAR",
            finess="VARCHAR",
        ),
        _own(
            "DIAGNOSTIC",
            ["patient_id"],
            ["sejour_id", "code_cim10"],
            sejour_id="VARCHAR",
            patient_id="VARCHAR",
            code_cim10="VARCHAR",
            rang="VARCHAR",
        ),
        _own(
            "ACTE",
            ["patient_id"],
            ["sejour_id", "code_ccam"],
            sejour_id="VARCHAR",
            patient_id="VARCHAR",
            code_ccam="VARCHAR",
            date="DATE",
        ),
        _own(
            "ADMINISTRATION",
            ["patient_id"],
            ["sejour_id", "code_atc", "debut"],
            sejour_id="VARCHAR",
            patient_id="VARCHAR",
            code_atc="VARCHAR",
            debut="TIMESTAMP",
            fin="TIMESTAMP",
            quantite="DOUBLE",
        ),
        _own(
            "BIOLOGIE",
            ["patient_id"],
            ["sejour_id", "code_loinc", "date_heure", "valeur"],
            sejour_id="VARCHAR",
            patient_id="VARCHAR",
            code_loinc="VARCHAR",
            date_heure="TIMESTAMP",
            valeur="DOUBLE",
            unite_ucum="VARCHAR",
            borne_inf="DOUBLE",
            borne_sup="DOUBLE",
        ),
    ),
    Kind.LINK: (
        _own(
            "LINK_HOSPITAL",
            ["source", "patient_id", "id_temp"],
            source="VARCHAR",
            patient_id="VARCHAR",
            id_temp="VARCHAR",
        ),
        _own(
            "LINK_THIRD_PARTY",
            ["source", "id_temp", "third_party", "id_third"],
            source="VARCHAR",
            id_temp="VARCHAR",
            third_party="VARCHAR",
            id_third="VARCHAR",
        ),
        _own(
            "LINK_SNDS",
            ["source", "id_temp", "BEN_NIR_PSA", "BEN_RNG_GEM"],
            source="VARCHAR",
            id_temp="VARCHAR",
            BEN_NIR_PSA="VARCHAR",
            BEN_RNG_GEM="BIGINT",
        ),
    ),
}

_VOCABULARY_KEYS = {
    "concept": ("concept_id",),
    "vocabulary": ("vocabulary_id",),
    "domain": ("domain_id",),
    "concept_class": ("concept_class_id",),
    "concept_relationship": ("concept_id_1", "concept_id_2", "relationship_id"),
    "relationship": ("relationship_id",),
    "concept_synonym": ("concept_id",),
    "concept_ancestor": ("ancestor_concept_id", "descendant_concept_id"),
    "source_to_concept_map": ("source_code", "source_vocabulary_id", "target_concept_id"),
    "drug_strength": ("drug_concept_id", "ingredient_concept_id"),
}


def _omop(table: str) -> DeliveredTable:
    current = omop_tables()[table]
    renamed = OMOP_53_NAMES.get(table, {})
    older = tuple(Column(old, current.column(new).sql_type) for old, new in renamed.items())
    columns = TableContract(table, (*(Column(c.name, c.sql_type) for c in current), *older))
    if table in _VOCABULARY_KEYS:
        return DeliveredTable(table, table, columns, _VOCABULARY_KEYS[table])
    person = ("person_id",) if "person_id" in current.names else ()
    own = primary_keys().get(table)
    wanted = () if own is None or table == "metadata" else (own,)  # metadata_id came with 5.4
    return DeliveredTable(table, table, columns, tuple(dict.fromkeys((*wanted, *person))))


@cache
def delivered_tables(kind: Kind) -> dict[str, DeliveredTable]:
    """Every table of a kind, by family name in lower case; yearly tables stand under their family."""
    if kind in _SNDS:
        tables = [
            DeliveredTable(name, name, TableContract(name, snds_columns()[_LAID_OUT_AS.get(name, name)]), keys, needed)
            for name, (keys, needed) in _SNDS[kind].items()
        ]
    elif kind is Kind.FHIR_BULK:
        columns = (Column("id", "VARCHAR"), Column("resource", "VARCHAR"))
        tables = [DeliveredTable(name, name, TableContract(name, columns), ("id",)) for name in FHIR_R4_TYPES]
    elif kind is Kind.OMOP:
        tables = [_omop(name) for name in omop_tables()]
    elif kind is Kind.VOCABULARY:
        tables = [_omop(name) for name in VOCABULARY_TABLES]
        tables.append(DeliveredTable(ATC_DDD.name, ATC_DDD.name, ATC_DDD, ("atc_code", "ddd_value", "ddd_unit")))
    else:
        tables = list(_PLAIN[kind])
    return {table.family.lower(): table for table in tables}


def delivered_table(kind: Kind, name: str) -> DeliveredTable | None:
    """The layout of a table by its delivered name (case does not matter), or None when the kind has no such table.

    A yearly table (T_MCO19B) obeys its family (T_MCOaaB) and keeps its own name; so does a year of archived claims
    (ER_PRS_F_2012).
    """
    if kind is Kind.SNDS_DCIR and snds_family(name.upper()) != name.upper():
        archived = delivered_tables(kind).get(snds_family(name.upper()).lower())
        return archived and DeliveredTable(
            name.upper(), archived.family, archived.columns, archived.keys, archived.needed
        )
    if kind is not Kind.SNDS_PMSI:
        return delivered_tables(kind).get(name.lower())
    yearly = name.upper()
    found = delivered_tables(kind).get(snds_family(yearly).lower())
    if found is None or found.family.upper() == yearly:  # the family's own name says no year
        return None
    return DeliveredTable(yearly, found.family, found.columns, found.keys, found.needed)
