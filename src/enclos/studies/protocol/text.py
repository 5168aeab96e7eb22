"""The whole protocol: what a study file knows, along the order of the HARPER and ENCePP templates.

Source: HARPER, the HARmonized Protocol Template to Enhance Reproducibility of the joint ISPE/ISPOR task force.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import assert_never

from enclos.contracts.durations import DURATION_RULE_IDS
from enclos.studies.characterise.model import Characterisation
from enclos.studies.derived.words import operation_words
from enclos.studies.model import (
    AfterDays,
    CirceCohort,
    Cohort,
    CohortAnalysis,
    ConceptCohort,
    DerivedCohort,
    Domain,
    Limit,
    OpenEnd,
    Study,
    cohorts_used,
)
from enclos.studies.protocol.analyses import population_options, words_of
from enclos.studies.protocol.circe import circe_lines
from enclos.studies.protocol.words import bullets, days, names, windows


def protocol_text(study: Study, text: str, definitions: Mapping[str, str]) -> str:
    """The protocol of a study as Markdown: the same for the same study file.

    In: text — the whole study file, of which the version is the hash; definitions — Circe texts by cohort
    """
    sections = (
        ("1. Title and version", _title(study, text)),
        ("2. Research question", _question(study)),
        ("3. Study design", _design(study)),
        ("4. Setting", _setting()),
        ("5. Study population", _population(study)),
        ("6. Cohorts", _cohorts(study, definitions)),
        ("7. Outcomes", _outcomes(study)),
        ("8. Covariates", _covariates(study)),
        ("9. Analyses", _analyses(study)),
        ("10. Sensitivity analyses", _sensitivity(study)),
        ("11. Data management and disclosure", _management()),
        ("12. Limitations", _limitations(study)),
    )
    parts = [f"# Protocol: {study.name}", ""]
    for title, lines in sections:
        parts += [f"## {title}", *lines, ""]
    return "\n".join(parts)


def _fill(what: str) -> str:
    """A place that a study file cannot fill."""
    return f"- **[TO FILL IN: {what}]**"


def _title(study: Study, text: str) -> Iterator[str]:
    yield f"- Study: {study.name}."
    yield f"- Version: SHA-256 `{sha256(text.encode('utf-8')).hexdigest()}` of the study file with its definitions."
    yield _fill("full title, investigators, funding, conflicts of interest, registration number, amendments")


def _question(study: Study) -> Iterator[str]:
    yield from (f"- {question}" for question in dict.fromkeys(words_of(a).question(a) for a in study.analyses))
    yield _fill("rationale and background, objectives, hypotheses")


def _design(study: Study) -> Iterator[str]:
    every = (words_of(analysis) for analysis in study.analyses)
    yield from dict.fromkeys(f"- {words.title}: {words.design}." for words in every)


def _setting() -> Iterator[str]:
    yield "- Data: the OMOP common data model of an Enclos enclosure, seen through the view of a permit."
    yield _fill("data source, its coverage and fitness; permit; snapshot; calendar time")


def _population(study: Study) -> Iterator[str]:
    for number, analysis in enumerate(study.analyses, start=1):
        if isinstance(analysis, CohortAnalysis):
            own = words_of(analysis).population(analysis)
            said = own or "persons of the cohorts that it reads, from their entries on"
            yield f"- Analysis {number}: {said} (section 6)."
        else:
            options = "; ".join(
                f"{option.lower()} {value}" for option, value in population_options(analysis.population)
            )
            yield f"- Analysis {number}: persons under observation; {options}."


def _cohorts(study: Study, definitions: Mapping[str, str]) -> Iterator[str]:
    used = _cohorts_of(study)
    for cohort in study.cohorts:
        if cohort.name in used:
            yield f"### `{cohort.name}`"
            yield from _cohort(cohort, definitions)
    if unused := [cohort.name for cohort in study.cohorts if cohort.name not in used]:
        yield f"- In the study file, and used by no analysis: {names(unused)}."


def _cohorts_of(study: Study) -> set[str]:
    """The cohorts that the analyses read, and those that these are made of."""
    made_of = {each.name: each.operation.sources for each in study.cohorts if isinstance(each, DerivedCohort)}
    used: set[str] = set()
    found = [name for analysis in study.analyses for name in cohorts_used(analysis)]
    while found:
        name = found.pop()
        if name not in used:
            used.add(name)
            found += made_of.get(name, ())
    return used


def _cohort(cohort: Cohort, definitions: Mapping[str, str]) -> Iterator[str]:
    if isinstance(cohort, CirceCohort):
        yield f"- Circe definition, SHA-256 `{cohort.digest}`."
        yield from circe_lines(definitions[cohort.name])
    elif isinstance(cohort, ConceptCohort):
        yield from bullets(_concept_cohort(cohort))
    elif isinstance(cohort, DerivedCohort):
        yield from bullets(operation_words(cohort.operation))
    else:
        assert_never(cohort)


def _concept_cohort(cohort: ConceptCohort) -> Iterator[tuple[str, object]]:
    limit = {Limit.FIRST: "a person's first record", Limit.ALL: "every record"}[cohort.limit]
    yield "Entry", f"{limit} of the concepts among {cohort.domain.value} records"
    more = "with all descendants" if cohort.descendants else "without descendants"
    yield "Concept set", f"{', '.join(map(str, cohort.concepts))}, {more}"
    yield "Exit", f"{_end(cohort.end)}, within the observation period"
    if cohort.domain is Domain.DRUG:
        yield "Duration of dispensings", _rule(cohort)
        yield "Gap that one era bridges", days(cohort.gap_era_days, "")


def _end(end: OpenEnd | AfterDays) -> str:
    if isinstance(end, AfterDays):
        return f"{days(end.n_days, '')} after entry"
    return {OpenEnd.EVENT_END: "the record's end", OpenEnd.OBSERVATION_END: "the end of observation"}[end]


def _rule(cohort: ConceptCohort) -> str:
    if cohort.duration is None:
        return "the rule that the snapshot was built with"
    return f"rule {cohort.duration} ({DURATION_RULE_IDS[cohort.duration]})"


def _outcomes(study: Study) -> Iterator[str]:
    found = False
    for number, analysis in enumerate(study.analyses, start=1):
        if outcomes := words_of(analysis).outcomes(analysis):
            found = True
            yield f"- Analysis {number}: {names(outcomes)}."
    if not found:
        yield "- None: the study describes cohorts."


def _covariates(study: Study) -> Iterator[str]:
    if any(not words_of(analysis).covariates(analysis) for analysis in study.analyses):
        yield "- Age and sex, where groups or strata are asked for (section 9)."
    for number, analysis in enumerate(study.analyses, start=1):
        if own := words_of(analysis).covariates(analysis):
            yield f"- Analysis {number}: {own}."
        if isinstance(analysis, Characterisation):
            for each in analysis.intersections:
                yield f"- Analysis {number}: {names(each.cohorts)}, {windows((each.window,))}."


def _analyses(study: Study) -> Iterator[str]:
    for number, analysis in enumerate(study.analyses, start=1):
        words = words_of(analysis)
        yield f"### Analysis {number}: {words.title}"
        yield f"- Cohorts read: {names(cohorts_used(analysis))}."
        yield f"- Estimates: {words.estimator}."
        yield from bullets(words.options(analysis))
    yield _fill("sample size and precision")


def _sensitivity(study: Study) -> Iterator[str]:
    drugs = [each for each in study.cohorts if isinstance(each, ConceptCohort) and each.domain is Domain.DRUG]
    alike: dict[object, list[ConceptCohort]] = {}
    for each in drugs:
        same = (each.concepts, each.descendants, each.limit, each.end, each.gap_era_days)
        alike.setdefault(same, []).append(each)
    found = False
    for group in alike.values():
        if len({each.duration for each in group}) > 1:
            found = True
            yield f"- By duration rule: {'; '.join(f'`{each.name}` by {_rule(each)}' for each in group)}."
    if not found:
        yield "- By duration rule: the study file compares none."
    named = False
    for number, analysis in enumerate(study.analyses, start=1):
        for said in words_of(analysis).sensitivity(analysis):
            named = True
            yield f"- Analysis {number}, {said}."
    if not named:
        yield _fill("other sensitivity analyses")


def _management() -> Iterator[str]:
    yield "- The study runs inside the enclosure; its results stay there until they are released."
    yield "- What leaves is judged by the release rules under the permit's smallest count, and by reviewers."
    yield "- The study file with its definitions is kept with the run and goes out with a release."
    yield _fill("ethics and legal basis, retention, plans for dissemination")


def _limitations(study: Study) -> Iterator[str]:
    yield "- Records made for care or payment: a missing record is taken as the absence of the event."
    if any(isinstance(each, ConceptCohort) and each.domain is Domain.DRUG for each in study.cohorts):
        yield "- A dispensing is not an intake; how long it lasts is a rule's assumption."
    told = (words_of(analysis).limitation for analysis in study.analyses)
    yield from (f"- {each}" for each in dict.fromkeys(told) if each)
    yield _fill("limitations of the data source, misclassification, generalisability")
