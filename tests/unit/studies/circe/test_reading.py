"""What a definition may not hold is refused with the path where it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from enclos.studies.circe import Definition, read_circe
from enclos.studies.circe.domains import DOMAINS, Domain
from enclos.studies.circe.model import Comparison, Limit, NumberTest, TextTest
from factories.circe import CORRELATED, definition, definition_with_everything

RULE = {"name": "rule", "expression": {"Type": "ALL", "CriteriaList": [CORRELATED]}}
WHOLE = definition(
    "DrugExposure",
    7,
    attributes={"Age": {"Op": "gte", "Value": 18}, "StopReason": {"Op": "contains", "Text": "x"}},
    InclusionRules=[RULE],
    EndStrategy={"CustomEra": {"DrugCodesetId": 7, "GapDays": 30, "Offset": 0}},
)
PRIMARY = "PrimaryCriteria.CriteriaList[0].DrugExposure"
GROUP = "InclusionRules[0].expression"
MEMBER = f"{GROUP}.CriteriaList[0]"


def changed(path: str, value: Any) -> str:
    """The definition with another value at a path; ``...`` takes it away."""
    document = json.loads(json.dumps(WHOLE))
    *names, last = path.replace("[", ".[").split(".")
    place = document
    for name in names:
        place = place[int(name[1:-1])] if name.startswith("[") else place[name]
    if value is ...:
        del place[last]
    else:
        place[int(last[1:-1]) if last.startswith("[") else last] = value
    return json.dumps(document)


def refused(text: str) -> NotAsPromised:
    with pytest.raises(NotAsPromised) as caught:
        read_circe(text)
    return caught.value


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("PrimaryCriteria", ..., "the definition has no PrimaryCriteria"),
        ("Criteria", [], "Criteria is not known to Circe"),
        ("PrimaryCriteria.CriteriaList", [], "PrimaryCriteria has no criterion in its CriteriaList"),
        ("PrimaryCriteria.CriteriaList[0]", {"Drug": {}}, "PrimaryCriteria.CriteriaList[0].Drug is not known to Circe"),
        ("PrimaryCriteria.CriteriaList[0]", {}, "PrimaryCriteria.CriteriaList[0] should hold one criterion"),
        ("PrimaryCriteria.CriteriaList[0]", {"Death": {"First": True}}, "Death.First is not known to Circe"),
        ("PrimaryCriteria.ObservationWindow.PriorDays", -1, "PriorDays should be a whole number of at least 0"),
        ("PrimaryCriteria.ObservationWindow.PriorDays", "1.5", "PriorDays should be a whole number"),
        ("PrimaryCriteria.ObservationWindow.PriorDays", "", "PriorDays should be a whole number"),
        ("PrimaryCriteria.PrimaryCriteriaLimit", {"Type": "Second"}, "Type should be one of all, first, last"),
        (f"{PRIMARY}.Ages", {}, f"{PRIMARY}.Ages is not known to Circe"),
        (f"{PRIMARY}.Ages", None, f"{PRIMARY}.Ages is not known to Circe"),
        (f"{PRIMARY}.CodesetId", 99, f"{PRIMARY}.CodesetId names no concept set of the definition"),
        (f"{PRIMARY}.Age", {"Op": "gte"}, f"{PRIMARY}.Age has no Value"),
        (f"{PRIMARY}.Age", {"Op": "bt", "Value": 1}, f"{PRIMARY}.Age has no Extent"),
        (f"{PRIMARY}.Age", {"Op": "over", "Value": 1}, f"{PRIMARY}.Age.Op should be one of"),
        (f"{PRIMARY}.Age", {"Op": "gte", "Value": "old"}, f"{PRIMARY}.Age.Value should be a number"),
        (f"{PRIMARY}.Age", {"Op": "gte", "Value": True}, f"{PRIMARY}.Age.Value should be a number"),
        (f"{PRIMARY}.Quantity", {"Op": "gte", "Value": 10**30}, f"{PRIMARY}.Quantity.Value should be a number"),
        (
            f"{PRIMARY}.Quantity",
            {"Op": "bt", "Value": -1e24, "Extent": 1},
            f"{PRIMARY}.Quantity.Value should be a number",
        ),
        (f"{PRIMARY}.Age", 18, f"{PRIMARY}.Age should be an object"),
        (f"{PRIMARY}.StopReason", {"Op": "like", "Text": "x"}, f"{PRIMARY}.StopReason.Op should be one of"),
        (f"{PRIMARY}.OccurrenceStartDate", {"Op": "gt", "Value": "2020-02-30"}, "Value should be a day"),
        (f"{PRIMARY}.Gender", [{"CONCEPT_NAME": "x"}], f"{PRIMARY}.Gender[0] has no CONCEPT_ID"),
        (f"{PRIMARY}.Gender", {"CONCEPT_ID": 1}, f"{PRIMARY}.Gender should be a list"),
        (f"{PRIMARY}.First", "yes", f"{PRIMARY}.First should be true or false"),
        (f"{PRIMARY}.first", True, ""),
        (f"{GROUP}.Type", ..., f"{GROUP} has no Type"),
        (f"{GROUP}.Type", "SOME", f"{GROUP}.Type should be one of all, any, at_least, at_most"),
        (f"{GROUP}.Type", "AT_LEAST", f"{GROUP} has no Count"),
        ("InclusionRules[0].expression", ..., "InclusionRules[0] has no expression"),
        (f"{MEMBER}.StartWindow", ..., f"{MEMBER} has no StartWindow"),
        (f"{MEMBER}.StartWindow.Start.Coeff", 0, "Start should have a Coeff of -1 (before) or 1 (after)"),
        (f"{MEMBER}.Occurrence.Type", 3, f"{MEMBER}.Occurrence.Type should be 0 (exactly)"),
        (f"{MEMBER}.Occurrence.Count", ..., f"{MEMBER}.Occurrence has no Count"),
        (
            f"{MEMBER}.Occurrence",
            {"Type": 2, "Count": 1, "IsDistinct": True, "CountColumn": "RANGE_LOW"},
            f"{MEMBER}.Occurrence counts RANGE_LOW, which DrugExposure does not have",
        ),
        (f"{MEMBER}.Window", {}, f"{MEMBER}.Window is not known to Circe"),
        ("EndStrategy", {}, "EndStrategy should hold one of DateOffset, CustomEra"),
        ("EndStrategy", {"CustomEra": {}}, "EndStrategy.CustomEra has no DrugCodesetId"),
        ("EndStrategy", {"DateOffset": {"DateField": "Middle"}}, "EndStrategy.DateOffset.DateField should be one of"),
        ("CollapseSettings", {"CollapseType": "NO_COLLAPSE"}, "CollapseType should be one of era"),
        ("CensorWindow", {"StartDate": "yesterday"}, "CensorWindow.StartDate should be a day"),
        ("ConceptSets[1].id", 1, "ConceptSets[1].id is the id of another concept set too"),
        ("ConceptSets[1].expression.items[0].concept", {}, "items[0].concept has no CONCEPT_ID"),
        ("ConceptSets[1].expression.items[0].isExcluded", 1, "items[0].isExcluded should be true or false"),
        ("ConceptSets[1].expression.isExcluded", True, "ConceptSets[1].expression.isExcluded is read of items only"),
        ("ConceptSets[1].expression.concept", {"CONCEPT_ID": 1}, "expression.concept is read of items only"),
        ("ConceptSets[1].expression.Excluded", False, "ConceptSets[1].expression.Excluded is not known to Circe"),
    ],
)
def test_a_fault_is_named_with_its_path(path: str, value: Any, said: str) -> None:
    if not said:
        assert read_circe(changed(path, value)).criteria[0].first
        return
    refusal = refused(changed(path, value))
    assert refusal.code is Code.CIRCE_INVALID
    assert said in refusal.what


def test_all_faults_are_told_and_no_more_than_twenty() -> None:
    faults = {f"{PRIMARY.rpartition('.')[2]}": {f"Wrong{number}": 1 for number in range(30)}}
    refusal = refused(changed("PrimaryCriteria.CriteriaList[0]", faults))
    assert "Wrong0 " in refusal.what and "Wrong19 " in refusal.what and "and 10 more" in refusal.what


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1 is not JSON"),
        ('{"a": 1,\n}', "line 2 is not JSON"),
        ('{"a": NaN}', "a number in it is none"),
        ('{"First": 1, "First": 2}', "has First twice"),
        ("[" * 3000 + "]" * 3000, "nests too deep"),
        ('{"a":' * 200 + "1" + "}" * 200, "nests too deep"),
    ],
)
def test_what_is_not_one_json_document_cannot_be_read(text: str, said: str) -> None:
    refusal = refused(text)
    assert refusal.code is Code.CIRCE_UNREADABLE
    assert said in refusal.what


@pytest.mark.parametrize("twice", ['"Value": 1, "Value": 2', '"Value": {"x": 1}, "Value": 2', '"x": "\\u003a", "x": 1'])
@pytest.mark.parametrize("beside", ["none", "a: b", '\\":', "\\u003a", "\\u003A: \\u003a", ":::"])
def test_a_name_that_is_given_twice_is_found_whatever_colons_are_in_texts(twice: str, beside: str) -> None:
    once = f'{{"Title": "{beside}", "cdmVersionRange": ["{beside}"], "PrimaryCriteria": {{"Op" :"{beside}", %s}}}}'
    assert refused(once % twice).code is Code.CIRCE_UNREADABLE
    assert "PrimaryCriteria.Value is not known" in refused(once % '"Value": 1').what


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("concept", ..., "items[1] has no concept"),
        ("concept", 7, "items[1].concept should be an object"),
        ("concept.CONCEPT_ID", ..., "items[1].concept has no CONCEPT_ID"),
        ("concept.CONCEPT_ID", True, "items[1].concept.CONCEPT_ID should be a whole number"),
        ("concept.CONCEPT_ID", -1, "items[1].concept.CONCEPT_ID should be a whole number"),
        ("concept.CONCEPT_ID", 2**31, "items[1].concept.CONCEPT_ID should be a whole number"),
        ("concept.concept_id", 7, "items[1].concept.concept_id is given twice"),
        ("isExcluded", 1, "items[1].isExcluded should be true or false"),
        ("Excluded", True, "items[1].Excluded is not known"),
    ],
)
def test_one_item_among_many_that_is_not_as_it_should_be_is_named(path: str, value: Any, said: str) -> None:
    document = json.loads(json.dumps(WHOLE))
    document["ConceptSets"][0]["expression"]["items"] = [
        {"concept": {"CONCEPT_ID": number}, "isExcluded": False, "includeDescendants": True} for number in range(3)
    ]
    place = document["ConceptSets"][0]["expression"]["items"][1]
    *names, last = path.split(".")
    for name in names:
        place = place[name]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    assert said in refused(json.dumps(document)).what


@pytest.mark.parametrize(
    "deep", ["[" * 300 + "]" * 300, '[{"id": 0, "expression": ' + '{"a":' * 300 + "1" + "}" * 301 + "]"]
)
def test_concept_sets_of_another_layout_are_faults_however_deep(deep: str) -> None:
    refusal = refused(f'{{"ConceptSets": {deep}}}')
    assert refusal.code is Code.CIRCE_INVALID
    assert "ConceptSets[0]" in refusal.what


def test_the_mark_of_an_encoding_is_no_part_of_a_definition() -> None:
    text = json.dumps(WHOLE)
    assert read_circe(f"\ufeff{text}") == read_circe(text)
    assert refused(f"\ufeff\ufeff{text}").code is Code.CIRCE_UNREADABLE


@pytest.mark.parametrize("text", ["1", "[]", '"x"', "null", "true"])
def test_json_that_is_no_object_is_no_definition(text: str) -> None:
    assert refused(text).code is Code.CIRCE_INVALID


def test_limits_that_are_not_given_keep_the_first_event() -> None:
    read = read_circe(changed("ExpressionLimit", ...))
    assert read.expression_limit is Limit.FIRST
    assert read_circe(changed("ExpressionLimit", {"Type": None})).expression_limit is Limit.ALL


@pytest.mark.parametrize("path", [f"{PRIMARY}.Age.Value", "PrimaryCriteria.ObservationWindow.PriorDays"])
@pytest.mark.parametrize("written", ["18", "+18", "18.0", 18.0])
def test_a_number_is_read_alike_however_it_is_written(path: str, written: str | float) -> None:
    """Capr wrote numbers as texts; circe-be and ohdsi-circepy read them. Source: OHDSI/Capr, issue 9."""
    assert read_circe(changed(path, written)) == read_circe(changed(path, 18)) != read_circe(changed(path, 19))


@pytest.mark.parametrize("value", ["1e400", "-1e400", "1e24"])
@pytest.mark.parametrize("attribute", ["Age", "Quantity"])
def test_a_number_beyond_all_numbers_is_none(attribute: str, value: str) -> None:
    text = changed(f"{PRIMARY}.{attribute}", {"Op": "gt", "Value": "number"}).replace('"number"', value)
    assert f"{attribute}.Value should be a number" in refused(text).what


def test_numbers_are_cut_or_rounded_as_circe_writes_them() -> None:
    whole = read_circe(changed(f"{PRIMARY}.Age", {"Op": "gt", "Value": 18.9})).criteria[0].filters
    assert NumberTest(Comparison.MORE, "18") in [each.test for each in whole]
    decimal = read_circe(changed(f"{PRIMARY}.Quantity", {"Op": "!bt", "Value": 0.00005, "Extent": 2})).criteria[0]
    assert NumberTest(Comparison.NOT_BETWEEN, "0.0001", "2.0000") in [each.test for each in decimal.filters]


@pytest.mark.parametrize(
    ("op", "test"),
    [("!startsWith", TextTest("x%", True)), ("endsWith", TextTest("%x", False)), ("eq", TextTest("x", False))],
)
def test_a_text_filter_is_a_pattern(op: str, test: TextTest) -> None:
    read = read_circe(changed(f"{PRIMARY}.StopReason", {"Op": op, "Text": "x"})).criteria[0]
    assert test in [each.test for each in read.filters]


@pytest.mark.parametrize("domain", Domain)
def test_every_attribute_of_every_domain_is_read(domain: Domain) -> None:
    read: Definition = read_circe(definition_with_everything(domain))
    assert len(read.criteria[0].filters) == len(DOMAINS[domain].attributes)


def test_concepts_are_read_alike_however_their_names_are_written() -> None:
    written = definition("ConditionOccurrence", 7)
    other = json.loads(json.dumps(written))
    for concept_set in other["ConceptSets"]:
        concept_set["expression"]["items"] = [
            {"Concept": {"concept_id": each["concept"]["CONCEPT_ID"], "CONCEPT_NAME": None}}
            | {name.upper(): value for name, value in each.items() if name != "concept"}
            for each in concept_set["expression"]["items"]
        ]
    assert other != written
    assert read_circe(json.dumps(other)) == read_circe(json.dumps(written))


def test_what_describes_a_concept_is_passed_over_and_so_are_flags_of_no_item_that_say_nothing() -> None:
    """circe-be's Concept knows eleven fields and passes over others; ohdsi-circepy writes the flags of an item beside
    the items too, always false.
    """
    written = definition("ConditionOccurrence", 7)
    other = json.loads(json.dumps(written))
    for concept_set in other["ConceptSets"]:
        concept_set["expression"] |= {"isExcluded": False, "includeMapped": False, "includeDescendants": False}
        concept_set["expression"]["concept"] = None
        for item in concept_set["expression"]["items"]:
            item["concept"] |= {"RECORD_COUNT": "1,234", "DESCENDANT_RECORD_COUNT": None, "VALID_START_DATE": 1}
    assert read_circe(json.dumps(other)) == read_circe(json.dumps(written))
