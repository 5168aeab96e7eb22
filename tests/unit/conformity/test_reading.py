"""Catalogues are read whole or refused, and say what they are."""

from __future__ import annotations

import re

import pytest

from enclos.conformity.model import Need, Status, Verdict
from enclos.conformity.rules.judging import judge
from enclos.conformity.rules.oscal import control_id
from enclos.conformity.rules.reading import COLUMNS, catalogue_from
from enclos.conformity.steps import catalogues, chosen
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal

FACTS = {
    **dict.fromkeys(("framework", "title", "source", "licence", "note", "floor"), "words"),
    "status": "final",
}
ROW = dict(zip(COLUMNS, ("1", "t", "words", "mandatory", "1", "both", "log.retention:365", "doc.risk"), strict=True))


def test_what_is_carried_has_the_numbers_of_its_sources_and_says_how_sure_it_is() -> None:
    carried = catalogues()
    assert {id_: len(each.requirements) for id_, each in carried.items()} == {
        "secnumcloud-3.2": 278,
        "hds-2.0": 37,
        "ehds-2025-327": 79,
        "tehdas2-d7.4": 119,
        "cnil-eds-2021-118": 52,
        "cnil-mr007-2023-082": 23,
        "snds-2024": 28,
        "satre-2.0": 185,
        "anssi-bp028-2.0": 80,
        "anssi-tls": 45,
        "ec-cloud-sovereignty-1.2.1": 8,
    }
    assert {id_: each.status for id_, each in carried.items() if each.status is not Status.FINAL} == {
        "tehdas2-d7.4": Status.DRAFT,
        "cnil-eds-2021-118": Status.PARTIAL,
        "snds-2024": Status.TITLES,
        "ec-cloud-sovereignty-1.2.1": Status.PARTIAL,
    }
    assert all(each.licence and each.source and each.floor for each in carried.values())


def test_weights_and_obligations_are_those_of_the_source() -> None:
    weights = [each.weight for each in catalogues()["ec-cloud-sovereignty-1.2.1"].requirements]
    assert weights == [15, 10, 10, 15, 20, 15, 10, 5]
    needs = [each.need for each in catalogues()["satre-2.0"].requirements]
    assert [needs.count(need) for need in Need] == [95, 67, 23]


def test_one_number_means_different_things_in_two_frameworks() -> None:
    tls, linux = (
        next(r for r in catalogues()[c].requirements if r.id == "R3") for c in ("anssi-tls", "anssi-bp028-2.0")
    )
    assert tls.id == linux.id and tls.key != linux.key
    assert judge(tls, {}, []).verdict is Verdict.NOT_DEMONSTRATED


def test_a_catalogue_is_named_by_its_id_or_how_one_begins() -> None:
    assert [each.id for each in chosen(["hds"])] == ["hds-2.0"]
    assert len(chosen([])) == len(catalogues())
    for name in ("anssi", "iso", ""):
        with pytest.raises(Refusal) as refused:
            chosen([name])
        assert refused.value.code is Code.FRAMEWORK_UNKNOWN


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"id": ""}, "line 2"),
        ({"paraphrase": " "}, "line 2"),
        ({"need": "must"}, "fit together"),
        ({"weight": "-1"}, "fit together"),
        ({"weight": "a lot"}, "fit together"),
        ({"kind": "document"}, "fit together"),
        ({"kind": "auto"}, "fit together"),
        ({"probes": ""}, "fit together"),
        ({"probes": "Rm -rf"}, "named like"),
        ({"documents": "risk"}, "named like"),
    ],
)
def test_a_row_that_is_not_understood_refuses_the_catalogue(changed, said) -> None:
    with pytest.raises(Refusal) as refused:
        catalogue_from("c", FACTS, COLUMNS, [ROW | changed])
    assert refused.value.code is Code.CATALOGUE_ROWS
    assert said in refused.value.what


def test_a_number_that_stands_twice_other_columns_or_no_row_are_refused() -> None:
    for facts, header, rows in (
        (FACTS, COLUMNS, [ROW, ROW]),
        (FACTS, COLUMNS[1:], [ROW]),
        (FACTS, COLUMNS, []),
        (FACTS | {"status": "good"}, COLUMNS, [ROW]),
        (FACTS | {"more": "words"}, COLUMNS, [ROW]),
    ):
        with pytest.raises(Refusal) as refused:
            catalogue_from("c", facts, header, rows)
        assert refused.value.code is Code.CATALOGUE_ROWS
    assert len(catalogue_from("c", FACTS, COLUMNS, [ROW]).requirements) == 1


def test_every_number_has_a_token_of_oscal_of_its_own() -> None:
    keys = [each.key for catalogue in catalogues().values() for each in catalogue.requirements]
    tokens = [control_id(*key) for key in keys]
    assert len(set(tokens)) == len(keys) == 934
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9._-]*", token) for token in tokens)
