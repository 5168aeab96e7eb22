"""No identity of a synthetic France is a value of any cell that crosses the wall."""

from __future__ import annotations

import pytest

from enclos.contracts.delivered.document import Kind
from enclos.contracts.pseudonymised import PSEUDONYMISED
from enclos.synthetic import make_france
from factories.deliveries import open_vault

IDENTITIES = {
    (Kind.SNDS_REF, "IR_BEN_R"): ("BEN_NIR_PSA", "BEN_NIR_ANO", "BEN_IDT_ANO"),
    (Kind.SNDS_REF, "KI_CCI_R"): ("DCD_IDT_ENC", "BEN_IDT_ANO"),
    (Kind.SNDS_DCIR, "ER_PRS_F"): ("BEN_NIR_PSA", "PFS_EXE_NUM", "PFS_PRE_NUM"),
    (Kind.SNDS_PMSI, "T_MCOaaC"): ("NIR_ANO_17", "RSA_NUM"),
    (Kind.SNDS_PMSI, "T_MCOaaCSTC"): ("NIR_ANO_17", "SEQ_NUM"),
    (Kind.SNDS_PMSI, "T_SSRaaC"): ("NIR_ANO_17", "RHA_NUM"),
    (Kind.SNDS_PMSI, "T_HADaaC"): ("NIR_ANO_17", "RHAD_NUM"),
    (Kind.SNDS_PMSI, "T_RIPaaC"): ("NIR_ANO_17", "RIP_NUM"),
    (Kind.FHIR_BULK, "Patient"): ("id",),
    (Kind.FHIR_BULK, "Encounter"): ("id",),
    (Kind.FHIR_BULK, "Condition"): ("id",),
    (Kind.HOSPITAL_CSV, "PATIENT"): ("patient_id",),
    (Kind.HOSPITAL_CSV, "SEJOUR"): ("sejour_id",),
    (Kind.OMOP, "person"): ("person_source_value",),
    (Kind.LINK, "LINK_HOSPITAL"): ("id_temp", "patient_id"),
    (Kind.LINK, "LINK_SNDS"): ("id_temp", "BEN_NIR_PSA"),
}
SHORTEST = 7
"""Shorter texts are no identities, and would be found by chance."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    folder = tmp_path_factory.mktemp("borders")
    make_france(folder / "france", 2000, (2019, 2019), 5)
    with open_vault(folder / "enclosure") as opened:
        for delivery in sorted((folder / "france" / "deliveries").iterdir()):
            opened.accept(delivery)
        yield opened


def test_no_identity_is_a_value_of_a_cell_that_crossed(bench):
    selects = []
    for (kind, family), columns in IDENTITIES.items():
        rows = bench.landing.relation(kind.value, family, columns)
        selects += [f"SELECT CAST({column} AS VARCHAR) AS identity FROM {rows}" for column in columns]
    bench.engine.execute(
        f"CREATE TEMP TABLE identities AS SELECT DISTINCT identity FROM ({' UNION ALL '.join(selects)}) "
        f"WHERE length(identity) >= {SHORTEST}"
    )
    assert bench.engine.scalar("SELECT count(*) FROM identities") > 2000
    bench.link()
    account = bench.cross()
    assert sum(table.n_crossed for table in account.tables) > 10_000
    zone = bench.crossing
    for name in zone.tables():
        columns = PSEUDONYMISED.get(name, ())  # a vocabulary holds no person
        for column in (c.name for c in columns if c.sql_type == "VARCHAR"):  # numbers are alike by chance
            found = bench.engine.scalar(
                f'SELECT count(*) FROM {zone.relation(name, None)} SEMI JOIN identities ON identity = "{column}"'
            )
            assert found == 0, (name, column)


def test_the_synthetic_france_crosses_with_every_row_accounted_for(bench):
    bench.link()
    account = bench.cross()
    assert all(table.is_balanced for table in account.tables)
    reasons = {reason for table in account.tables for reason in table.left_behind}
    known = {"no_person", "twins_untold", "not_mapped", "no_stay", "no_prestation", "superseded"}
    assert reasons <= known | {"fictitious_nir", "no_event", "never_chained"}
