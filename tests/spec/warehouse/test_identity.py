"""Whose line it is: from the identities of the SNDS to persons, and which identities are nobody's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from enclos.contracts.delivered.document import Kind
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from factories.deliveries import NINE, VaultBench, csv_text, open_vault, write_delivery
from factories.pseudonymised import ben, built, prestation

Row = Mapping[str, Any]


def holder(psa: str, rank: int, person: str | None, **changes: Any) -> dict[str, Any]:
    """A row of IR_BEN_R."""
    return {
        "BEN_NIR_PSA": psa,
        "BEN_RNG_GEM": rank,
        "BEN_NIR_ANO": None,
        "BEN_IDT_ANO": person,
        "BEN_CDI_NIR": "00",
        "BEN_SEX_COD": 2,
        "BEN_NAI_ANN": 1960,
    } | changes


def paid(number: int, psa: str, rank: int | None, **changes: Any) -> dict[str, Any]:
    """A row of ER_PRS_F."""
    return {
        **NINE,
        "PRS_ORD_NUM": number,
        "BEN_NIR_PSA": psa,
        "BEN_RNG_GEM": rank,
        "BEN_CDI_NIR": "00",
        "EXE_SOI_DTD": "2019-01-10",
        "PRS_NAT_REF": 1111,
    } | changes


class Country:
    """Deliveries that were accepted and crossed."""

    def __init__(self, bench: VaultBench) -> None:
        self._bench = bench
        self.account = {(t.table, t.into): t for t in bench.cross().tables}

    def left(self, table: str, into: str) -> dict[str, int]:
        return dict(self.account[table, into].left_behind)

    def persons(self, table: str) -> list[int]:
        return [person for (person,) in self._bench.crossed(table, "person_id")]

    def person(self, key: str) -> int | None:
        return self._bench.persons().get(("snds", key))


@pytest.fixture
def country(tmp_path: Path):
    def make(kinds: Mapping[str, Mapping[str, Sequence[Row]]]) -> Country:
        for kind, tables in kinds.items():
            files = {f"{name}.csv": csv_text(rows) for name, rows in tables.items()}
            bench.accept(write_delivery(tmp_path / kind, kind, "snds", files))
        return Country(bench)

    with open_vault(tmp_path / "enclosure") as bench:
        yield make


def test_a_person_has_one_number_under_each_parent_and_under_the_own_insurance(country) -> None:
    """BEN_IDT_ANO, the hash of the own NIR, names the person whatever pseudonym the insured gave."""
    found = country(
        {
            "snds-ref": {"IR_BEN_R": [holder(psa, 1, "ida") for psa in ("mother", "father", "own")]},
            "snds-dcir": {"ER_PRS_F": [paid(n, psa, 1) for n, psa in enumerate(("mother", "father", "own"))]},
        }
    )
    assert len(set(found.persons("prs"))) == 1 and len(found.persons("prs")) == 3


def test_without_the_own_nir_the_person_is_the_pseudonym_and_its_rank(country) -> None:
    """BEN_IDT_TOP 0: BEN_IDT_ANO is PSA and rank together; where it is empty, BEN_NIR_ANO or that pair stands in."""
    rows = [
        holder("a", 1, "a1", BEN_IDT_TOP=0),
        holder("b", 1, None, BEN_IDT_TOP=None),
        holder("c", 1, None, BEN_NIR_ANO="known", BEN_IDT_TOP=None),
        holder("d", 1, None, BEN_NIR_ANO="known", BEN_IDT_TOP=None),
    ]
    found = country({"snds-ref": {"IR_BEN_R": rows}})
    assert len({found.person(f"{psa}/1") for psa in "abcd"}) == 3
    assert found.person("c/1") == found.person("d/1")


def test_twins_are_told_by_their_rank_and_else_by_nobody(country) -> None:
    """Same insured, birth date and sex give one PSA; guessing would give one twin the other's illness."""
    found = country(
        {
            "snds-ref": {"IR_BEN_R": [holder("parent", rank, name) for rank, name in ((1, "romy"), (2, "zoe"))]},
            "snds-dcir": {"ER_PRS_F": [paid(n, "parent", rank) for n, rank in enumerate((1, 2, 0))]},
        }
    )
    assert sorted(found.persons("prs")) == sorted({found.person("parent/1"), found.person("parent/2")})
    assert found.left("ER_PRS_F", "prs") == {"twins_untold": 1}


