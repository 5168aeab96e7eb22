"""delivery.json and the layouts: what is known is accepted, everything else is refused with its place."""

from __future__ import annotations

import json

import pytest

from enclos.contracts.delivered.document import Compression, Kind, format_of, parse_delivery
from enclos.contracts.delivered.naming import table_of_file
from enclos.contracts.delivered.snds import NINE_KEYS, snds_columns, snds_family
from enclos.contracts.delivered.tables import delivered_table, delivered_tables
from enclos.contracts.delivered.years import later_columns
from enclos.contracts.omop import VOCABULARY_TABLES
from enclos.contracts.pseudonymised import PSEUDONYMISED
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from shared_data import shared

FILE = {
    "path": "ER_PRS_F.csv.gz",
    "table": "ER_PRS_F",
    "sha256": "0" * 64,
    "n_rows": 3,
    "encoding": "utf-8",
    "separator": ";",
}
DOCUMENT = {
    "source": "snds",
    "kind": "snds-dcir",
    "period": {"start": "2019-01-01", "end": "2019-02-01"},
    "files": [FILE],
}


def with_file(**changes):
    return {**DOCUMENT, "files": [{**FILE, **changes}]}


def test_a_document_is_read_and_written_the_same():
    delivery = parse_delivery(DOCUMENT)
    assert parse_delivery(json.loads(delivery.canonical())) == delivery
    assert delivery.kind is Kind.SNDS_DCIR
    assert delivery.files[0].compression is Compression.GZIP
    assert delivery.files[0].quote == '"'


def test_the_order_of_files_and_the_spelling_of_an_encoding_make_no_other_delivery():
    other = {**FILE, "path": "ER_PHA_F.csv", "table": "ER_PHA_F"}
    one = parse_delivery({**DOCUMENT, "files": [FILE, other]})
    two = parse_delivery({**DOCUMENT, "files": [{**other, "encoding": "UTF-8"}, FILE]})
    assert one.delivery_id == two.delivery_id
    assert one.delivery_id != parse_delivery(DOCUMENT).delivery_id


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {**DOCUMENT, "kind": "snds"},
        {**DOCUMENT, "source": "SNDS; DROP"},
        {**DOCUMENT, "files": []},
        {**DOCUMENT, "secret": 1},
        {**DOCUMENT, "period": {"start": "2019-02-01", "end": "2019-01-01"}},
        {**DOCUMENT, "period": {"start": "2019-02-30", "end": "2019-03-01"}},
        {**DOCUMENT, "files": [FILE, FILE]},
        with_file(path="../ER_PRS_F.csv.gz"),
        with_file(path="/etc/ER_PRS_F.csv"),
        with_file(path="ER_PRS_F.xlsx"),
        with_file(path="ER_PRS_F.ndjson", separator=""),
        with_file(sha256="abc"),
        with_file(n_rows=-1),
        with_file(n_rows="3"),
        with_file(separator="|"),
        with_file(separator=""),
        with_file(table=None),
        with_file(resource="Patient"),
        with_file(quote="'"),
    ],
)
def test_anything_else_is_refused(document):
    with pytest.raises(NotAsPromised) as refused:
        parse_delivery(document)
    assert refused.value.code is Code.DELIVERY_MALFORMED


def test_all_faults_are_told_at_once_by_place_and_without_values():
    bad = {**DOCUMENT, "source": "Jean Dupont", "files": [{**FILE, "sha256": "ff", "n_rows": None}]}
    with pytest.raises(NotAsPromised) as refused:
        parse_delivery(bad)
    text = str(refused.value)
    assert "source" in text and "files[0].sha256" in text and "files[0].n_rows" in text
    assert "Dupont" not in text


def test_an_unknown_encoding_has_its_own_refusal():
    with pytest.raises(NotAsPromised) as refused:
        parse_delivery(with_file(encoding="utf-16"))
    assert refused.value.code is Code.ENCODING_UNKNOWN
    assert "files[0].encoding" in str(refused.value)


