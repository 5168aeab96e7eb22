"""A sample of what the rows look like, made of nobody: the schema, published shares and a fixed seed go in.

Every draw is a digest of the seed, the table, the row and what is drawn, so that the bytes are the same on every
machine, for every enclosure and for ever; anyone can make them again and compare.

Source: Regulation (EU) 2025/327, Art. 77; HealthDCAT-AP, adms:sample ("demonstrably non-personal proxy", TEHDAS2 D5.1).
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from enclos.contracts.omop import omop_tables

SEED = "enclos sample 1"
N_PERSONS = 200
_FROM, _UNTIL = date(2022, 1, 1), date(2024, 12, 31)
_BANDS = (5, 18, 30, 45, 55, 65, 75, 85)
"""Where the age bands of the shares of illness begin, after the first."""
_MALE, _FEMALE = 8507, 8532
_CLAIM, _PERIOD_OF_CLAIMS = 32810, 32813
"""OMOP type concepts: claim, claim enrolment record."""


@dataclass(frozen=True, slots=True)
class AgeShare:
    """A band of ages, its share of the population and the share of women in it."""

    age_from: int
    age_to: int
    share: float
    female_share: float


@dataclass(frozen=True, slots=True)
class IllnessShare:
    """An illness: a code, its standard concept or 0, prevalence by band of age, ratio of men to women."""

    code: str
    concept_id: int
    prevalence: tuple[float, ...]
    male_to_female: float


def make_sample(pyramid: Sequence[AgeShare], illnesses: Sequence[IllnessShare]) -> dict[str, bytes]:
    """CSV files of the OMOP CDM 5.4 by table.

    In:  published shares; no enclosure, no engine and no file can be handed in
    Out: person, observation_period, condition_occurrence: all columns of the contract in order, empty where unknown
    """
    persons: list[dict[str, object]] = []
    periods: list[dict[str, object]] = []
    conditions: list[dict[str, object]] = []
    for number in range(1, N_PERSONS + 1):
        band = _band_of(pyramid, _draw("band", number))
        is_female = _draw("sex", number) < band.female_share
        age = band.age_from + int(_draw("age", number) * (band.age_to - band.age_from + 1))
        persons.append(
            {
                "person_id": number,
                "gender_concept_id": _FEMALE if is_female else _MALE,
                "year_of_birth": _UNTIL.year - age,
                "race_concept_id": 0,
                "ethnicity_concept_id": 0,
            }
        )
        starts_on = max(_FROM, date(_UNTIL.year - age, 1, 1))
        periods.append(
            {
                "observation_period_id": number,
                "person_id": number,
                "observation_period_start_date": starts_on,
                "observation_period_end_date": _UNTIL,
                "period_type_concept_id": _PERIOD_OF_CLAIMS,
            }
        )
        for illness in illnesses:
            if _draw(f"has {illness.code}", number) < _risk(illness, age, is_female=is_female):
                day = starts_on + timedelta(int(_draw(f"day {illness.code}", number) * (_UNTIL - starts_on).days))
                conditions.append(
                    {
                        "condition_occurrence_id": len(conditions) + 1,
                        "person_id": number,
                        "condition_concept_id": illness.concept_id,
                        "condition_start_date": day,
                        "condition_type_concept_id": _CLAIM,
                        "condition_source_value": illness.code,
                    }
                )
    tables = {"person": persons, "observation_period": periods, "condition_occurrence": conditions}
    return {table: _as_csv(table, rows) for table, rows in tables.items()}


def _draw(what: str, number: int) -> float:
    """A number of [0, 1) that depends on the seed and on what is drawn for whom."""
    digest = hashlib.sha256(f"{SEED}|{what}|{number}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _band_of(pyramid: Sequence[AgeShare], at: float) -> AgeShare:
    below, total = 0.0, sum(band.share for band in pyramid)
    for band in pyramid:
        below += band.share / total
        if at < below:
            return band
    return pyramid[-1]


def _risk(illness: IllnessShare, age: int, *, is_female: bool) -> float:
    """The share of persons of that age and sex who have it; a ratio of 0 is women only, of -1 men only."""
    share = illness.prevalence[sum(age >= begins for begins in _BANDS)]
    ratio = illness.male_to_female
    if ratio <= 0:
        return 2 * share if is_female == (ratio == 0) else 0.0
    return share * 2 / (1 + ratio) * (1 if is_female else ratio)


def _as_csv(table: str, rows: Sequence[Mapping[str, object]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, omop_tables()[table].names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")
