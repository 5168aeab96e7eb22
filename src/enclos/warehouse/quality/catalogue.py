"""The check lists, from the package's data files to typed checks."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from importlib import resources

from enclos.warehouse.quality.model import (
    Catalogue,
    Check,
    CheckKey,
    CheckName,
    CheckType,
    ConceptSpec,
    FieldSpec,
    Marginal,
    TableSpec,
)

CDM_VERSIONS = ("5.3", "5.4")
_GENDERS = {"Male": 8507, "Female": 8532}
_FRENCH_VALUES = {
    "tomorrow": "la date de demain",
    "next year": "l'année prochaine",
    "Male": "masculin",
    "Female": "féminin",
}


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files("enclos.warehouse.quality").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _percent(text: str) -> float | None:
    return float(text) if text else None


def _field(row: dict[str, str]) -> FieldSpec:
    return FieldSpec(
        table=row["table"],
        name=row["field"],
        kind=row["type"],
        whole_number=row["integer"] == "1",
        required=row["required"] == "1",
        primary_key=row["primary_key"] == "1",
        foreign_table=row["foreign_table"],
        foreign_field=row["foreign_field"],
        domain=row["domain"],
        concept_class=row["concept_class"],
        standard=row["standard"] == "1",
        filled_threshold=_percent(row["filled_threshold"]),
        standard_mapped_threshold=_percent(row["standard_mapped_threshold"]),
        source_mapped_threshold=_percent(row["source_mapped_threshold"]),
        values_mapped_threshold=_percent(row["values_mapped_threshold"]),
        values_mapped_by=row["values_mapped_by"],
        low=row["low"],
        high=row["high"],
        after=row["after"],
        after_threshold=_percent(row["after_threshold"]),
        during_life=row["during_life"] == "1",
        before_end=row["before_end"],
        before_end_threshold=_percent(row["before_end_threshold"]),
        after_birth=row["after_birth"] == "1",
        before_death=row["before_death"] == "1",
        within_visit_threshold=_percent(row["within_visit_threshold"]),
    )


@cache
def check_types() -> dict[CheckName, CheckType]:
    """The check types by name."""
    return {
        CheckName(row["check"]): CheckType(
            CheckName(row["check"]),
            row["level"],
            row["context"],
            row["category"],
            row["subcategory"],
            row["severity"],
            row["sql_file"],
            row["says"],
            row["says_fr"],
        )
        for row in _rows("check_types.csv")
    }


def _concepts() -> tuple[ConceptSpec, ...]:
    return tuple(
        ConceptSpec(
            name=CheckName(row["check"]),
            table=row["table"],
            field=row["field"],
            concept_ids=tuple(int(concept) for concept in row["concepts"].split()),
            gender_concept_id=_GENDERS.get(row["gender"]),
            unit_concept_ids=frozenset(int(unit) for unit in row["units"].split()),
            threshold=float(row["threshold"]),
        )
        for row in _rows("concepts.csv")
    )


@cache
def catalogue(cdm_version: str) -> Catalogue:
    """The checks of a CDM version, in the order tables, fields, concepts.

    Refuses: a ValueError for a version without a list; the command line knows the versions.
    """
    if cdm_version not in CDM_VERSIONS:
        raise ValueError("no check list for this version")
    fields: dict[str, list[FieldSpec]] = {}
    for row in _rows(f"fields_{cdm_version}.csv"):
        fields.setdefault(row["table"], []).append(_field(row))
    tables = tuple(
        TableSpec(
            row["table"],
            _percent(row["persons_threshold"]),
            _percent(row["eras_threshold"]),
            _percent(row["overlap_threshold"]),
            tuple(fields.get(row["table"], ())),
        )
        for row in _rows("tables.csv")
        if row["cdm_version"] == cdm_version
    )
    concepts = _concepts()
    checks = [check for table in tables for check in _table_checks(table)]
    checks += [check for table in tables for field in table.fields for check in _field_checks(field)]
    checks += [_concept_check(concept) for concept in concepts]
    return Catalogue(cdm_version, tables, concepts, tuple(checks))


@cache
def marginals() -> tuple[Marginal, ...]:
    """The published French figures, not yet measured."""
    return tuple(
        Marginal(
            name=row["measure"],
            unit=row["unit"],
            published=float(row["published"]),
            low=float(row["low"]),
            high=float(row["high"]),
            source=f"{row['source']} ({row['year']})",
            measured=None,
        )
        for row in _rows("france.csv")
    )


def _check(name: CheckName, threshold: float | None, table: str, field: str = "", **words: str) -> Check:
    kind = check_types()[name]
    said = (kind.says.format(table=table, field=field, **words), _in_french(kind, table=table, field=field, **words))
    return Check(CheckKey(name, table, field), kind, threshold, *said)


def _in_french(kind: CheckType, **words: str) -> str:
    """What is expected, in French: its values too where they are words."""
    return kind.says_fr.format(**{name: _FRENCH_VALUES.get(value, value) for name, value in words.items()})


def _table_checks(table: TableSpec) -> Iterator[Check]:
    yield _check(CheckName.TABLE_EXISTS, None, table.name)
    if table.persons_threshold is not None:
        yield _check(CheckName.PERSONS_HAVE_ROWS, table.persons_threshold, table.name)
    if table.eras_threshold is not None:
        yield _check(CheckName.ERAS_BUILT, table.eras_threshold, table.name)
    if table.overlap_threshold is not None:
        yield _check(CheckName.PERIODS_APART, table.overlap_threshold, table.name)


def _field_checks(field: FieldSpec) -> Iterator[Check]:
    words = {
        "foreign_table": field.foreign_table,
        "domain": field.domain,
        "concept_class": field.concept_class,
        "values_mapped_by": field.values_mapped_by,
        "low": field.low,
        "high": field.high,
        "after": field.after,
        "before_end": field.before_end,
    }
    asked: tuple[tuple[CheckName, bool, float | None], ...] = (
        (CheckName.FIELD_EXISTS, True, None),
        (CheckName.REQUIRED, field.required, 0),
        (CheckName.WHOLE_NUMBER, field.whole_number, 0),
        (CheckName.UNIQUE, field.primary_key, 0),
        (CheckName.REFERENCE, bool(field.foreign_table), 0),
        (CheckName.DOMAIN, bool(field.domain), 0),
        (CheckName.CONCEPT_CLASS, bool(field.concept_class), 0),
        (CheckName.STANDARD, field.standard, 0),
        (CheckName.FILLED, field.filled_threshold is not None, field.filled_threshold),
        (CheckName.STANDARD_MAPPED, field.standard_mapped_threshold is not None, field.standard_mapped_threshold),
        (CheckName.SOURCE_MAPPED, field.source_mapped_threshold is not None, field.source_mapped_threshold),
        (CheckName.VALUES_MAPPED, field.values_mapped_threshold is not None, field.values_mapped_threshold),
        (CheckName.LOW, bool(field.low), 1),
        (CheckName.HIGH, bool(field.high), 1),
        (CheckName.AFTER, bool(field.after), field.after_threshold),
        (CheckName.DURING_LIFE, field.during_life, 1),
        (CheckName.WITHIN_VISIT, field.within_visit_threshold is not None, field.within_visit_threshold),
        (CheckName.AFTER_BIRTH, field.after_birth, 1),
        (CheckName.BEFORE_DEATH, field.before_death, 1),
        (CheckName.START_BEFORE_END, bool(field.before_end), field.before_end_threshold),
    )
    for name, applies, threshold in asked:
        if applies:
            yield _check(name, threshold, field.table, field.name, **words)


def _concept_check(concept: ConceptSpec) -> Check:
    kind = check_types()[concept.name]
    gender = next((word for word, id_ in _GENDERS.items() if id_ == concept.gender_concept_id), "")
    units = " ".join(str(unit) for unit in sorted(concept.unit_concept_ids))
    words = {"table": concept.table, "concepts": str(concept.key.concepts), "gender": gender, "units": units}
    return Check(concept.key, kind, concept.threshold, kind.says.format(**words), _in_french(kind, **words))
