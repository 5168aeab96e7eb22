"""The population, its care and its illnesses against published figures; the table is printed.

The figures are those of marginals.csv, read beside the checkout where it lies there, else as copied in FIGURES.
A tolerance is what a population of 20 000 may differ by chance and by our approximations.
"""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from enclos.contracts.delivered.snds import NINE_KEYS
from enclos.synthetic import make_france
from enclos.synthetic.pmsi import RETURN_CODES
from shared_data import shared
from unit.synthetic.conftest import Ask, asker

N_PERSONS, YEARS = 20_000, (2019, 2023)
FRANCE = 68.6e6


@dataclass(frozen=True)
class Figure:
    """A published figure (per what, when it is a total) and how far the synthetic one may be, relatively."""

    published: float
    tolerance: float
    per: float = 1.0
    indicator: str = ""


FIGURES = {
    "share under 20, %": Figure(23.3, 0.05, indicator="share_age_lt_20"),
    "share 65 and over, %": Figure(21.8, 0.05, indicator="share_age_ge_65"),
    "share 75 and over, %": Figure(10.7, 0.08, indicator="share_age_ge_75"),
    "deaths per 1 000 person-years": Figure(646_000, 0.10, FRANCE / 1000, "deaths"),
    "births per 1 000 person-years": Figure(663_000, 0.12, FRANCE / 1000, "births"),
    "boxes per person-year": Figure(41, 0.10, indicator="boxes_reimbursed_per_person_year"),
    "boxes per person-year, 80 and over": Figure(108, 0.12, indicator="boxes_per_person_year_age_ge_80"),
    "visits to a GP per person-year": Figure(3.3, 0.06, indicator="gp_visits_per_person_year"),
    "persons with ALD, %": Figure(16.9, 0.07, indicator="ald_general_scheme_share"),
    "of them diabetes, %": Figure(25, 0.12, indicator="ald_share_diabetes"),
    "of them cancer, %": Figure(20, 0.12, indicator="ald_share_cancer"),
    "of them psychiatric, %": Figure(13, 0.15, indicator="ald_share_psychiatric"),
    "ALD mean age": Figure(63, 0.06, indicator="ald_mean_age"),
    "ALD women, %": Figure(52, 0.12, indicator="ald_share_female"),
    "stays per person-year": Figure(11_271_417 + 7_266_395, 0.06, FRANCE),
    "of them ambulatory": Figure(7_266_395, 0.08, FRANCE, "mco_stays_ambulatory"),
    "sessions per person-year": Figure(9_999_310, 0.35, FRANCE, "mco_sessions"),
    "persons in hospital a year per 1 000": Figure(191, 0.06, indicator="hospitalised_patients_per_1000"),
    "stays and sessions per patient and year": Figure(2.27, 0.15, indicator="mco_stays_per_hospitalised_patient"),
    "stays without a night, %": Figure(49, 0.08, indicator="mco_share_no_night"),
    "nights of the others": Figure(5.5, 0.08, indicator="mco_mean_los"),
    "certificates matched, %": Figure(88.0, 0.05),
    "NIR_ANO filled, %": Figure(98.5, 0.01, indicator="ben_nir_ano_filled_2018"),
    "persons of two PSA, %": Figure(0.83, 0.35, indicator="dup_nir_ano_two_psa"),
    "PMSI return codes not 0, %": Figure(1.40, 0.25, indicator="pmsi_mco_bad_link_2017"),
}


