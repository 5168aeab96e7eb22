"""The form of a code job's table."""

from __future__ import annotations

import pytest

from enclos.contracts.tables import KeyKind
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.studies.tables.document import form_from_yaml

FORM = """\
table: job
person: person_id   # Dupont
keys:
  - {column: gender_concept_id, kind: concept}
  - {column: age, kind: band, width: 10}
measures: [person_count, record_count, {sum: days_supply}, {median: days_supply}, {mean: cost}]
"""


def test_a_form_says_its_columns_and_is_written_anew() -> None:
    found = form_from_yaml(FORM)
    kinds = [("gender_concept_id", KeyKind.CONCEPT), ("age", KeyKind.BAND)]
    assert list(found.columns) == [("person_id", None), *kinds, ("days_supply", None), ("cost", None)]
    assert "Dupont" not in found.text
    assert form_from_yaml(found.text) == found


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{sum: days_supply}", "estimate", "what a model says"),
        ("{sum: days_supply}", "{odds_ratio: cost}", "what a model says"),
        ("{sum: days_supply}", "{max: cost}", "a measure is one of"),
        ("{sum: days_supply}", "stay_count", "a measure is one of"),
        ("{sum: days_supply}", "{person_count: cost}", "a measure is one of"),
        ("{sum: days_supply}", "person_count", "each once"),
        ("column: age", "column: dupont_has_hiv", "called as OMOP calls it"),
        ("kind: concept", "kind: name", "of one of the kinds"),
        ("kind: concept", "kind: text", "of one of the kinds"),
        ("width: 10", "width: 1", "width"),
        ("kind: band, ", "kind: year, ", "width"),
        ("column: age", "column: gender_concept_id", "there once"),
        ("person: person_id", "person: person_id\ntitle: Dupont", "nothing else"),
        ("table: job", "table: sql", "table: job"),
    ],
)
def test_what_is_not_on_the_lists_or_only_asserted_is_refused(old: str, new: str, said: str) -> None:
    with pytest.raises(Refusal) as caught:
        form_from_yaml(FORM.replace(old, new, 1))
    assert caught.value.code is Code.RELEASE_UNTYPED
    assert said in str(caught.value)
    assert "dupont" not in str(caught.value).lower()
