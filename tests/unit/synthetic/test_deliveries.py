"""What is delivered obeys the official layouts, and says of itself what is true."""

import csv
import gzip
import hashlib
import json
from datetime import date
from pathlib import Path

import pytest

from enclos.contracts.delivered.document import parse_delivery
from enclos.contracts.delivered.pmsi import MCO
from enclos.contracts.delivered.snds import NINE_KEYS, snds_columns
from enclos.contracts.delivered.tables import delivered_table
from enclos.contracts.delivered.years import later_columns
from enclos.synthetic.truth import OUTCOMES, outcome_concept
from enclos.synthetic.years import layout_of_year
from shared_data import shared
from unit.synthetic.conftest import Ask

KEYS = ", ".join(NINE_KEYS)


def documents(france: Path) -> list[tuple[Path, dict]]:
    return [(path.parent, json.loads(path.read_text())) for path in sorted(france.rglob("delivery.json"))]


def content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def test_the_deliveries_are_those_of_the_plan(france: Path) -> None:
    months = [f"{year}-{month:02d}" for year in (2019, 2020, 2021) for month in range(1, 13)]
    expected = {f"snds-dcir-{month}" for month in months if "2019-02" <= month <= "2021-06"}
    expected |= {"vocabulary", "snds-ref", "snds-pmsi-2019", "snds-pmsi-2020", "link-snds"}
    expected |= {f"{kind}hosp-{letter}" for kind in ("", "link-") for letter in "abcd"}
    assert {folder.name for folder, _ in documents(france)} == expected


def test_every_declared_file_is_there_with_its_hash_and_rows_and_no_other(france: Path) -> None:
    for folder, document in documents(france):
        delivery = parse_delivery(document)
        assert {file.path for file in delivery.files} | {"delivery.json"} == {path.name for path in folder.iterdir()}
        for file in delivery.files:
            assert hashlib.sha256((folder / file.path).read_bytes()).hexdigest() == file.sha256
            n_lines = content(folder / file.path).count(b"\n")
            assert n_lines == file.n_rows + (file.separator != ""), file.path


def test_every_column_belongs_to_the_layout_of_its_kind(france: Path) -> None:
    for folder, document in documents(france):
        delivery = parse_delivery(document)
        for file in delivery.files:
            table = delivered_table(delivery.kind, file.table)
            assert table is not None
            if not file.separator:
                continue
            header = content(folder / file.path).split(b"\n", 1)[0].decode().split(file.separator)
            assert set(header) <= set(table.columns.names), file.path
            assert {*table.keys, *table.needed} <= set(header), file.path


def _is_date(text: str, *, with_time: bool) -> bool:
    return date.fromisoformat(text[:10]).year >= 1600 and text[10:] == (" 00:00:00" if with_time else "")


def _fits(text: str, kind: str, length: str) -> bool:
    if kind == "date" and length == "2":  # a month
        kind = "month"
    by_kind = {
        "integer": lambda: text.lstrip("-").isdigit(),
        "year": lambda: len(text) == 4 and text.isdigit(),
        "number": lambda: text.lstrip("-").replace(".", "", 1).isdigit(),
        "month": lambda: 1 <= int(text) <= 12,
        "date": lambda: _is_date(text, with_time=False),
        "datetime": lambda: _is_date(text, with_time=True),
        "boolean": lambda: text in {"0", "1"},
        "string": lambda: len(text) <= int(length),
    }
    return text == "" or by_kind[kind]()


TOO_LONG = {("IR_BEN_R", "BEN_IDT_ANO")}
"""PSA and rank are 18 signs: the schema says 17 here and 18 in KI_CCI_R."""


@pytest.mark.parametrize(
    "family",
    [
        *("ER_PRS_F", "ER_PHA_F", "ER_CAM_F", "ER_ETE_F", "IR_BEN_R", "IR_IMB_R", "KI_CCI_R"),
        *("T_MCOaaB", "T_MCOaaC", "T_MCOaaA", "T_MCOaaD", "T_MCOaaUM"),
    ],
)
def test_every_value_has_the_type_and_length_of_the_official_schema(ask: Ask, family: str) -> None:
    """The schema beside the checkout, else the package's own list of the same columns, which knows no lengths."""
    schema = shared("snds", "schema", f"{family}.csv")
    if schema is None:
        official = {column.name: ("string", "99") for column in snds_columns()[family]}
    else:
        with schema.open(encoding="utf-8") as lines:
            official = {row["column"]: (row["type"], row["length"]) for row in csv.DictReader(lines)}
    names = [name for name in layout_of_year(family, 2019) if name not in later_columns().get(family, ())]
    assert set(names) <= set(official)
    view = family.replace("aa", "")
    for name in names:
        kind, length = official[name]
        for (text,) in ask(f'SELECT DISTINCT coalesce("{name}", \'\') FROM "{view}" LIMIT 3000'):
            assert _fits(str(text), kind, length) or (family, name) in TOO_LONG, f"{family}.{name}"


