"""The packaged code lists and shares, as typed rows. Sources and licences: data/README.md."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

AGE_BANDS: tuple[int, ...] = (0, 5, 18, 30, 45, 55, 65, 75, 85)
"""First year of age of the nine bands of conditions.csv and city_acts.csv."""

STAY_BANDS: tuple[int, ...] = (0, 5, 18, 45, 65, 80)
"""First year of age of the six bands of stays.csv."""


def rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of one packaged list."""
    text = resources.files("enclos.synthetic").joinpath("data", name).read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())


def _numbers(row: dict[str, str], prefix: str) -> tuple[float, ...]:
    return tuple(float(value) for key, value in row.items() if key.startswith(prefix))


def _weighted(text: str) -> tuple[tuple[str, float], ...]:
    pairs = (part.split(":") for part in text.split("|") if part)
    return tuple((code, float(weight)) for code, weight in pairs)


@dataclass(frozen=True, slots=True)
class AgeGroup:
    """One row of the age pyramid."""

    age_from: int
    age_to: int
    share: float
    female_share: float


@dataclass(frozen=True, slots=True)
class Department:
    """A department under its number and under the code that the SNDS uses, with its weight in the population."""

    number: str
    snds_code: str
    weight: float


@dataclass(frozen=True, slots=True)
class Hospital:
    """A hospital; source is empty unless it delivers to the enclosure."""

    source: str
    finess: str
    department: str
    public: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """A chronic condition: how frequent, and how it shows as long-term illness (ALD number 0: never)."""

    name: str
    ald: int
    ald_share: float
    motives: tuple[tuple[str, float], ...]
    male_to_female: float
    """Ratio of prevalences; 0 is women only, -1 is men only."""
    incident_per_year: float
    prevalence: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Treatment:
    """One line of treatment of a condition: the share treated and the drugs among which one is chosen."""

    condition: str
    share: float
    drugs: tuple[tuple[str, float], ...]
    special: str
    """'statin', 'anticoagulant' or empty: the choice that carries a known effect is made elsewhere."""


@dataclass(frozen=True, slots=True)
class Product:
    """A pack as it is sold: one CIP13."""

    cip13: str
    cip7: str
    atc: str
    ingredient: str
    strength: str
    strength_unit: str
    pack: str
    units_per_day: float
    price_cents: int
    rate: int

    @property
    def units(self) -> int:
        """Units in the pack where it says so (30, 5/3 ML), else 1."""
        found = re.match(r"\d+", self.pack)
        return int(found.group()) if found else 1


@dataclass(frozen=True, slots=True)
class AcuteDrug:
    """A drug that is given for some days, with its weight for children, adults and the old."""

    atc: str
    weights: tuple[float, float, float]
    winter: float
    mean_boxes: float


@dataclass(frozen=True, slots=True)
class StayKind:
    """A reason to be in hospital: principal diagnosis, rates per 1 000 person-years by age, and what is done."""

    dp: str
    ambulatory: bool
    mean_nights: float
    act: str
    ghm_root: str
    sex: int
    """0 both, 1 men only, 2 mostly women."""
    rates: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CityAct:
    """A technical act in town, with rates per person-year by age."""

    ccam: str
    nature: int
    speciality: int
    price_cents: int
    rates: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LabTest:
    """A laboratory analysis with a plausible distribution and its normal range."""

    loinc: str
    label: str
    unit: str
    mean: float
    sd: float
    low: float
    high: float


@cache
def layout(table: str) -> tuple[str, ...]:
    """The columns in which a table of the SNDS is delivered, in order: keys and what an extract asks for."""
    return next(tuple(r["columns"].split()) for r in rows("snds_layouts.csv") if r["table"] == table)


@cache
def pyramid() -> tuple[AgeGroup, ...]:
    """The age pyramid."""
    return tuple(
        AgeGroup(int(r["age_from"]), int(r["age_to"]), float(r["share_percent"]) / 100, float(r["female_share"]))
        for r in rows("pyramid.csv")
    )


