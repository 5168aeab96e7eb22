"""Random Circe definitions that meet every construct and attribute, the rare ones too.

Left out, since Circe's own SQL for them does not run on CDM 5.4 or says something else than its name: LocationRegion
and PlaceOfServiceLocation (no LOCATION_HISTORY), EffectiveDrugDose and DoseUnit (no such columns), DrugEra.GapDays
(Circe tests EraLength), DrugExposure.OccurrenceEndDate (Circe tests the start), distinct counts of criteria that have
correlated criteria of their own, and Episode (ohdsi-circepy does not know it).
"""

from __future__ import annotations

from random import Random
from typing import Any

from factories.circe_cdm import FIRST_DAY, N_DAYS

Json = dict[str, Any]

N_SETS = 4
GENDERS = (8507, 8532)
UNITS = (8840, 9529)
OTHERS = (44814721, 45878583, 4155142, 4172703)
_DATES, _WHOLE, _DECIMAL, _TEXT, _LIST, _LIST_EXCLUDE, _SET = (
    "dates",
    "whole",
    "decimal",
    "text",
    "list",
    "list or not",
    "set",
)
_PERSON = {"Age": "age", "Gender": "genders"}
_PLACES = {"ProviderSpecialty": _LIST, "VisitType": _LIST}
_PERIOD = {
    "PeriodStartDate": _DATES,
    "PeriodEndDate": _DATES,
    "PeriodLength": "length",
    "AgeAtStart": "age",
    "AgeAtEnd": "age",
}
_ERA = {"EraStartDate": _DATES, "EraEndDate": _DATES, "EraLength": "length", "AgeAtStart": "age", "AgeAtEnd": "age"}
ATTRIBUTES: dict[str, dict[str, str]] = {
    "ConditionOccurrence": {
        "OccurrenceStartDate": _DATES,
        "OccurrenceEndDate": _DATES,
        "ConditionType": _LIST_EXCLUDE,
        "ConditionStatus": _LIST,
        "StopReason": _TEXT,
        "ConditionSourceConcept": _SET,
        **_PERSON,
        **_PLACES,
    },
    "DrugExposure": {
        "OccurrenceStartDate": _DATES,
        "DrugType": _LIST_EXCLUDE,
        "StopReason": _TEXT,
        "Refills": _WHOLE,
        "Quantity": _DECIMAL,
        "DaysSupply": _WHOLE,
        "RouteConcept": _LIST,
        "LotNumber": _TEXT,
        "DrugSourceConcept": _SET,
        **_PERSON,
        **_PLACES,
    },
    "ProcedureOccurrence": {
        "OccurrenceStartDate": _DATES,
        "ProcedureType": _LIST_EXCLUDE,
        "Modifier": _LIST,
        "Quantity": _WHOLE,
        "ProcedureSourceConcept": _SET,
        **_PERSON,
        **_PLACES,
    },
    "Measurement": {
        "OccurrenceStartDate": _DATES,
        "MeasurementType": _LIST_EXCLUDE,
        "Operator": _LIST,
        "ValueAsNumber": _DECIMAL,
        "ValueAsConcept": _LIST,
        "Unit": "units",
        "RangeLow": _DECIMAL,
        "RangeHigh": _DECIMAL,
        "RangeLowRatio": _DECIMAL,
        "RangeHighRatio": _DECIMAL,
        "Abnormal": "flag",
        "MeasurementSourceConcept": _SET,
        **_PERSON,
        **_PLACES,
    },
    "Observation": {
        "OccurrenceStartDate": _DATES,
        "ObservationType": _LIST_EXCLUDE,
        "ValueAsNumber": _DECIMAL,
        "ValueAsString": _TEXT,
        "ValueAsConcept": _LIST,
        "Qualifier": _LIST,
        "Unit": "units",
        "ObservationSourceConcept": _SET,
        **_PERSON,
        **_PLACES,
    },
    "DeviceExposure": {
        "OccurrenceStartDate": _DATES,
        "OccurrenceEndDate": _DATES,
        "DeviceType": _LIST_EXCLUDE,
        "UniqueDeviceId": _TEXT,
        "Quantity": _WHOLE,
        "DeviceSourceConcept": _SET,
        **_PERSON,
        **_PLACES,
    },
    "VisitOccurrence": {
        "OccurrenceStartDate": _DATES,
        "OccurrenceEndDate": _DATES,
        "VisitType": _LIST_EXCLUDE,
        "VisitLength": "length",
        "ProviderSpecialty": _LIST,
        "PlaceOfService": _LIST,
        "VisitSourceConcept": _SET,
        **_PERSON,
    },
    "VisitDetail": {
        "VisitDetailStartDate": _DATES,
        "VisitDetailEndDate": _DATES,
        "VisitDetailType": "only set",
        "VisitDetailLength": "length",
        "ProviderSpecialty": "only set",
        "PlaceOfService": "only set",
        "VisitDetailSourceConcept": _SET,
        "Age": "age",
        "Gender": "only set",
    },
    "Specimen": {
        "OccurrenceStartDate": _DATES,
        "SpecimenType": _LIST_EXCLUDE,
        "Quantity": _DECIMAL,
        "Unit": "units",
        "AnatomicSite": _LIST,
        "DiseaseStatus": _LIST,
        "SourceId": _TEXT,
        **_PERSON,
    },
    "Death": {"OccurrenceStartDate": _DATES, "DeathType": _LIST_EXCLUDE, "DeathSourceConcept": _SET, **_PERSON},
    "ObservationPeriod": {**_PERIOD, "UserDefinedPeriod": "period", "PeriodType": _LIST},
    "PayerPlanPeriod": {
        **_PERIOD,
        "UserDefinedPeriod": "period",
        "Gender": "genders",
        **{
            f"{name}{kind}Concept": _SET
            for name in ("Payer", "Plan", "Sponsor", "StopReason")
            for kind in ("", "Source")
        },
    },
    "ConditionEra": {**_ERA, "OccurrenceCount": _WHOLE, "Gender": "genders"},
    "DrugEra": {**_ERA, "OccurrenceCount": _WHOLE, "Gender": "genders"},
    "DoseEra": {**_ERA, "Unit": "units", "DoseValue": _DECIMAL, "Gender": "genders"},
}
_COMMON = (
    "ConditionOccurrence",
    "DrugExposure",
    "ProcedureOccurrence",
    "Measurement",
    "Observation",
    "VisitOccurrence",
)
_WITHOUT_FIRST = ("Death",)
_WITHOUT_SET = ("ObservationPeriod", "PayerPlanPeriod")
_LENGTHS = (0, 1, 7, 30, 180, 365, 99999)