def test_prestations_are_unique_and_every_affined_row_has_one(ask: Ask) -> None:
    assert ask(f"SELECT count(*) - count(DISTINCT ({KEYS})) FROM ER_PRS_F") == [(0,)]
    for table in ("ER_PHA_F", "ER_CAM_F", "ER_ETE_F"):
        assert ask(f"SELECT count(*) > 0 FROM {table}") == [(True,)]
        assert ask(f"SELECT count(*) FROM {table} ANTI JOIN ER_PRS_F USING ({KEYS})") == [(0,)]


def test_a_line_comes_with_the_flux_that_its_delivery_names_one_to_nine_months_after_care(ask: Ask) -> None:
    assert ask(
        "SELECT count(*) FROM ER_PRS_F WHERE FLX_DIS_DTD <> regexp_extract(filename, 'dcir-(....-..)', 1) || '-01'"
    ) == [(0,)]
    months = "date_diff('month', EXE_SOI_DTD::DATE, FLX_DIS_DTD::DATE)"
    assert ask(f"SELECT min({months}), max({months}) FROM ER_PRS_F WHERE PRS_ACT_QTE::INT > 0") == [(1, 9)]
    within = ask(f"SELECT avg(({months} <= 6)::INT) FROM ER_PRS_F")[0][0]
    assert float(str(within)) > 0.99, "99 % of care is visible after six months (CNAM)"


def test_stays_are_unique_within_a_year_and_every_row_has_its_stay(ask: Ask) -> None:
    keys = ", ".join(MCO.stay_keys)
    year = "regexp_extract(filename, 'T_MCO(..)', 1)"
    assert ask(f"SELECT count(*) - count(DISTINCT ({keys}, {year})) FROM T_MCOB") == [(0,)]
    for letter in ("C", "A", "D", "UM"):
        assert ask(
            f"SELECT count(*) FROM (SELECT {keys}, {year} AS year FROM T_MCO{letter}) "
            f"ANTI JOIN (SELECT {keys}, {year} AS year FROM T_MCOB) USING ({keys}, year)"
        ) == [(0,)]
    assert ask(
        "SELECT count(*) FROM T_MCOC WHERE EXE_SOI_DTF < EXE_SOI_DTD "
        "OR EXE_SOI_DTF[3:4] <> regexp_extract(filename, 'T_MCO(..)', 1)"
    ) == [(0,)]
    assert ask("SELECT count(*) FROM T_MCOB WHERE right(SOR_ANN, 2) <> regexp_extract(filename, 'T_MCO(..)', 1)") == [
        (0,)
    ]


def test_nobody_has_care_before_birth_or_after_death(ask: Ask) -> None:
    persons = (
        "truth_identities AS i JOIN truth_persons AS p USING (true_person) "
        "WHERE i.source = 'snds' AND i.source_person_id = BEN_NIR_PSA || '/' || BEN_RNG_GEM"
    )
    assert ask(
        f"SELECT count(*) FROM ER_PRS_F, {persons} AND (EXE_SOI_DTD::DATE < birth_on OR EXE_SOI_DTD::DATE > death_on)"
    ) == [(0,)]
    assert ask(
        "SELECT count(*) FROM T_MCOC JOIN truth_identities AS i ON i.source_person_id = NIR_ANO_17 || '/' || RNG_NAI "
        "JOIN truth_persons AS p USING (true_person) WHERE EXE_SOI_DTD::DATE < birth_on OR EXE_SOI_DTF::DATE > death_on"
    ) == [(0,)]


def test_cancers_of_one_sex_are_treated_in_that_sex_and_results_have_a_unit_of_the_vocabulary(ask: Ask) -> None:
    assert ask("SELECT DISTINCT COD_SEX FROM T_MCOB WHERE DGN_REL = 'C61'") == [("1",)]
    assert ask("SELECT DISTINCT COD_SEX FROM T_MCOB WHERE DGN_REL = 'C509'") == [("2",)]
    assert ask("SELECT concept_id FROM CONCEPT WHERE vocabulary_id = 'UCUM' AND concept_code = 'U/L'") == [("8645",)]


