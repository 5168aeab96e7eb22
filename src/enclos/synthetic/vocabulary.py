"""The vocabulary delivery: every code that the generator uses, in the layout of Athena's files.

Concept ids are the public ones where data/public_concepts.csv knows them, else from 2 000 000 000 upwards, by range:
CIM10 2 000 1…, its standard conditions 2…, CCAM 3…, standard procedures 35…, CIP13 4…, ATC 5…, ingredients 6…,
clinical drugs 65…, LOINC 7…, UCUM 75…, lists of stays 82… and 87…. Within a range a code has its position among the
packaged codes, so local ids hold for one version of the package.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise

from enclos.contracts.omop import omop_tables
from enclos.synthetic import stay_lists
from enclos.synthetic.references import administered_drugs, lab_tests, labels, products, rows
from enclos.synthetic.sheets import Deliveries
from enclos.synthetic.stays.model import diagnoses

LOCAL = 2_000_000_000
VERSION = "enclos-synthetic 1"
_PREGNANCY = LOCAL + 990_000
"""The source concept of a declared pregnancy (IR_MAT_R), which has no code of its own; its standard one follows."""
_ALWAYS = ("19700101", "20991231", "")


@dataclass(frozen=True, slots=True)
class Concept:
    """One row of CONCEPT."""

    id: int
    name: str
    domain: str
    vocabulary: str
    kind: str
    standard: str
    code: str


def dotted(code: str) -> str:
    """A CIM-10 code with its dot, as the CIM10 vocabulary and FHIR write it."""
    return code if len(code) <= 3 else f"{code[:3]}.{code[3:]}"


@cache
def _public(use: str) -> dict[str, tuple[int, str, str, str]]:
    return {
        r["key"]: (int(r["concept_id"]), r["vocabulary"], r["concept_code"], r["name"])
        for r in rows("public_concepts.csv")
        if r["use"] == use
    }


@cache
def _positions(kind: str) -> dict[str, int]:
    known: Sequence[str]
    if kind == "cim10":
        known = sorted(
            {*diagnoses(), *(code[:3] for code in diagnoses()), *(r["chapter"] for r in rows("chapters.csv"))}
        )
    elif kind == "ccam":
        known = sorted(labels("ccam.csv"))
    elif kind == "atc":
        whole = {p.atc for p in products()} | {atc for atc, _, _ in administered_drugs()}
        known = sorted({code[:n] for code in whole for n in (1, 3, 4, 5, 7)})
    elif kind == "ingredient":
        known = sorted({p.ingredient for p in products()} | {name for _, _, name in administered_drugs()})
    elif kind == "drug":
        known = sorted({_drug_name(p.ingredient, p.strength, p.strength_unit) for p in products()})
    elif kind == "cip13":
        known = [p.cip13 for p in products()]
    elif kind == "loinc":
        known = [test.loinc for test in lab_tests()]
    else:
        known = sorted({test.unit for test in lab_tests()} | {"mg", "[IU]", "ug", "g"})
    return {code: position for position, code in enumerate(known)}


def _drug_name(ingredient: str, strength: str, unit: str) -> str:
    return f"{ingredient} {strength} {unit}".strip()


def cim10_id(code: str) -> int:
    """Source concept of a CIM-10 code (without dot)."""
    return LOCAL + 100_000 + _positions("cim10")[code]


def condition_id(code: str) -> int:
    """Standard concept that a CIM-10 code (without dot), a category or a chapter maps to."""
    public = _public("condition").get(code)
    return public[0] if public else LOCAL + 200_000 + _positions("cim10")[code]


def ccam_id(code: str) -> int:
    """Source concept of a CCAM code."""
    return LOCAL + 300_000 + _positions("ccam")[code]


def procedure_id(code: str) -> int:
    """Standard concept of a CCAM code."""
    return LOCAL + 350_000 + _positions("ccam")[code]


def cip13_id(cip13: str) -> int:
    """Source concept of a pack."""
    return LOCAL + 400_000 + _positions("cip13")[cip13]


def atc_id(code: str) -> int:
    """Classification concept of an ATC code of any level."""
    return LOCAL + 500_000 + _positions("atc")[code]


def ingredient_id(name: str) -> int:
    """Standard concept of an ingredient."""
    public = _public("ingredient").get(name)
    return public[0] if public else LOCAL + 600_000 + _positions("ingredient")[name]


def drug_id(ingredient: str, strength: str, unit: str) -> int:
    """Standard concept of an ingredient in a strength."""
    return LOCAL + 650_000 + _positions("drug")[_drug_name(ingredient, strength, unit)]


def laboratory_id(loinc: str) -> int:
    """Standard concept of an analysis."""
    public = _public("laboratory").get(loinc)
    return public[0] if public else LOCAL + 700_000 + _positions("loinc")[loinc]


def unit_id(ucum: str) -> int:
    """Standard concept of a unit."""
    public = _public("unit").get(ucum)
    return public[0] if public else LOCAL + 750_000 + _positions("unit")[ucum]


def _chapter(category: str) -> str:
    return next(r["chapter"] for r in rows("chapters.csv") if r["first"] <= category <= r["last"])


def parent_codes(code: str) -> list[str]:
    """What stands above a CIM-10 code among the standard conditions, nearest first."""
    if code in {r["chapter"] for r in rows("chapters.csv")}:
        return []
    above = ["K922"] if code in {"K920", "K921"} else []
    if len(code) > 3:
        above.append(code[:3])
    return [*above, _chapter(code[:3])]


def _concepts() -> list[Concept]:
    found = [Concept(0, "No matching concept", "Metadata", "None", "Undefined", "", "No matching concept")]
    for row in rows("public_concepts.csv"):
        if row["use"] == "own":
            kind = row["key"]
            found.append(Concept(int(row["concept_id"]), row["name"], kind, kind, kind, "S", row["concept_code"]))
    found += [
        Concept(id_, name, "Language", own, "Qualifier Value", "S", code)
        for id_, own, code, name in _public("language").values()
    ]
    found += _condition_concepts() + _procedure_concepts() + _drug_concepts() + _laboratory_concepts()
    found += [Concept(*row) for row in stay_lists.concepts()]
    name = "Declared pregnancy"
    found.append(Concept(_PREGNANCY, name, "Observation", "SNDS", "Observation", "", "IR_MAT_R"))
    found.append(Concept(_PREGNANCY + 1, name, "Observation", "ENCLOS", "Observation", "S", "IR_MAT_R"))
    return found


def _condition_concepts() -> list[Concept]:
    names = dict(labels("cim10.csv"))
    chapters = {r["chapter"]: r["label"] for r in rows("chapters.csv")}
    found = []
    for code in _positions("cim10"):
        name = chapters.get(code) or names.get(code) or f"Category {code}"
        kind = "ICD10 Chapter" if code in chapters else "ICD10 Hierarchy" if len(code) == 3 else "ICD10 code"
        found.append(
            Concept(
                cim10_id(code), name, "Condition", "CIM10", kind, "", dotted(code) if code not in chapters else code
            )
        )
        public = _public("condition").get(code)
        if public:
            found.append(Concept(public[0], public[3], "Condition", public[1], "Clinical Finding", "S", public[2]))
        else:
            found.append(
                Concept(condition_id(code), name, "Condition", "ENCLOS", "Condition", "S", f"condition {code}")
            )
    return found


def _procedure_concepts() -> list[Concept]:
    found = []
    for code, name in labels("ccam.csv").items():
        found.append(Concept(ccam_id(code), name, "Procedure", "CCAM", "Procedure", "", code))
        found.append(Concept(procedure_id(code), name, "Procedure", "ENCLOS", "Procedure", "S", f"procedure {code}"))
    return found


def _drug_concepts() -> list[Concept]:
    groups = {r["atc"]: r["label"] for r in rows("atc_groups.csv")}
    leaf = {p.atc: p.ingredient for p in products()} | {atc: name for atc, _, name in administered_drugs()}
    level = {1: "ATC 1st", 3: "ATC 2nd", 4: "ATC 3rd", 5: "ATC 4th", 7: "ATC 5th"}
    found = [
        Concept(
            atc_id(code),
            groups.get(code) or leaf.get(code) or f"ATC group {code}",
            "Drug",
            "ATC",
            level[len(code)],
            "C",
            code,
        )
        for code in _positions("atc")
    ]
    for name in _positions("ingredient"):
        public = _public("ingredient").get(name)
        if public:
            found.append(Concept(public[0], public[3], "Drug", public[1], "Ingredient", "S", public[2]))
        else:
            found.append(Concept(ingredient_id(name), name, "Drug", "ENCLOS", "Ingredient", "S", f"ingredient {name}"))
    for name, position in _positions("drug").items():
        found.append(
            Concept(LOCAL + 650_000 + position, name, "Drug", "ENCLOS", "Clinical Drug", "S", f"drug {position:04d}")
        )
    for pack in products():
        name = f"{_drug_name(pack.ingredient, pack.strength, pack.strength_unit)}, pack of {pack.pack}"
        found.append(Concept(cip13_id(pack.cip13), name, "Drug", "CIP13", "Pack", "", pack.cip13))
    return found


def _laboratory_concepts() -> list[Concept]:
    found = []
    for test in lab_tests():
        public = _public("laboratory").get(test.loinc)
        name = public[3] if public else test.label
        found.append(Concept(laboratory_id(test.loinc), name, "Measurement", "LOINC", "Lab Test", "S", test.loinc))
    for unit in _positions("unit"):
        public = _public("unit").get(unit)
        found.append(Concept(unit_id(unit), public[3] if public else unit, "Unit", "UCUM", "Unit", "S", unit))
    return found


def _maps() -> list[tuple[int, int]]:
    found = [(cim10_id(code), condition_id(code)) for code in _positions("cim10")]
    found += [(ccam_id(code), procedure_id(code)) for code in _positions("ccam")]
    found += stay_lists.maps()
    found.append((_PREGNANCY, _PREGNANCY + 1))
    found += [(cip13_id(p.cip13), drug_id(p.ingredient, p.strength, p.strength_unit)) for p in products()]
    leaf = {p.atc: p.ingredient for p in products()} | {atc: name for atc, _, name in administered_drugs()}
    return found + [(atc_id(code), ingredient_id(name)) for code, name in leaf.items()]


def _edges() -> set[tuple[int, int]]:
    """Ancestor and descendant, direct only."""
    found: set[tuple[int, int]] = set()
    for code in _positions("cim10"):
        for above in parent_codes(code)[:1]:
            found.add((condition_id(above), condition_id(code)))
        if code in {"K920", "K921"}:
            found.add((condition_id("K92"), condition_id(code)))
    leaf = {p.atc: p.ingredient for p in products()} | {atc: name for atc, _, name in administered_drugs()}
    for code, name in leaf.items():
        steps = sorted({code[:n] for n in (1, 3, 4, 5, 7)}, key=len)
        found |= {(atc_id(high), atc_id(low)) for high, low in pairwise(steps)}
        found.add((atc_id(code), ingredient_id(name)))
    for p in products():
        found.add((ingredient_id(p.ingredient), drug_id(p.ingredient, p.strength, p.strength_unit)))
    return found


def _ancestors(ids: Iterable[int]) -> list[tuple[int, int, int, int]]:
    below: dict[int, list[int]] = {}
    for high, low in _edges():
        below.setdefault(high, []).append(low)
    found = []
    for top in ids:
        reached = {top: (0, 0)}
        frontier = [top]
        depth = 0
        while frontier:
            depth += 1
            frontier = sorted({low for high in frontier for low in below.get(high, [])})
            for low in frontier:
                reached[low] = (min(reached.get(low, (depth, depth))[0], depth), depth)
        found += [(top, low, least, most) for low, (least, most) in reached.items()]
    return sorted(found)


def _strengths() -> list[tuple[object, ...]]:
    units = {"MG": "mg", "UI": "[IU]", "U": "[IU]", "MCG": "ug", "G": "g"}
    found: list[tuple[object, ...]] = []
    done = set()
    for p in products():
        try:
            amount: object = float(p.strength)
        except ValueError:
            amount = ""
        unit = units.get(p.strength_unit.split("/")[0], "") if amount != "" else ""
        strength = (amount if unit else "", unit_id(unit) if unit else "", "", "", "", "")
        ingredient = ingredient_id(p.ingredient)
        drug = drug_id(p.ingredient, p.strength, p.strength_unit)
        if drug not in done:
            done.add(drug)
            found.append((drug, ingredient, *strength, "", *_ALWAYS))
        found.append((cip13_id(p.cip13), ingredient, *strength, p.units, *_ALWAYS))
    return found


def write_vocabulary(deliveries: Deliveries, period: tuple[date, date]) -> None:
    """Write the whole delivery."""
    deliveries.open("vocabulary", "vocabulary", "vocabulary", period)
    unique = {concept.id: concept for concept in _concepts()}
    concepts = [unique[number] for number in sorted(unique)]
    maps = _maps()
    english = _public("language")["English"][0]
    relations = [(low, high, "Is a", *_ALWAYS) for high, low in sorted(_edges())]
    relations += [(high, low, "Subsumes", *_ALWAYS) for high, low in sorted(_edges())]
    relations += [(source, target, "Maps to", *_ALWAYS) for source, target in maps]
    relations += [(target, source, "Mapped from", *_ALWAYS) for source, target in maps]
    relations += [
        (c.id, c.id, name, *_ALWAYS) for c in concepts if c.standard == "S" for name in ("Maps to", "Mapped from")
    ]
    tables: dict[str, list[tuple[object, ...]]] = {
        "CONCEPT": [(c.id, c.name, c.domain, c.vocabulary, c.kind, c.standard, c.code, *_ALWAYS) for c in concepts],
        "CONCEPT_RELATIONSHIP": sorted(set(relations)),
        "CONCEPT_ANCESTOR": list(_ancestors(c.id for c in concepts if c.standard)),
        "CONCEPT_SYNONYM": [(c.id, f"{c.name} ({c.code})", english) for c in concepts if c.vocabulary == "CIM10"],
        "VOCABULARY": [(name, name, "data/README.md", VERSION, 0) for name in sorted({c.vocabulary for c in concepts})],
        "DOMAIN": [(name, name, 0) for name in sorted({c.domain for c in concepts})],
        "CONCEPT_CLASS": [(name, name, 0) for name in sorted({c.kind for c in concepts})],
        "RELATIONSHIP": [
            ("Is a", "Is a", 1, 0, "Subsumes", 0),
            ("Subsumes", "Subsumes", 1, 1, "Is a", 0),
            ("Maps to", "Maps to", 0, 0, "Mapped from", 0),
            ("Mapped from", "Mapped from", 0, 0, "Maps to", 0),
        ],
        "DRUG_STRENGTH": _strengths(),
    }
    for table, content in tables.items():
        sheet = deliveries.sheet("vocabulary", f"{table}.csv", table, omop_tables()[table.lower()].names, "\t")
        text = "".join("\t".join(map(str, row)) + "\n" for row in content)
        deliveries.write(sheet, text.encode(), len(content))