def circe_definition(seed: int) -> Json:
    """A definition, the same for the same seed."""
    return _Writer(seed).definition()


def definition_of_one_attribute(kind: str, name: str, seed: int) -> Json:
    """A definition whose one criterion has that attribute alone, beside its concept set; a day of events is a row."""
    writer = _Writer(seed)
    body = {} if kind in _WITHOUT_SET else {"CodesetId": seed % N_SETS}
    return {
        "ConceptSets": writer.concept_sets(),
        "PrimaryCriteria": {
            "CriteriaList": [{kind: body | writer.attribute(name, ATTRIBUTES[kind][name])}],
            "ObservationWindow": {"PriorDays": 0, "PostDays": 0},
            "PrimaryCriteriaLimit": {"Type": "All"},
        },
        "QualifiedLimit": {"Type": "All"},
        "ExpressionLimit": {"Type": "All"},
        "EndStrategy": {"DateOffset": {"DateField": "StartDate", "Offset": 0}},
        "InclusionRules": [],
        "CensoringCriteria": [],
        "CollapseSettings": {"CollapseType": "ERA", "EraPad": 0},
        "CensorWindow": {},
    }


class _Writer:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - test data

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def definition(self) -> Json:
        found: Json = {
            "ConceptSets": self.concept_sets(),
            "PrimaryCriteria": {
                "CriteriaList": [self.criterion(2) for _ in range(self.random.choice((1, 1, 2, 3)))],
                "ObservationWindow": {
                    "PriorDays": self.random.choice((0, 0, 0, 30, 365)),
                    "PostDays": self.random.choice((0, 0, 0, 1, 30)),
                },
                "PrimaryCriteriaLimit": self.limit(),
            },
            "QualifiedLimit": self.limit(),
            "ExpressionLimit": self.limit(),
            "InclusionRules": [
                {"name": f"rule {number}", "expression": self.group(2)}
                for number in range(self.random.choice((0, 0, 1, 1, 1, 2, 3)))
            ],
            "CensoringCriteria": [self.criterion(1) for _ in range(self.random.choice((0, 0, 0, 1, 2)))],
            "CollapseSettings": {"CollapseType": "ERA", "EraPad": self.random.choice((0, 0, 1, 30, 180))},
            "CensorWindow": self.random.choice(({}, {}, {}, {"StartDate": self.day()}, self.period())),
            "cdmVersionRange": ">=5.0.0",
        }
        if self.chance(0.3):
            found["AdditionalCriteria"] = self.group(2)
        end = self.end()
        if end:
            found["EndStrategy"] = end
        if self.chance(0.1):  # what is not said has Circe's default
            del found[self.random.choice(("QualifiedLimit", "ExpressionLimit", "CollapseSettings", "CensorWindow"))]
        return found

    def limit(self) -> Json:
        return {"Type": self.random.choice(("All", "All", "First", "Last"))}

    def end(self) -> Json | None:
        if self.chance(0.4):
            return None
        if self.chance(0.6):
            offset = self.random.choice((-3, 0, 0, 1, 7, 30, 365, 9999))
            return {"DateOffset": {"DateField": self.random.choice(("StartDate", "EndDate")), "Offset": offset}}
        era: Json = {
            "DrugCodesetId": self.random.randrange(N_SETS),
            "GapDays": self.random.choice((0, 0, 7, 30, 90)),
            "Offset": self.random.choice((0, 0, 1, 30)),
        }
        if self.chance(0.3):
            era["DaysSupplyOverride"] = self.random.choice((0, 1, 14))
        return {"CustomEra": era}

    def concept_sets(self) -> list[Json]:
        """Sets for records, and one for what records say beside their concept."""
        beside = [
            {"concept": _concept(each), "isExcluded": False}
            for each in self.random.sample((*GENDERS, *UNITS, *OTHERS), 4)
        ]
        found = [self.concept_set(number) for number in range(N_SETS)]
        return [*found, {"id": N_SETS, "name": "beside", "expression": {"items": beside}}]

    def concept_set(self, number: int) -> Json:
        items = [
            {
                "concept": _concept(100 * (number + 1) + self.random.randrange(6)),
                "isExcluded": place > 0 and self.chance(0.3),
                "includeDescendants": self.chance(0.6),
                "includeMapped": self.chance(0.3),
            }
            for place in range(self.random.choice((1, 2, 2, 4)))
        ]
        if self.chance(0.2):
            items.append({**items[0], "isExcluded": True})
        return {"id": number, "name": f"set {number}", "expression": {"items": items}}

    def criterion(self, depth: int, nested: bool = True) -> Json:
        kind = self.random.choice(_COMMON if self.chance(0.5) else tuple(ATTRIBUTES))
        body: Json = {}
        if kind not in _WITHOUT_SET and self.chance(0.85):
            body["CodesetId"] = self.random.randrange(N_SETS)
        if kind not in _WITHOUT_FIRST and self.chance(0.2):
            body["First"] = True
        for name, form in ATTRIBUTES[kind].items():
            if self.chance(0.7 / len(ATTRIBUTES[kind])):
                body |= self.attribute(name, form)
        if kind != "Specimen" and self.chance(0.06):
            body["DateAdjustment"] = {
                "StartWith": (start := self.random.choice(("START_DATE", "START_DATE", "END_DATE"))),
                "StartOffset": self.random.choice((-7, 0, 1, 30)),
                "EndWith": "END_DATE" if start == "END_DATE" else self.random.choice(("START_DATE", "END_DATE")),
                "EndOffset": self.random.choice((-30, 0, 30, 31, 60)),
            }
        if nested and depth > 0 and self.chance(0.15):
            body["CorrelatedCriteria"] = self.group(depth - 1)
        if self.chance(0.1):  # an attribute that is empty asks nothing
            name = self.random.choice(sorted(ATTRIBUTES[kind]))
            body.setdefault(name, [] if ATTRIBUTES[kind][name] in (_LIST, _LIST_EXCLUDE) else None)
        return {kind: body}

    def attribute(self, name: str, form: str) -> Json:  # noqa: PLR0911 - one case a form
        if form in (_DATES, _WHOLE, _DECIMAL, "age", "length"):
            return {name: self.range(form)}
        if form == _TEXT:
            sign = self.random.choice(("", "!")) + self.random.choice(("startsWith", "endsWith", "contains"))
            return {name: {"Text": self.random.choice(("abc", "it's", "a_c", "a%c")), "Op": sign}}
        if form == "flag":
            return {name: True, "ValueAsConcept": [_concept(4155142), _concept(OTHERS[1])]} if self.chance(0.5) else {}
        if form == "period":
            return {name: self.random.choice((self.period(), {"StartDate": self.day()}, {"EndDate": self.day()}))}
        if form == _SET:
            return {name: self.random.randrange(N_SETS)}
        if form == "only set" or self.chance(0.35):
            number = N_SETS if self.chance(0.8) else self.random.randrange(N_SETS)
            return {f"{name}CS": {"CodesetId": number, "IsExclusion": self.chance(0.4)}}
        known = {"genders": GENDERS, "units": UNITS}.get(form, OTHERS)
        wanted = {name: [_concept(each) for each in self.random.sample(known, self.random.randint(1, len(known) - 1))]}
        return {**wanted, f"{name}Exclude": self.chance(0.5)} if form == _LIST_EXCLUDE else wanted

    def range(self, form: str) -> Json:
        sign = self.random.choice(("lt", "lte", "eq", "!eq", "gt", "gte", "gt", "lt", "bt", "bt", "!bt"))
        if form == _DATES:
            first, last = sorted((self.day(), self.day()))
        elif form == _DECIMAL:
            first, last = sorted(self.random.choice((0.5, 1, 1.25, 2, 3.00004, 6.5)) for _ in range(2))
        else:
            known = {"age": (0, 18, 40, 65), "length": _LENGTHS}.get(form, (0, 1, 2, 30, 1.9))
            first, last = sorted(self.random.choice(known) for _ in range(2))
        return {"Value": first, "Op": sign, **({"Extent": last} if sign.endswith("bt") else {})}

    def day(self) -> str:
        return FIRST_DAY.replace(
            year=FIRST_DAY.year + self.random.randint(0, N_DAYS // 365), month=self.random.randint(1, 12)
        ).isoformat()

    def period(self) -> Json:
        first, last = sorted((self.day(), self.day()))
        return {"StartDate": first, "EndDate": last}

    def group(self, depth: int) -> Json:
        n_criteria = self.random.choice((1, 1, 1, 2, 3))
        group: Json = {
            "Type": self.random.choice(("ALL", "ALL", "ANY", "ANY", "AT_LEAST", "AT_MOST")),
            "CriteriaList": [self.correlated(depth) for _ in range(n_criteria)],
            "DemographicCriteriaList": [self.demographic()] if self.chance(0.25) else [],
            "Groups": [self.group(depth - 1)] if depth > 0 and self.chance(0.2) else [],
        }
        if self.chance(0.04):
            group |= {"CriteriaList": [], "DemographicCriteriaList": [], "Groups": []}
        if group["Type"].startswith("AT_"):
            group["Count"] = self.random.choice((0, 1, 1, 2))
        if self.chance(0.05):
            group["Type"] = group["Type"].lower()
        return group

    def demographic(self) -> Json:
        wanted: Json = {}
        forms = {"Age": "age", "Gender": "genders", "Race": _LIST, "Ethnicity": _LIST}
        forms |= {"OccurrenceStartDate": _DATES, "OccurrenceEndDate": _DATES}
        for name in self.random.sample(sorted(forms), self.random.choice((1, 1, 2))):
            wanted |= self.attribute(name, forms[name])
        return wanted

    def correlated(self, depth: int) -> Json:
        distinct = self.chance(0.25)
        criterion = self.criterion(depth, nested=not distinct)
        wanted: Json = {
            "Criteria": criterion,
            "StartWindow": self.window(),
            "Occurrence": {
                "Type": self.random.choice((0, 1, 1, 2, 2, 2)),
                "Count": self.random.choice((0, 1, 1, 1, 2, 3)),
                "IsDistinct": distinct,
            },
            "RestrictVisit": self.chance(0.1),
            "IgnoreObservationPeriod": self.chance(0.3),
        }
        if self.chance(0.25):
            wanted["EndWindow"] = self.window()
        if distinct and self.chance(0.5):
            columns = ["DOMAIN_CONCEPT", "START_DATE", "END_DATE"]
            columns += [] if "VisitDetail" in criterion else ["VISIT_ID"]
            columns += [] if "PayerPlanPeriod" in criterion else ["DURATION"]
            wanted["Occurrence"]["CountColumn"] = self.random.choice(columns)
        return wanted

    def window(self) -> Json:
        start, end = sorted(self.random.choice((*_LENGTHS, -1, -30, -365, -365)) for _ in range(2))
        sides = []
        for number, open_coefficient in ((start, -1), (end, 1)):
            if self.chance(0.45):
                sides.append({"Coeff": open_coefficient})
            else:
                sides.append({"Days": abs(number), "Coeff": -1 if number < 0 else 1})
        if self.chance(0.05):
            sides[1] = {"Coeff": -1}
        window: Json = {"Start": sides[0], "End": sides[1]}
        for name in ("UseIndexEnd", "UseEventEnd"):
            if self.chance(0.7):
                window[name] = self.chance(0.35)
        return window


def _concept(number: int) -> Json:
    return {
        "CONCEPT_ID": number,
        "CONCEPT_NAME": f"concept {number}",
        "STANDARD_CONCEPT": "S",
        "CONCEPT_CODE": str(number),
    }