def test_every_code_that_is_delivered_is_in_the_vocabulary_and_leads_to_a_standard_concept(ask: Ask) -> None:
    codes = {
        "CIM10": "SELECT DGN_PAL FROM T_MCOB UNION SELECT DGN_REL FROM T_MCOB UNION SELECT ASS_DGN FROM T_MCOD "
        "UNION SELECT MED_MTF_COD FROM IR_IMB_R UNION SELECT DCD_CIM_COD FROM KI_CCI_R "
        "UNION SELECT ECD_CIM_COD FROM KI_ECD_R "
        "UNION SELECT code_cim10 FROM DIAGNOSTIC",
        "CCAM": "SELECT CDC_ACT FROM T_MCOA UNION SELECT CAM_PRS_IDE FROM ER_CAM_F UNION SELECT code_ccam FROM ACTE",
        "CIP13": "SELECT PHA_PRS_C13 FROM ER_PHA_F WHERE PHA_PRS_C13 <> '0'",
        "UCD": "SELECT right(UCD_UCD_COD, 7) FROM ER_UCD_F",
        "NABM": "SELECT BIO_PRS_IDE FROM ER_BIO_F",
        "LPP": "SELECT TIP_PRS_IDE FROM ER_TIP_F WHERE TIP_PRS_IDE <> '9999999999999'",
        "ATC": "SELECT code_atc FROM ADMINISTRATION",
        "LOINC": "SELECT code_loinc FROM BIOLOGIE",
    }
    for vocabulary, used in codes.items():
        unmapped = ask(
            f"SELECT DISTINCT code FROM ({used}) AS used(code) WHERE code IS NOT NULL AND code NOT IN ("
            "SELECT replace(s.concept_code, '.', '') FROM CONCEPT AS s JOIN CONCEPT_RELATIONSHIP AS r "
            "ON r.concept_id_1 = s.concept_id AND r.relationship_id = 'Maps to' JOIN CONCEPT AS t "
            f"ON t.concept_id = r.concept_id_2 AND t.standard_concept = 'S' WHERE s.vocabulary_id = '{vocabulary}')"
        )
        assert unmapped == [], vocabulary
    for table, column in (
        ("person", "gender_concept_id"),
        ("condition_occurrence", "condition_concept_id"),
        ("condition_occurrence", "condition_source_concept_id"),
        ("drug_exposure", "drug_concept_id"),
        ("procedure_occurrence", "procedure_concept_id"),
        ("measurement", "measurement_concept_id"),
        ("measurement", "unit_concept_id"),
        ("visit_occurrence", "visit_concept_id"),
        ("visit_occurrence", "visit_type_concept_id"),
    ):
        known = "SELECT concept_id FROM CONCEPT"
        assert ask(f"SELECT DISTINCT {column} FROM {table} WHERE {column} NOT IN ({known})") == [], (table, column)


def test_the_hierarchy_is_closed_and_holds_the_outcomes(ask: Ask) -> None:
    assert ask(
        "SELECT count(*) FROM CONCEPT WHERE standard_concept <> '' AND concept_id NOT IN "
        "(SELECT ancestor_concept_id FROM CONCEPT_ANCESTOR WHERE ancestor_concept_id = descendant_concept_id)"
    ) == [(0,)]
    assert ask(
        "SELECT count(*) FROM CONCEPT_ANCESTOR AS a JOIN CONCEPT_ANCESTOR AS b "
        "ON a.descendant_concept_id = b.ancestor_concept_id LEFT JOIN CONCEPT_ANCESTOR AS c "
        "ON c.ancestor_concept_id = a.ancestor_concept_id AND c.descendant_concept_id = b.descendant_concept_id "
        "WHERE c.ancestor_concept_id IS NULL"
    ) == [(0,)]
    for outcome in OUTCOMES:
        below = ask(
            "SELECT replace(s.concept_code, '.', '') FROM CONCEPT_ANCESTOR AS a JOIN CONCEPT_RELATIONSHIP AS r "
            "ON r.concept_id_2 = a.descendant_concept_id AND r.relationship_id = 'Maps to' JOIN CONCEPT AS s "
            "ON s.concept_id = r.concept_id_1 AND s.vocabulary_id = 'CIM10' AND length(s.concept_code) > 3 "
            f"WHERE a.ancestor_concept_id = '{outcome_concept(outcome.name)}' ORDER BY 1"
        )
        assert set(outcome.codes) <= {code for (code,) in below}
        assert {str(code)[:3] for (code,) in below} == {outcome.codes[0][:3]}


def test_concept_ids_are_public_or_beyond_two_billion(ask: Ask) -> None:
    assert ask("SELECT count(*) - count(DISTINCT concept_id) FROM CONCEPT") == [(0,)]
    assert ask("SELECT DISTINCT vocabulary_id FROM CONCEPT WHERE concept_id::BIGINT < 2000000000 ORDER BY 1") == [
        (name,)
        for name in (
            *("Condition Status", "Currency", "Domain", "Gender", "LOINC", "None", "Relationship", "RxNorm"),
            *("SNOMED", "Type Concept", "UCUM", "Visit"),
        )
    ]
    reference = shared("omop", "gibleed", "concept.parquet")
    if reference is not None:  # where GiBleed knows an id, it means the same
        assert (
            ask(
                f"SELECT c.concept_id FROM CONCEPT AS c JOIN '{reference}' AS g ON g.concept_id = c.concept_id::BIGINT "
                "WHERE g.concept_code <> c.concept_code AND g.vocabulary_id = c.vocabulary_id"
            )
            == []
        )