@pytest.fixture(scope="module")
def france(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("marginals") / "france"
    make_france(folder, N_PERSONS, YEARS, 7)
    return folder


@pytest.fixture(scope="module")
def found(france: Path) -> dict[str, float]:
    ask = asker(france)

    def one(sql: str) -> float:
        return float(str(ask(sql)[0][0]))

    middle = f"DATE '{(YEARS[0] + YEARS[1]) // 2}-07-02'"
    age = (
        f"(SELECT date_diff('day', birth_on, {middle}) / 365.25 AS age FROM truth_persons "
        f"WHERE birth_on <= {middle} AND coalesce(death_on, DATE '2999-01-01') > {middle})"
    )
    lived = (
        f"sum(greatest(0, date_diff('day', greatest({{since}}, DATE '{YEARS[0]}-01-01'), "
        f"coalesce(death_on + 1, DATE '{YEARS[1] + 1}-01-01')))) / 365.25"
    )
    years = one(f"SELECT {lived.format(since='birth_on')} FROM truth_persons")
    old_years = one(f"SELECT {lived.format(since='(birth_on + INTERVAL 80 YEAR)::DATE')} FROM truth_persons")
    counted = json.loads((france / "truth" / "population.json").read_text())
    return {
        "share under 20, %": one(f"SELECT 100 * avg((age < 20)::INT) FROM {age}"),
        "share 65 and over, %": one(f"SELECT 100 * avg((age >= 65)::INT) FROM {age}"),
        "share 75 and over, %": one(f"SELECT 100 * avg((age >= 75)::INT) FROM {age}"),
        "deaths per 1 000 person-years": 1000 * one("SELECT count(death_on) FROM truth_persons") / years,
        "births per 1 000 person-years": 1000
        * one(f"SELECT count(*) FROM truth_persons WHERE year(birth_on) >= {YEARS[0]}")
        / years,
        **_town(ask, years, old_years),
        "persons with ALD, %": 100 * counted["ald_any"] / counted["ald_present"],
        "of them diabetes, %": 100 * counted["ald_8"] / counted["ald_any"],
        "of them cancer, %": 100 * counted["ald_30"] / counted["ald_any"],
        "of them psychiatric, %": 100 * counted["ald_23"] / counted["ald_any"],
        **_with_ald(ask, middle),
        **_hospital(ask, years),
        "certificates matched, %": one("SELECT 100 * avg((DCD_IDT_TOP = '1')::INT) FROM KI_CCI_R"),
        "NIR_ANO filled, %": one("SELECT 100 * avg((BEN_NIR_ANO IS NOT NULL)::INT) FROM IR_BEN_R"),
        "persons of two PSA, %": 100 * one("SELECT avg((len(snds) = 2)::INT) FROM truth_persons"),
    }


def _town(ask: Ask, years: float, old_years: float) -> dict[str, float]:
    kept = "coalesce(DPN_QLF, '0') NOT IN ('71', '72') AND CPL_MAJ_TOP = '0' AND CPL_AFF_COD = '0'"
    keys = ", ".join(NINE_KEYS)
    all_boxes, old_boxes = ask(
        "SELECT sum(PHA_ACT_QSN::INT), "
        "sum(PHA_ACT_QSN::INT) FILTER (WHERE EXE_SOI_DTD::DATE >= birth_on + INTERVAL 80 YEAR) "
        f"FROM ER_PHA_F JOIN ER_PRS_F USING ({keys}) JOIN truth_identities AS i ON i.source = 'snds' "
        "AND i.source_person_id = BEN_NIR_PSA || '/' || BEN_RNG_GEM JOIN truth_persons USING (true_person) "
        f"WHERE {kept}"
    )[0]
    visits = ask(
        f"SELECT sum(PRS_ACT_QTE::INT) FROM ER_PRS_F WHERE {kept} AND PSE_SPE_COD = '1' "
        "AND PRS_NAT_REF IN ('1110', '1111', '1211')"
    )[0][0]
    return {
        "boxes per person-year": float(str(all_boxes)) / years,
        "boxes per person-year, 80 and over": float(str(old_boxes)) / old_years,
        "visits to a GP per person-year": float(str(visits)) / years,
    }


def _with_ald(ask: Ask, middle: str) -> dict[str, float]:
    age, women = ask(
        f"SELECT avg(date_diff('day', birth_on, {middle}) / 365.25), 100 * avg((sex = 2)::INT) FROM ("
        "SELECT DISTINCT true_person, birth_on, sex FROM IR_IMB_R JOIN truth_identities AS i ON i.source = 'snds' "
        "AND i.source_person_id = BEN_NIR_PSA || '/' || BEN_RNG_GEM JOIN truth_persons USING (true_person) "
        f"WHERE IMB_ETM_NAT IN ('41', '43') AND IMB_ALD_DTD::DATE <= {middle} "
        f"AND birth_on <= {middle} AND coalesce(death_on, DATE '2999-01-01') > {middle})"
    )[0]
    return {"ALD mean age": float(str(age)), "ALD women, %": float(str(women))}


def _hospital(ask: Ask, years: float) -> dict[str, float]:
    n_stays, ambulatory, n_sessions, no_night, nights = (
        float(str(value))
        for value in ask(
            "SELECT count(*) FILTER (WHERE NBR_SEA = '0'), "
            "count(*) FILTER (WHERE NBR_SEA = '0' AND GRG_GHM LIKE '%J'), sum(NBR_SEA::INT), "
            "100 * avg((SEJ_NBJ = '0')::INT) FILTER (WHERE NBR_SEA = '0'), "
            "avg(SEJ_NBJ::INT) FILTER (WHERE NBR_SEA = '0' AND SEJ_NBJ <> '0') FROM T_MCOB WHERE SEJ_TYP IS NULL"
        )[0]
    )
    patient = "(NIR_ANO_17, RNG_NAI, SOR_ANN)"
    patients, rows = (float(str(value)) for value in ask(f"SELECT count(DISTINCT {patient}), count(*) FROM T_MCOC")[0])
    errors = ask(
        f"SELECT 100 * avg(({' OR '.join(f'{name} <> 0::VARCHAR' for name in RETURN_CODES)})::INT) FROM T_MCOC"
    )
    return {
        "stays per person-year": n_stays / years,
        "of them ambulatory": ambulatory / years,
        "sessions per person-year": n_sessions / years,
        "persons in hospital a year per 1 000": 1000 * patients / years,
        "stays and sessions per patient and year": rows / patients,
        "stays without a night, %": no_night,
        "nights of the others": nights,
        "PMSI return codes not 0, %": float(str(errors[0][0])),
    }


def test_the_synthetic_france_has_the_published_shares(
    found: dict[str, float], capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(found) == set(FIGURES)
    lines = [f"{'indicator':<42}{'published':>12}{'synthetic':>12}{'off by':>9}{'at most':>9}"]
    wrong = []
    for name, figure in FIGURES.items():
        published = figure.published / figure.per
        off = found[name] / published - 1
        lines.append(f"{name:<42}{published:>12.3f}{found[name]:>12.3f}{off:>+9.1%}{figure.tolerance:>9.0%}")
        if abs(off) > figure.tolerance:
            wrong.append(name)
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
    assert wrong == []


def test_the_figures_are_those_of_the_collection_where_it_lies_beside_the_checkout() -> None:
    collection = shared("snds", "marginals.csv")
    named = {figure.indicator: figure.published for figure in FIGURES.values() if figure.indicator}
    assert len(named) > 20
    if collection is not None:
        with collection.open(encoding="utf-8") as rows:
            published = {row["indicator"]: float(row["value"]) for row in csv.DictReader(rows)}
        assert named == {name: published[name] for name in named}
