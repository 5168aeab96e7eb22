"""What the fields of a permit's form are called, and what can be chosen in them."""

from __future__ import annotations

from collections.abc import Mapping

FIELDS: Mapping[str, str] = {
    "permit": "Id of the permit",
    "organisation": "Organisation that answers for the use",
    "investigator": "Investigator (id of a person)",
    "users": "Users",
    "purpose": "Purpose, in a sentence that the public can read",
    "article": "Article",
    "legal_basis": "Legal basis",
    "persons": "Persons",
    "region": "Region",
    "departments": "Departments",
    "domain": "Kind of record",
    "concepts": "Concepts",
    "descendants": "With all narrower concepts",
    "circe": "Cohort definition (JSON of Circe)",
    "source": "Source",
    "sample_percent": "Share of persons in %",
    "sample_seed": "Number of the draw",
    "population": "Population, as the document writes it",
    "per_case": "Controls for each person",
    "control_seed": "Number of the controls' draw",
    "tables": "Tables",
    "start": "First day of data",
    "end": "Day after the last day of data",
    "identifiers": "Identifying details that are needed",
    "why_commune": "Why the commune is needed",
    "why_birth_month": "Why the month of birth is needed",
    "why_exact_dates": "Why exact days are needed",
    "why_death_date": "Why the day of death is needed",
    "why_death_commune": "Why the commune of death is needed",
    "access": "What the users see",
    "min_count": "Smallest count that may leave",
    "from": "In force from",
    "until": "In force until",
}
"""Each field, in the order of the form."""

ARTICLES: Mapping[str, str] = {
    "53(1)(a)": "53(1)(a) public health",
    "53(1)(b)": "53(1)(b) policy making and regulation",
    "53(1)(c)": "53(1)(c) statistics",
    "53(1)(d)": "53(1)(d) education",
    "53(1)(e)": "53(1)(e) scientific research",
    "53(1)(f)": "53(1)(f) improvement of care",
}
PERSONS: Mapping[str, str] = {
    "all": "Everybody in the enclosure",
    "region": "Who lives in a region",
    "departments": "Who lives in some departments",
    "concepts": "Who has a record of some concepts in the period",
    "circe": "Who is in a cohort on some day of the period",
    "source": "Whom a source delivered",
    "sample": "A share of persons, drawn by lot",
    "other": "As the document writes it",
}
"""Each of ``KINDS``."""
DOMAINS: Mapping[str, str] = {
    "condition": "diagnosis",
    "drug": "drug",
    "procedure": "procedure",
    "measurement": "measurement",
    "observation": "observation",
    "device": "device",
    "visit": "visit",
}
FORM_FAULTS: Mapping[str, tuple[str, str]] = {
    "departments": ("must list", "must be codes of departments, each once, such as 75, 2A, 974"),
    "circe": ("names a file", "is not the JSON of a Circe definition"),
    "identifiers": ("must each be justified", "the legal basis wants a reason for each"),
}
"""What a field's fault is called where the document's words speak of how it is written: how those begin, and what is
said in a form."""
