"""Circe JSON in, a definition out; every fault is named with its path.

This is an edge: untyped text arrives here and nowhere deeper. An attribute that Circe does not define is a fault,
also one that Circe's own builder would ignore, since a cohort must not be other than its file says.
"""

from __future__ import annotations

from enclos.studies.circe.concepts import ConceptSets, read_concept_sets
from enclos.studies.circe.criteria import read_criterion, read_group
from enclos.studies.circe.model import (
    Criterion,
    DateOffset,
    Definition,
    DrugEraEnd,
    Group,
    GroupKind,
    InclusionRule,
    Limit,
)
from enclos.studies.circe.tree import Node, known, tree_of

_DEFINITION = known(
    "Title",
    "cdmVersionRange",
    "ConceptSets",
    "PrimaryCriteria",
    "AdditionalCriteria",
    "QualifiedLimit",
    "ExpressionLimit",
    "InclusionRules",
    "EndStrategy",
    "CensoringCriteria",
    "CollapseSettings",
    "CensorWindow",
)
_FIELDS = {"startdate": "start", "enddate": "end"}
_LIMITS = {limit.value.lower(): limit for limit in Limit}
_NO_CONDITION = Group(GroupKind.ALL, 0, ())


def read_circe(text: str) -> Definition:
    """The cohort that a Circe definition describes.

    Refuses: CIRCE_UNREADABLE when the text is not JSON, CIRCE_INVALID when it is not Circe's; all faults are told,
             each with its path.
    Source: OHDSI circe-be, CohortExpression.
    """
    root = tree_of(text)
    fields = root.fields(_DEFINITION)
    if "PrimaryCriteria" not in fields:
        root.fault("has no PrimaryCriteria")
    sets = read_concept_sets(fields.get("ConceptSets"))
    criteria, prior_days, post_days, primary_limit = _primary(fields.get("PrimaryCriteria"), sets)
    additional = read_group(fields["AdditionalCriteria"], sets) if "AdditionalCriteria" in fields else None
    censor = fields["CensorWindow"].fields(known("StartDate", "EndDate")) if "CensorWindow" in fields else {}
    definition = Definition(
        criteria=criteria,
        prior_days=prior_days,
        post_days=post_days,
        primary_limit=primary_limit,
        additional=additional if additional is None or additional.members else None,
        qualified_limit=_limit(fields.get("QualifiedLimit")) if additional is not None else Limit.ALL,
        rules=_rules(fields.get("InclusionRules"), sets),
        expression_limit=_limit(fields.get("ExpressionLimit")),
        end=_end(fields.get("EndStrategy"), sets),
        censoring=_criteria(fields.get("CensoringCriteria"), sets),
        censor_from=censor["StartDate"].day() if "StartDate" in censor else None,
        censor_until=censor["EndDate"].day() if "EndDate" in censor else None,
        era_pad_days=_era_pad(fields.get("CollapseSettings")),
        beyond=tuple(root.faults.beyond.items()),
    )
    root.faults.refuse()
    return definition


def _primary(node: Node | None, sets: ConceptSets) -> tuple[tuple[Criterion, ...], int, int, Limit]:
    if node is None:
        return (), 0, 0, Limit.ALL
    fields = node.fields(known("CriteriaList", "ObservationWindow", "PrimaryCriteriaLimit"))
    criteria = _criteria(fields.get("CriteriaList"), sets)
    if not criteria:
        node.fault("has no criterion in its CriteriaList")
    window = fields["ObservationWindow"].fields(known("PriorDays", "PostDays")) if "ObservationWindow" in fields else {}
    days = [window[name].integer(0) if name in window else 0 for name in ("PriorDays", "PostDays")]
    return criteria, days[0], days[1], _limit(fields.get("PrimaryCriteriaLimit"))


def _criteria(node: Node | None, sets: ConceptSets) -> tuple[Criterion, ...]:
    return tuple(read_criterion(item, sets) for item in node.items()) if node is not None else ()


def _limit(node: Node | None) -> Limit:
    """A limit that is not given is FIRST; a type of null is none."""
    if node is None:
        return Limit.FIRST
    fields = node.fields(known("Type"))
    if "Type" in fields:
        return fields["Type"].word(_LIMITS, Limit.ALL)
    return Limit.ALL if isinstance(node.value, dict) and node.value else Limit.FIRST


def _rules(node: Node | None, sets: ConceptSets) -> tuple[InclusionRule, ...]:
    rules = []
    for number, item in enumerate(node.items() if node is not None else [], start=1):
        fields = item.fields(known("name", "description", "expression"))
        name = fields["name"].text() if "name" in fields else ""
        if "expression" not in fields:
            item.fault("has no expression")
        group = read_group(fields["expression"], sets) if "expression" in fields else _NO_CONDITION
        rules.append(InclusionRule(name.strip() or f"rule {number}", group))
    return tuple(rules)


def _end(node: Node | None, sets: ConceptSets) -> DateOffset | DrugEraEnd | None:
    if node is None:
        return None
    fields = node.fields(known("DateOffset", "CustomEra"))
    if len(fields) != 1:
        node.fault("should hold one of DateOffset, CustomEra")
        return None
    if "DateOffset" in fields:
        offset = fields["DateOffset"].fields(known("DateField", "Offset"))
        from_end = (
            offset["DateField"].word({"startdate": False, "enddate": True}, False) if "DateField" in offset else False
        )
        return DateOffset(from_end, offset["Offset"].integer() if "Offset" in offset else 0)
    era = fields["CustomEra"].fields(known("DrugCodesetId", "GapDays", "Offset", "DaysSupplyOverride"))
    if "DrugCodesetId" not in era:
        fields["CustomEra"].fault("has no DrugCodesetId")
        return None
    return DrugEraEnd(
        sets.named(era["DrugCodesetId"]),
        era["GapDays"].integer(0) if "GapDays" in era else 0,
        era["Offset"].integer() if "Offset" in era else 0,
        era["DaysSupplyOverride"].integer(0) if "DaysSupplyOverride" in era else None,
    )


def _era_pad(node: Node | None) -> int:
    if node is None:
        return 0
    fields = node.fields(known("CollapseType", "EraPad"))
    if "CollapseType" in fields:
        fields["CollapseType"].word({"era": "ERA"}, "ERA")
    return fields["EraPad"].integer(0) if "EraPad" in fields else 0