def test_a_rank_that_the_scheme_does_not_keep_needs_no_rank(country) -> None:
    """The scheme of the self-employed (RSI) often writes 0, others the rank in the family."""
    found = country(
        {
            "snds-ref": {"IR_BEN_R": [holder("alone", 1, "bob")]},
            "snds-dcir": {"ER_PRS_F": [paid(1, "alone", 0), paid(2, "alone", 3)]},
        }
    )
    assert found.persons("prs") == [found.person("alone/1")] * 2


def test_the_archive_is_used_with_the_reference(country) -> None:
    """Who has left the reference is in IR_BEN_R_ARC; who is in both is as the reference says."""
    archive = [holder("gone", 1, "eve"), holder("own", 1, "somebody else", BEN_NAI_ANN=1900)]
    found = country(
        {
            "snds-ref": {"IR_BEN_R": [holder("own", 1, "ida"), holder("old", 1, "ida")], "IR_BEN_R_ARC": archive},
            "snds-dcir": {"ER_PRS_F": [paid(1, "gone", 1), paid(2, "own", 1)]},
        }
    )
    assert found.person("own/1") == found.person("old/1") != found.person("gone/1")
    assert sorted(found.persons("prs")) == sorted([found.person("gone/1"), found.person("own/1")])
    assert found.left("IR_BEN_R_ARC", "ben") == {"superseded": 1}


@pytest.mark.parametrize(("status", "real"), [("00", 1), ("03", 1), ("04", 1), ("", 1), ("01", 0), ("09", 0)])
def test_only_certified_and_provisional_identities_are_persons(country, status: str, real: int) -> None:
    """BEN_CDI_NIR 00 is certified, 03 and 04 provisional; an empty one says nothing, any other is a stand-in."""
    found = country(
        {
            "snds-ref": {"IR_BEN_R": [holder("a", 1, "ida"), holder("b", 1, "bob", BEN_CDI_NIR=status)]},
            "snds-dcir": {"ER_PRS_F": [paid(1, "a", 1), paid(2, "b", 1, BEN_CDI_NIR=status)]},
        }
    )
    assert len(found.persons("ben")) == len(found.persons("prs")) == 1 + real
    assert found.left("IR_BEN_R", "ben") == found.left("ER_PRS_F", "prs") == ({} if real else {"fictitious_nir": 1})


@pytest.mark.parametrize("nobody", ["x" * 17, "X" * 16 + "D", "X" * 16 + "S"])
def test_a_stay_of_a_stand_in_is_nobodys(country, nobody: str) -> None:
    key = {"ETA_NUM": "690781810", "RSA_NUM": "0000000001"}
    found = country(
        {
            "snds-ref": {"IR_BEN_R": [holder("a", 1, "ida")]},
            "snds-pmsi": {"T_MCO19C": [key | {"NIR_ANO_17": nobody}], "T_MCO19B": [key | {"DGN_PAL": "I10"}]},
        }
    )
    assert found.left("T_MCOaaB", "mco_b") == {"fictitious_nir": 1}


def test_the_stay_of_a_birth_names_the_mother(country) -> None:
    """NIR_ANO_MAM, from 2013 to 2018; a mother whom nobody knows is accounted for."""
    keys = [{"ETA_NUM": "690781810", "RSA_NUM": f"{n:010d}"} for n in range(3)]
    mothers = ("mother", "unknown", None)
    born = [key | {"NIR_ANO_17": "child", "NIR_ANO_MAM": mother} for key, mother in zip(keys, mothers, strict=True)]
    found = country(
        {
            "snds-ref": {"IR_BEN_R": [holder("mother", 1, "ida"), holder("child", 1, "zoe")]},
            "snds-pmsi": {"T_MCO18C": born, "T_MCO18B": [key | {"DGN_PAL": "Z380"} for key in keys]},
        }
    )
    assert found.persons("kin") == [found.person("child/1")]
    assert found.left("T_MCOaaC", "kin") == {"no_person": 1}