@pytest.mark.parametrize(("name", "known"), [("a.csv", True), ("A.CSV.GZ", True), ("x.tsv", False), ("LICENSE", False)])
def test_a_file_name_says_the_format(name, known):
    assert (format_of(name) is not None) is known


def test_yearly_tables_obey_their_family():
    assert snds_family("T_MCO19B") == "T_MCOaaB"
    table = delivered_table(Kind.SNDS_PMSI, "t_mco19um")
    assert table is not None
    assert (table.name, table.family) == ("T_MCO19UM", "T_MCOaaUM")
    assert delivered_table(Kind.SNDS_PMSI, "T_MCOaaB") is None  # says no year
    assert delivered_table(Kind.SNDS_PMSI, "ER_PRS_F") is None


def test_keys_are_columns_of_the_layout_in_every_table():
    for kind in Kind:
        for table in delivered_tables(kind).values():
            assert set(table.keys) | set(table.needed) <= set(table.columns.names), table.name


def test_finess_and_stay_numbers_are_text_everywhere_since_corsica_has_letters():
    for name, columns in snds_columns().items():
        types = {column.name: column.sql_type for column in columns}
        assert types.get("ETA_NUM", "VARCHAR") == "VARCHAR", name
        assert types.get("RSA_NUM", "VARCHAR") == "VARCHAR", name


def test_the_columns_that_cross_can_be_delivered():
    sources = {
        "prs": "ER_PRS_F",
        "pha": "ER_PHA_F",
        "cam": "ER_CAM_F",
        "ben": "IR_BEN_R",
        "imb": "IR_IMB_R",
        "cci": "KI_CCI_R",
    }
    ours = {"person_id", "bucket", "source", "executant_key"}
    establishment = {column.name for column in snds_columns()["ER_ETE_F"]}
    prestation = {column.name for column in snds_columns()["ER_PRS_F"]}
    for into, family in sources.items():
        delivered = {column.name for column in snds_columns()[family]} | establishment | prestation
        assert set(PSEUDONYMISED[into].names) - ours <= delivered, into


def test_omop_5_3_spellings_are_known():
    table = delivered_table(Kind.OMOP, "VISIT_OCCURRENCE")
    assert table is not None
    assert table.official("ADMITTING_SOURCE_CONCEPT_ID") == "admitting_source_concept_id"
    assert table.keys == ("visit_occurrence_id", "person_id")


@pytest.mark.parametrize(
    ("kind", "path", "table"),
    [
        (Kind.FHIR_BULK, "Condition.000.ndjson", "Condition"),
        (Kind.FHIR_BULK, "out/MedicationRequest.ndjson.gz", "MedicationRequest"),
        (Kind.VOCABULARY, "CONCEPT_ANCESTOR.csv", "concept_ancestor"),
        (Kind.VOCABULARY, "CONCEPT.csv", "concept"),
        (Kind.SNDS_DCIR, "ER_PRS_F_2019-01.csv.gz", "ER_PRS_F"),
        (Kind.SNDS_PMSI, "t_mco20d.csv", "T_MCO20D"),
        (Kind.OMOP, "drug_exposure.parquet", "drug_exposure"),
        (Kind.OMOP, "drug_exposures.parquet", None),
        (Kind.OMOP, "readme.csv", None),
    ],
)
def test_a_file_is_known_by_its_name(kind, path, table):
    found = table_of_file(kind, path)
    assert (found.name if found else None) == table


def test_the_layouts_agree_with_the_official_schema_where_it_is_at_hand():
    """Without the reference data, the nine keys and vocabulary tables are still held against the contracts."""
    assert all({column.name for column in snds_columns()[t]} >= set(NINE_KEYS) for t in ("ER_PRS_F", "ER_PHA_F"))
    assert set(delivered_tables(Kind.VOCABULARY)) == {*VOCABULARY_TABLES, "atc_ddd"}
    folder = shared("snds", "schema")
    if folder is not None:
        for name, columns in snds_columns().items():
            text = (folder / f"{name}.csv").read_text(encoding="utf-8")
            younger = later_columns().get(name, ())
            assert all(column.name in text for column in columns if column.name not in younger), name
