"""Criteria, their attributes and their groups as a definition writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import partial

from enclos.studies.circe.columns import missing_of, missing_of_regions
from enclos.studies.circe.concepts import ConceptSets, read_concept
from enclos.studies.circe.domains import (
    DOMAINS,
    PERSON_ATTRIBUTES,
    Attribute,
    CountColumn,
    Domain,
    Kind,
    source_attribute,
)
from enclos.studies.circe.model import (
    AbnormalTest,
    Bound,
    Comparison,
    ConceptSetTest,
    ConceptsTest,
    Correlated,
    Count,
    Criterion,
    DateAdjustment,
    DayTest,
    Demographic,
    Filter,
    Group,
    GroupKind,
    NumberTest,
    Test,
    TextTest,
    Window,
)
from enclos.studies.circe.tree import Node, known

_COMPARISONS = {
    "lt": Comparison.LESS,
    "lte": Comparison.AT_MOST,
    "eq": Comparison.EQUAL,
    "!eq": Comparison.NOT_EQUAL,
    "gt": Comparison.MORE,
    "gte": Comparison.AT_LEAST,
    "bt": Comparison.BETWEEN,
    "!bt": Comparison.NOT_BETWEEN,
}
_TEXT_OPS = {
    f"{sign}{word}".lower(): (sign == "!", before, after)
    for sign in ("", "!")
    for word, before, after in (("eq", "", ""), ("startsWith", "", "%"), ("endsWith", "%", ""), ("contains", "%", "%"))
}
_DOMAINS = known(*(domain.value for domain in Domain))
_GROUP = known("Type", "Count", "CriteriaList", "DemographicCriteriaList", "Groups")
_KINDS = {kind.value.lower(): kind for kind in GroupKind}
_CORRELATED = known("Criteria", "StartWindow", "EndWindow", "Occurrence", "RestrictVisit", "IgnoreObservationPeriod")
_COUNTS = (Count.EXACTLY, Count.AT_MOST, Count.AT_LEAST)
_COUNT_COLUMNS = {word.lower(): column for column in CountColumn for word in (column.name, column.value)}
_NOTHING = Criterion(Domain.OBSERVATION_PERIOD)


def read_criterion(node: Node, sets: ConceptSets) -> Criterion:
    """A criterion: an object whose only key is its domain."""
    domains = node.fields(_DOMAINS)
    if len(domains) != 1:
        if domains or not node.value:
            node.fault("should hold one criterion, named by its domain")
        return _NOTHING
    ((name, inner),) = domains.items()
    domain = Domain(name)
    table = DOMAINS[domain]
    special = [
        *(["CodesetId"] if table.concept else []),
        *([source_attribute(domain)] if table.source_concept else []),
        *(["First"] if table.first else []),
        *(["DateAdjustment"] if table.adjustable else []),
        *(["UserDefinedPeriod"] if table.period else []),
        *(["PlaceOfServiceLocation"] if table.care_site else []),
        "CorrelatedCriteria",
    ]
    excludes = [attribute.exclude for attribute in table.attributes.values() if attribute.exclude]
    fields = inner.fields(known(*special, *table.attributes, *excludes))
    if domain is Domain.LOCATION_REGION:
        inner.reads(missing_of_regions())
    if "PlaceOfServiceLocation" in fields:
        fields["PlaceOfServiceLocation"].reads(missing_of_regions())
    period = fields["UserDefinedPeriod"].fields(known("StartDate", "EndDate")) if "UserDefinedPeriod" in fields else {}

    correlated = read_group(fields["CorrelatedCriteria"], sets) if "CorrelatedCriteria" in fields else None
    return Criterion(
        domain,
        concept_set=sets.named(fields["CodesetId"]) if "CodesetId" in fields else None,
        source_set=sets.named(fields[source_attribute(domain)]) if source_attribute(domain) in fields else None,
        first=fields["First"].boolean() if "First" in fields else False,
        filters=_filters(fields, table.attributes, sets, table.table),
        adjustment=_adjustment(fields["DateAdjustment"], domain) if "DateAdjustment" in fields else None,
        period_start=period["StartDate"].day() if "StartDate" in period else None,
        period_end=period["EndDate"].day() if "EndDate" in period else None,
        location_set=sets.named(fields["PlaceOfServiceLocation"]) if "PlaceOfServiceLocation" in fields else None,
        correlated=correlated if correlated is not None and correlated.members else None,
    )


def _filters(
    fields: Mapping[str, Node], attributes: Mapping[str, Attribute], sets: ConceptSets, table: str = "person"
) -> tuple[Filter, ...]:
    found = []
    for name, attribute in attributes.items():
        if name in fields:
            negated = attribute.exclude in fields and fields[attribute.exclude].boolean()
            test = _test(fields[name], attribute, sets, negated=negated)
            if test is not None:
                found.append(Filter(attribute.target, test))
                fields[name].reads(missing_of(table, attribute.target.columns))
        elif attribute.exclude in fields:
            fields[attribute.exclude].boolean()
    return tuple(found)


def _test(node: Node, attribute: Attribute, sets: ConceptSets, *, negated: bool) -> Test | None:
    match attribute.kind:
        case Kind.INTEGER | Kind.DECIMAL | Kind.DAY | Kind.TEXT:
            return _VALUE_TESTS[attribute.kind](node)
        case Kind.CONCEPTS:
            concepts = tuple(sorted({read_concept(item) for item in node.items()}))
            return ConceptsTest(concepts, negated) if concepts else None
        case Kind.SELECTION:
            return _selection(node, sets)
        case Kind.CONCEPT_SET:
            return ConceptSetTest(sets.named(node), negated=False)
        case Kind.FLAG:
            return AbnormalTest() if node.boolean() else None


def _comparison(node: Node, fields: dict[str, Node]) -> Comparison | None:
    if "Op" not in fields:
        node.fault("has no Op")
        return None
    comparison = fields["Op"].word(_COMPARISONS, Comparison.EQUAL)
    between = comparison in (Comparison.BETWEEN, Comparison.NOT_BETWEEN)
    for wanted in ("Value", "Extent") if between else ("Value",):
        if wanted not in fields:
            node.fault(f"has no {wanted}")
            return None
    return comparison


def _number_test(node: Node, *, whole: bool) -> NumberTest | None:
    fields = node.fields(known("Value", "Op", "Extent"))
    comparison = _comparison(node, fields)
    if comparison is None:
        return None
    between = comparison in (Comparison.BETWEEN, Comparison.NOT_BETWEEN)
    return NumberTest(
        comparison, _number(fields["Value"], whole=whole), _number(fields["Extent"], whole=whole) if between else None
    )


def _number(node: Node, *, whole: bool) -> str:
    """A number as Circe writes it into SQL: cut to a whole one, or rounded to four decimals."""
    value = node.number()
    if whole:
        return str(int(value))
    return str(Decimal(repr(value)).quantize(Decimal("0.0001"), ROUND_HALF_UP))


def _day_test(node: Node) -> DayTest | None:
    fields = node.fields(known("Value", "Op", "Extent"))
    comparison = _comparison(node, fields)
    if comparison is None:
        return None
    between = comparison in (Comparison.BETWEEN, Comparison.NOT_BETWEEN)
    return DayTest(comparison, fields["Value"].day(), fields["Extent"].day() if between else None)


def _text_test(node: Node) -> TextTest | None:
    fields = node.fields(known("Text", "Op"))
    missing = [name for name in ("Text", "Op") if name not in fields]
    if missing:
        node.fault(f"has no {missing[0]}")
        return None
    negated, before, after = fields["Op"].word(_TEXT_OPS, (False, "", ""))
    return TextTest(f"{before}{fields['Text'].text()}{after}", negated)


_VALUE_TESTS: Mapping[Kind, Callable[[Node], Test | None]] = {
    Kind.INTEGER: partial(_number_test, whole=True),
    Kind.DECIMAL: partial(_number_test, whole=False),
    Kind.DAY: _day_test,
    Kind.TEXT: _text_test,
}


def _selection(node: Node, sets: ConceptSets) -> ConceptSetTest | None:
    fields = node.fields(known("CodesetId", "IsExclusion"))
    negated = fields["IsExclusion"].boolean() if "IsExclusion" in fields else False
    return ConceptSetTest(sets.named(fields["CodesetId"]), negated) if "CodesetId" in fields else None


def _adjustment(node: Node, domain: Domain) -> DateAdjustment:
    """The adjustment; that of a death always moves its day and the day after, as circe-be does it."""
    fields = node.fields(known("StartWith", "StartOffset", "EndWith", "EndOffset"))
    with_end = {"start_date": False, "end_date": True}
    start_with_end = fields["StartWith"].word(with_end, False) if "StartWith" in fields else False
    end_with_end = fields["EndWith"].word(with_end, True) if "EndWith" in fields else True
    return DateAdjustment(
        start_with_end and domain is not Domain.DEATH,
        fields["StartOffset"].integer() if "StartOffset" in fields else 0,
        end_with_end or domain is Domain.DEATH,
        fields["EndOffset"].integer() if "EndOffset" in fields else 0,
    )


def read_group(node: Node, sets: ConceptSets) -> Group:
    """A group of conditions."""
    fields = node.fields(_GROUP)

    def listed(name: str) -> list[Node]:
        return fields[name].items() if name in fields else []

    members: list[Correlated | Demographic | Group] = []
    members += [_correlated(item, sets) for item in listed("CriteriaList")]
    members += [_demographic(item, sets) for item in listed("DemographicCriteriaList")]
    members += [read_group(item, sets) for item in listed("Groups")]
    if "Type" not in fields:
        if members:
            node.fault("has no Type")
        return Group(GroupKind.ALL, 0, tuple(members))
    kind = fields["Type"].word(_KINDS, GroupKind.ALL)
    counted = kind in (GroupKind.AT_LEAST, GroupKind.AT_MOST)
    if counted and members and "Count" not in fields:
        node.fault("has no Count")
    n = fields["Count"].integer(0) if "Count" in fields else 0
    return Group(kind, n if counted else 0, tuple(members))


def _demographic(node: Node, sets: ConceptSets) -> Demographic:
    return Demographic(_filters(node.fields(known(*PERSON_ATTRIBUTES)), PERSON_ATTRIBUTES, sets))


def _correlated(node: Node, sets: ConceptSets) -> Correlated:
    fields = node.fields(_CORRELATED)
    for required in ("Criteria", "StartWindow", "Occurrence"):
        if required not in fields:
            node.fault(f"has no {required}")
    criterion = read_criterion(fields["Criteria"], sets) if "Criteria" in fields else _NOTHING
    windows = []
    if "StartWindow" in fields:
        windows.append(_window(fields["StartWindow"], event_end_unless_given=False))
    if "EndWindow" in fields:
        windows.append(_window(fields["EndWindow"], event_end_unless_given=True))
    count, n, distinct = Count.AT_LEAST, 1, None
    if "Occurrence" in fields:
        count, n, distinct = _occurrence(fields["Occurrence"], criterion.domain)
    return Correlated(
        criterion,
        tuple(windows),
        restrict_visit=fields["RestrictVisit"].boolean() if "RestrictVisit" in fields else False,
        within_observation=not (
            fields["IgnoreObservationPeriod"].boolean() if "IgnoreObservationPeriod" in fields else False
        ),
        count=count,
        n=n,
        distinct=distinct,
    )


def _occurrence(node: Node, domain: Domain) -> tuple[Count, int, CountColumn | None]:
    fields = node.fields(known("Type", "Count", "IsDistinct", "CountColumn"))
    for required in ("Type", "Count"):
        if required not in fields:
            node.fault(f"has no {required}")
    kind = fields["Type"].integer(0) if "Type" in fields else 2
    if kind >= len(_COUNTS):
        fields["Type"].fault("should be 0 (exactly), 1 (at most) or 2 (at least)")
        kind = 2
    distinct = None
    column = fields["CountColumn"].word(_COUNT_COLUMNS, CountColumn.DOMAIN_CONCEPT) if "CountColumn" in fields else None
    if "IsDistinct" in fields and fields["IsDistinct"].boolean():
        distinct = column or CountColumn.DOMAIN_CONCEPT
        if distinct not in DOMAINS[domain].counted:
            node.fault(f"counts {distinct.name}, which {domain.value} does not have")
    return _COUNTS[kind], fields["Count"].integer(0) if "Count" in fields else 1, distinct


def _window(node: Node, *, event_end_unless_given: bool) -> Window:
    """A window; an end window looks at the event's end unless it says otherwise, as old definitions expect."""
    fields = node.fields(known("Start", "End", "UseIndexEnd", "UseEventEnd"))
    for required in ("Start", "End"):
        if required not in fields:
            node.fault(f"has no {required}")
    return Window(
        _bound(fields["Start"]) if "Start" in fields else Bound(0, before=True),
        _bound(fields["End"]) if "End" in fields else Bound(0, before=False),
        fields["UseIndexEnd"].boolean() if "UseIndexEnd" in fields else False,
        fields["UseEventEnd"].boolean() if "UseEventEnd" in fields else event_end_unless_given,
    )


def _bound(node: Node) -> Bound:
    fields = node.fields(known("Days", "Coeff"))
    sign = fields["Coeff"].integer() if "Coeff" in fields else 0
    if sign not in (-1, 1):
        node.fault("should have a Coeff of -1 (before) or 1 (after)")
    days = sign * fields["Days"].integer() if "Days" in fields else None
    return Bound(days, before=sign == -1)