def test_a_cause_of_death_finds_its_person_by_the_certificate(country) -> None:
    """KI_ECD_R joins KI_CCI_R by DCD_IDT_ENC; a certificate that was matched with nobody keeps its causes back."""
    certificates = [
        {"DCD_IDT_ENC": n, "BEN_IDT_ANO": who, "BEN_DCD_DTE": "2019-03-04", "DCD_CIM_COD": "C349"}
        for n, who in (("d1", "ida"), ("d2", None))
    ]
    causes = [
        {"DCD_IDT_ENC": n, "CER_LIG_NUM": line, "ECD_CAU_RNG": 1, "ECD_CIM_COD": "J960"}
        for n, line in (("d1", 1), ("d1", 2), ("d2", 1))
    ]
    tables = {"IR_BEN_R": [holder("a", 1, "ida")], "KI_CCI_R": certificates, "KI_ECD_R": causes}
    found = country({"snds-ref": tables})
    assert found.persons("ecd") == [found.person("a/1")] * 2
    assert found.left("KI_ECD_R", "ecd") == {"no_person": 1}


def test_tables_without_a_clinical_event_are_counted_and_not_refused(country) -> None:
    rows = [{**NINE, "PRS_ORD_NUM": 1}]
    found = country(
        {
            "snds-ref": {"IR_BEN_R": [holder("a", 1, "ida")]},
            "snds-dcir": {"ER_PRS_F": [paid(1, "a", 1)], "ER_LOT_F": rows, "ER_INV_F": rows * 2},
        }
    )
    assert found.left("ER_LOT_F", "") == {"no_event": 1} and found.left("ER_INV_F", "") == {"no_event": 2}


def test_archived_claims_are_claims_and_a_flux_of_january_comes_once(tmp_path: Path) -> None:
    """ER_PRS_F_2012 holds the fluxes of March 2012 to February 2013: the first two of 2013 lie with the year before."""
    rows = {"ER_PRS_F_2012": [paid(1, "a", 1, FLX_DIS_DTD=flux) for flux in ("2012-12-01", "2013-01-01")]}
    again = {"ER_PRS_F": [paid(1, "a", 1, FLX_DIS_DTD="2013-01-01")]}
    with open_vault(tmp_path / "enclosure") as bench:
        folders = [
            write_delivery(tmp_path / str(n), "snds-dcir", "snds", {f"{name}.csv": csv_text(t)})
            for n, delivery in enumerate((rows, again))
            for name, t in delivery.items()
        ]
        bench.accept(folders[0])
        assert len(bench.landed(Kind.SNDS_DCIR, "ER_PRS_F", ("BEN_NIR_PSA",))) == 2
        with pytest.raises(NotAsPromised) as refused:
            bench.accept(folders[1])
    assert refused.value.code is Code.FLUX_TWICE


@pytest.mark.parametrize(
    ("ages", "year"),
    [
        ({date(2019, 3, 1): 40}, 1979),
        ({date(2019, 3, 1): 40, date(2019, 9, 1): 41}, 1978),  # 41 in the year in which 41 is reached
        ({date(2019, 3, 1): 1014}, 2018),  # 14 months
        ({date(2019, 3, 1): 1000}, 2019),  # less than a month
    ],
)
def test_an_unknown_year_of_birth_follows_from_the_age_at_care(ages: dict[date, int], year: int) -> None:
    """BEN_AMA_COD is an age in years, or 1000 plus months below two years; the month stays unknown."""
    lines = [prestation(1, day, BEN_AMA_COD=age) for day, age in ages.items()]
    for unknown in (0, 1600):
        with built({"ben": [ben(1, BEN_NAI_ANN=unknown)], "prs": lines}) as snapshot:
            assert snapshot.rows("person", "year_of_birth", "month_of_birth") == [(year, None)]


def test_a_known_year_of_birth_needs_no_age() -> None:
    with built({"ben": [ben(1)], "prs": [prestation(1, date(2019, 3, 1), BEN_AMA_COD=3)]}) as snapshot:
        assert snapshot.rows("person", "year_of_birth", "month_of_birth") == [(1960, 5)]