@cache
def departments() -> tuple[Department, ...]:
    """Departments of residence."""
    return tuple(Department(r["department"], r["snds_department"], float(r["weight"])) for r in rows("departments.csv"))


@cache
def hospitals() -> tuple[Hospital, ...]:
    """Hospitals; the four that deliver come first."""
    return tuple(
        Hospital(r["source"], r["finess"], r["department"], r["sector"] == "public") for r in rows("hospitals.csv")
    )


@cache
def conditions() -> tuple[Condition, ...]:
    """Chronic conditions."""
    return tuple(
        Condition(
            r["condition"],
            int(r["ald"]),
            float(r["ald_share"]),
            _weighted(r["motives"]),
            float(r["male_to_female"]),
            float(r["incident_per_year"]),
            _numbers(r, "p_"),
        )
        for r in rows("conditions.csv")
    )


@cache
def treatments() -> tuple[Treatment, ...]:
    """Treatments of the conditions."""
    found = []
    for row in rows("treatments.csv"):
        special = "" if ":" in row["drugs"] else row["drugs"]
        found.append(
            Treatment(row["condition"], float(row["share"]), () if special else _weighted(row["drugs"]), special)
        )
    return tuple(found)


@cache
def products() -> tuple[Product, ...]:
    """Packs, in the order of their CIP13."""
    return tuple(
        Product(
            r["cip13"],
            r["cip7"],
            r["atc"],
            r["ingredient"],
            r["strength"],
            r["strength_unit"],
            r["pack"],
            float(r["units_per_day"]),
            round(float(r["price_eur"]) * 100),
            int(r["rate"]),
        )
        for r in rows("drugs.csv")
    )


@cache
def products_of(atc: str) -> tuple[int, ...]:
    """Positions in products() of the packs whose ATC code begins so."""
    return tuple(index for index, product in enumerate(products()) if product.atc.startswith(atc))


@cache
def acute_drugs() -> tuple[AcuteDrug, ...]:
    """Drugs of short use."""
    return tuple(
        AcuteDrug(
            r["atc"],
            (float(r["child"]), float(r["adult"]), float(r["old"])),
            float(r["winter"]),
            float(r["mean_boxes"]),
        )
        for r in rows("acute_drugs.csv")
    )


@cache
def stay_kinds() -> tuple[StayKind, ...]:
    """Reasons of hospital stays other than sessions, births and the studied outcomes."""
    return tuple(
        StayKind(
            r["dp"],
            r["mode"] == "A",
            float(r["mean_nights"]),
            r["act"],
            r["ghm_root"],
            int(r["sex"]),
            _numbers(r, "r_"),
        )
        for r in rows("stays.csv")
    )


@cache
def city_acts() -> tuple[CityAct, ...]:
    """Technical acts in town."""
    return tuple(
        CityAct(
            r["ccam"],
            int(r["act_nature"]),
            int(r["speciality"]),
            round(float(r["price_eur"]) * 100),
            _numbers(r, "r_"),
        )
        for r in rows("city_acts.csv")
    )


@cache
def lab_tests() -> tuple[LabTest, ...]:
    """Laboratory analyses of hospital stays."""
    return tuple(
        LabTest(
            r["loinc"],
            r["label"],
            r["unit"],
            float(r["mean"]),
            float(r["sd"]),
            float(r["low"]),
            float(r["high"]),
        )
        for r in rows("laboratory.csv")
    )


@cache
def administered_drugs() -> tuple[tuple[str, float, str], ...]:
    """ATC code, weight and ingredient of what wards give."""
    return tuple((r["atc"], float(r["weight"]), r["ingredient"]) for r in rows("administered_drugs.csv"))


@cache
def weighted_codes(name: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Codes and weights of secondary_diagnoses.csv or death_causes.csv."""
    found = [(r["code"], float(r["weight"])) for r in rows(name)]
    return tuple(code for code, _ in found), tuple(weight for _, weight in found)


@cache
def labels(name: str) -> dict[str, str]:
    """Our short label of every code of cim10.csv or ccam.csv."""
    return {r["code"]: r["label"] for r in rows(name)}
