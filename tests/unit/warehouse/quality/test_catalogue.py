"""The check lists expand to the published number of checks."""

from collections import Counter

import pytest

from enclos.warehouse.quality.catalogue import CDM_VERSIONS, catalogue, check_types
from enclos.warehouse.quality.model import CheckName

FOR_5_4 = {
    "cdmTable": 39,
    "cdmField": 432,
    "isRequired": 180,
    "cdmDatatype": 210,
    "isPrimaryKey": 28,
    "isForeignKey": 177,
    "fkDomain": 43,
    "fkClass": 3,
    "isStandardValidConcept": 65,
    "measureValueCompleteness": 432,
    "standardConceptRecordCompleteness": 48,
    "sourceConceptRecordCompleteness": 13,
    "sourceValueCompleteness": 32,
    "measurePersonCompleteness": 16,
    "measureConditionEraCompleteness": 1,
    "measureObservationPeriodOverlap": 1,
    "plausibleValueLow": 68,
    "plausibleValueHigh": 60,
    "plausibleTemporalAfter": 53,
    "plausibleDuringLife": 34,
    "plausibleAfterBirth": 49,
    "plausibleBeforeDeath": 47,
    "plausibleStartBeforeEnd": 24,
    "withinVisitDates": 9,
    "plausibleGender": 287,
    "plausibleGenderUseDescendants": 4,
    "plausibleUnitConceptIds": 181,
}


def test_every_type_of_check_is_described() -> None:
    assert set(check_types()) == set(CheckName)
    assert len(CheckName) == 27


def test_version_5_4_has_the_published_number_of_checks_of_each_type() -> None:
    assert Counter(check.key.name.value for check in catalogue("5.4").checks) == FOR_5_4


def test_version_5_3_has_2005_checks() -> None:
    assert len(catalogue("5.3").checks) == 2005


@pytest.mark.parametrize("version", CDM_VERSIONS)
def test_keys_tell_checks_apart(version: str) -> None:
    checks = catalogue(version).checks
    assert len({check.key for check in checks}) == len(checks)
    assert len({check.key.id for check in checks}) == len(checks)


@pytest.mark.parametrize("version", CDM_VERSIONS)
def test_fields_name_fields_that_exist(version: str) -> None:
    known = {(table.name, field.name) for table in catalogue(version).tables for field in table.fields}
    tables = {table.name for table in catalogue(version).tables}
    for table in catalogue(version).tables:
        for field in table.fields:
            for other in (field.values_mapped_by, field.before_end, field.after):
                assert not other or other == "person.birth_datetime" or (table.name, other) in known
            if field.foreign_table in tables and any(name == field.foreign_table for name, _ in known):
                assert (field.foreign_table, field.foreign_field) in known or field.is_concept or version == "5.3"


def test_a_version_without_list_is_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no check list"):
        catalogue("6.0")
