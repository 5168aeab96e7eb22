"""Definitions of others whose constructs the definitions beside the checkout lack: their criteria, windows, limits and
exits as they are, on concept sets of two or three concepts.

Source: the names, but for two of a study of vaccines and the last, ours. OHDSI/PhenotypeLibrary (inst/cohorts),
ohdsi-studies/LegendT2dm (inst/cohorts/class), OHDSI/Capr (tests/testthat/resources), OHDSI/CohortGenerator
(inst/testdata), darwin-eu/CDMConnector (inst/cohorts5).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]
Side = tuple[int | None, int]
"""Days and their sign; None is without end."""

EVER_BEFORE, EVER_AFTER, TODAY = (None, -1), (None, 1), (0, -1)
NONE, SOME = (0, 0), (2, 1)
FEMALE, MALE = {"CONCEPT_ID": 8532}, {"CONCEPT_ID": 8507, "STANDARD_CONCEPT": None}
MAIN, DRUG, VISIT, LAB, OTHER, DRUG_2 = range(6)
"""The ids of concept sets."""


def _sets() -> list[Json]:
    named: Sequence[Sequence[int]] = (
        (40481087, 4112343),
        (1118084, 1125315),
        (9201, 262, 9203),
        (3000330,),
        (192671, 4266367),
        (1124300,),
    )
    return [
        {
            "id": number,
            "name": f"set {number}",
            "expression": {
                "items": [
                    {"concept": {"CONCEPT_ID": each}, "isExcluded": False, "includeDescendants": True}
                    for each in concepts
                ]
            },
        }
        for number, concepts in enumerate(named)
    ]


def _criterion(kind: str, concepts: int | None = MAIN, **attributes: Any) -> Json:
    return {kind: attributes if concepts is None else {"CodesetId": concepts, **attributes}}


def _window(start: Side, end: Side, *, event_end: bool = False, index_end: bool = False) -> Json:
    def side(days: int | None, sign: int) -> Json:
        return {"Coeff": sign} if days is None else {"Days": days, "Coeff": sign}

    return {"Start": side(*start), "End": side(*end), "UseIndexEnd": index_end, "UseEventEnd": event_end}


def _around(criterion: Json, window: Json, n: tuple[int, int], *, anywhere: bool = False, **more: Any) -> Json:
    occurrence = {"Type": n[0], "Count": n[1], "IsDistinct": False} | more.pop("counted", {})
    more |= {"RestrictVisit": False, "IgnoreObservationPeriod": anywhere}
    return {"Criteria": criterion, "StartWindow": window, "Occurrence": occurrence, **more}


def _group(kind: str, *members: Json, persons: Sequence[Json] = (), groups: Sequence[Json] = (), **more: Any) -> Json:
    lists = {"CriteriaList": list(members), "DemographicCriteriaList": list(persons), "Groups": list(groups)}
    return {"Type": kind, **lists, **more}


def _in_visit() -> Json:
    """A visit that began by then and had not ended."""
    end = _window(TODAY, EVER_AFTER, event_end=True)
    return _around(_criterion("VisitOccurrence", VISIT), _window(EVER_BEFORE, (0, 1)), SOME, EndWindow=end)


def _observed(days: int, first: int) -> Json:
    """A period of observation that began so long before and had not ended."""
    end = _window((0, first), EVER_AFTER, event_end=True)
    return _around(_criterion("ObservationPeriod", None), _window(EVER_BEFORE, (days, -1)), SOME, EndWindow=end)


def _exit(field: str, days: int) -> Json:
    return {"DateOffset": {"DateField": field, "Offset": days}}


def _era(concepts: int, gap: int, **more: int) -> Json:
    return {"CustomEra": {"DrugCodesetId": concepts, "GapDays": gap, "Offset": 0, **more}}


def _definition(criteria: Sequence[Json], *rules: Json, limits: str = "All First All", **more: Any) -> Json:
    primary, qualified, expression = ({"Type": limit} for limit in limits.split())
    window = {"PriorDays": more.pop("prior", 0), "PostDays": 0}
    return {
        "cdmVersionRange": ">=5.0.0",
        "PrimaryCriteria": {
            "CriteriaList": list(criteria),
            "ObservationWindow": window,
            "PrimaryCriteriaLimit": primary,
        },
        "ConceptSets": _sets(),
        "QualifiedLimit": qualified,
        "ExpressionLimit": expression,
        "InclusionRules": [{"name": f"rule {number}", "expression": rule} for number, rule in enumerate(rules)],
        "CensoringCriteria": more.pop("censoring", []),
        "CollapseSettings": {"CollapseType": "ERA", "EraPad": more.pop("pad", 0)},
        "CensorWindow": more.pop("censor", {}),
        **more,
    }


def _none_before(kind: str, concepts: int, days: int = 0, **attributes: Any) -> Json:
    window = _window(EVER_BEFORE, (days, -1))
    return _group("ALL", _around(_criterion(kind, concepts, **attributes), window, NONE, anywhere=True))


def definitions() -> dict[str, Json]:
    """The definitions, by where they are from."""
    condition, drug = _criterion("ConditionOccurrence"), _criterion("DrugExposure", DRUG)
    in_visit = _group("ALL", _in_visit())
    inpatient = _criterion("ConditionOccurrence", CorrelatedCriteria=in_visit)
    year = _window((365, -1), (1, -1))
    long_era = _criterion("DrugEra", DRUG_2, EraLength={"Value": 90, "Op": "gte"})
    days_of_2012_to_2022 = [f"{year}-01-01" for year in range(2022, 2011, -1)]
    platelets = _criterion("Measurement", LAB, ValueAsNumber={"Value": 1.5, "Op": "bt", "Extent": 450})
    return {
        "PhenotypeLibrary 61": _definition(
            [
                condition,
                *(_criterion(f"{each}", OTHER, First=True) for each in ("DeviceExposure", "ProcedureOccurrence")),
            ],
            limits="All All All",
            AdditionalCriteria=in_visit,
            EndStrategy=_exit("EndDate", 30),
        ),
        "PhenotypeLibrary 216": _definition(
            [condition],
            _group("ALL", _around(_criterion("Measurement", LAB), _window((7, -1), (7, 1)), NONE, anywhere=True)),
            EndStrategy=_exit("EndDate", 0),
            censoring=[platelets, _criterion("ConditionOccurrence", OTHER)],
            pad=1,
        ),
        "PhenotypeLibrary 294": _definition(
            [condition],
            _group(
                "ALL",
                _around(
                    _criterion("ConditionOccurrence", OTHER),
                    _window(EVER_BEFORE, TODAY),
                    NONE,
                    anywhere=True,
                    counted={"CountColumn": "DOMAIN_CONCEPT"},
                ),
            ),
            _none_before("ConditionOccurrence", OTHER, 7),
            EndStrategy=_exit("EndDate", 90),
            pad=180,
        ),
        "PhenotypeLibrary 1071": _definition(
            [
                _criterion("ObservationPeriod", None, UserDefinedPeriod={"StartDate": day, "EndDate": day})
                for day in days_of_2012_to_2022
            ],
            limits="All All All",
            prior=365,
            AdditionalCriteria=_group(
                "ALL", persons=[{"Age": {"Value": 0, "Op": "bt", "Extent": 100}, "Gender": [FEMALE, MALE]}]
            ),
            EndStrategy=_exit("StartDate", 1),
        ),
        "PhenotypeLibrary 1080": _definition(
            [condition],
            _group("ALL", _around(inpatient, year, NONE, anywhere=True)),
            limits="All All All",
            AdditionalCriteria=in_visit,
            EndStrategy=_exit("StartDate", 1),
        ),
        "vaccine, second dose": _definition(
            [drug],
            _group("ALL", _observed(365, 1)),
            limits="First First First",
            EndStrategy=_era(DRUG, 56, DaysSupplyOverride=1),
        ),
        "vaccine, in a month": _definition(
            [drug],
            _group("ALL", _observed(365, -1)),
            _group(
                "ALL", persons=[{"OccurrenceStartDate": {"Value": "2016-02-01", "Op": "bt", "Extent": "2018-02-28"}}]
            ),
            limits="First First First",
            EndStrategy=_era(DRUG, 112),
        ),
        "LegendT2dm 101101000": _definition(
            [drug],
            _none_before("DrugExposure", OTHER),
            _group("ALL", persons=[{"Gender": [FEMALE]}]),
            _group(
                "ANY",
                _around(long_era, _window(EVER_BEFORE, (90, -1)), SOME, anywhere=True),
                _around(_criterion("DrugExposure", DRUG_2), _window(EVER_BEFORE, TODAY), (2, 3), anywhere=True),
            ),
            _none_before("DrugEra", OTHER, EraLength={"Value": 30, "Op": "gt"}),
            limits="First First First",
            EndStrategy=_era(DRUG, 30),
        ),
        "CohortGenerator celecoxibCensored": _definition(
            [_criterion("DrugEra", DRUG)], limits="First First First", censor={"StartDate": "2016-07-01"}
        ),
        "CDMConnector viral_sinusitus": _definition(
            [condition],
            _group("ALL", persons=[{"Gender": [MALE]}]),
            EndStrategy=_exit("StartDate", 1),
            pad=999999,
        ),
        "Capr censoringDeathNoCodesetId": _definition(
            [condition], limits="First First First", EndStrategy=_exit("EndDate", 0), censoring=[{"Death": {}}]
        ),
        "days of what correlates": _definition(
            [condition],
            _group(
                "AT_LEAST",
                _around(inpatient, _window(EVER_BEFORE, EVER_AFTER), (2, 2), counted=_distinct("START_DATE")),
                _around(drug, _window((0, -1), (30, 1), index_end=True), SOME),
                groups=[_group("AT_MOST", _in_visit(), _observed(365, 1), Count=1)],
                Count=2,
            ),
        ),
    }


def _distinct(column: str) -> Json:
    return {"IsDistinct": True, "CountColumn": column}
