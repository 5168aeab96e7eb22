"""The table of column rules, and what a grant shows."""

from datetime import date

import pytest

from enclos.contracts.omop import PERSON_TABLES, omop_tables
from enclos.contracts.view import GRANTABLE_TABLES, TableGrant, ViewTerms, WholeBase
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAllowed
from enclos.lexicon.spans import Span
from enclos.views.model import Treatment
from enclos.views.rules import check_granted, column_rules, shown_columns

PERIOD = Span(date(2019, 1, 1), date(2020, 1, 1))


def terms(*grants: TableGrant) -> ViewTerms:
    return ViewTerms("P-1", grants, WholeBase(), PERIOD)


def test_every_column_that_can_be_granted_has_a_rule_and_no_other() -> None:
    expected = {(table, column.name) for table in GRANTABLE_TABLES for column in omop_tables()[table]}
    assert set(column_rules()) == expected


def test_every_rule_fits_its_column() -> None:
    for (table, name), rule in column_rules().items():
        column = omop_tables()[table].column(name)
        if column.sql_type == "DATE":
            assert rule.treatment is Treatment.DAY
        if column.sql_type == "VARCHAR":
            assert rule.treatment is not Treatment.PLAIN or name in {"state", "county", "cost_domain_id"}
        if rule.treatment is Treatment.CODE:
            assert rule.argument in omop_tables()[table].names
        if name.endswith("_source_value"):
            assert rule.treatment in {Treatment.CODE, Treatment.HIDDEN, Treatment.COMMUNE}


def test_every_person_table_can_be_granted() -> None:
    assert set(PERSON_TABLES) < set(GRANTABLE_TABLES)


def test_shown_columns_keep_their_order_and_the_person() -> None:
    granted = terms(TableGrant("person", ("gender_concept_id", "year_of_birth")))
    names = omop_tables()["person"].names
    assert shown_columns(granted, "person", names) == ("person_id", "gender_concept_id", "year_of_birth")
    with pytest.raises(NotAllowed) as caught:
        shown_columns(granted, "death", names)
    assert caught.value.code is Code.VIEW_NOT_GRANTED


def test_what_a_study_needs_is_checked_at_once() -> None:
    granted = terms(TableGrant("person", ("year_of_birth",)), TableGrant("drug_exposure"))
    check_granted(
        granted, {"person": ["person_id", "year_of_birth"], "concept": ["concept_id"], "drug_exposure": ["sig"]}
    )
    with pytest.raises(NotAllowed) as caught:
        check_granted(granted, {"person": ["month_of_birth"], "death": ["death_date"]})
    assert "death, person.month_of_birth" in caught.value.what


@pytest.mark.parametrize(
    ("table", "columns"), [("note", None), ("concept", None), ("person", ("nir",)), ("person", ())]
)
def test_a_grant_of_what_cannot_be_shown_does_not_exist(table: str, columns: tuple[str, ...] | None) -> None:
    with pytest.raises(ValueError, match="a permit grants"):
        TableGrant(table, columns)


def test_terms_grant_something_once_on_some_day() -> None:
    with pytest.raises(ValueError, match="at least one table"):
        terms()
    with pytest.raises(ValueError, match="each once"):
        terms(TableGrant("person"), TableGrant("person"))
    with pytest.raises(ValueError, match="at least one day"):
        ViewTerms("P-1", (TableGrant("person"),), WholeBase(), Span(date(2019, 1, 1), date(2019, 1, 1)))
