"""Each kind of analysis in words: its question, its design, and every option that it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from enclos.studies.cases.model import CaseControl, CaseCrossover, SelfControlledCohort
from enclos.studies.characterise.model import Characterisation
from enclos.studies.compare.model import Comparison
from enclos.studies.diagnose.model import Diagnosis
from enclos.studies.model import (
    Analysis,
    Incidence,
    Level,
    PeriodPrevalence,
    PointPrevalence,
    Population,
)
from enclos.studies.pathways.model import Pathways
from enclos.studies.protocol.cases import CASE_CONTROL, CASE_CROSSOVER, SCCS, SELF_CONTROLLED_COHORT
from enclos.studies.protocol.comparisons import COMPARISON
from enclos.studies.protocol.shape import Options, Words, changes
from enclos.studies.protocol.words import ages, dates, days, listed, names, standard_words, windows, yes
from enclos.studies.rules.settings import PREVALENCE_OF_RECORDS
from enclos.studies.sccs.model import Sccs
from enclos.studies.sensitivity.model import Ways
from enclos.studies.survival.model import Survival
from enclos.studies.utilisation.model import Utilisation


def population_options(population: Population) -> Options:
    """Who is at risk."""
    yield "Age groups", ages(population.age_groups)
    yield "Sex", listed(population.sexes)
    yield "Days of prior observation", ", ".join(map(str, population.days_prior_observation))
    yield "Study dates", dates(population.date_range)
    yield "Strata", "; ".join(listed(strata) for strata in population.strata) or "none"
    yield "Age groups of strata, on the first day at risk", ages(population.strata_age_groups)
    yield "Estimates of all persons too", yes(population.include_overall)
    if (target := population.target) is None:
        yield "Target cohort", "none, anybody counts while observed"
    else:
        yield "Target cohort", f"`{target.cohort}`, persons count while in it"
        yield "Time at risk after each entry", windows(target.windows)
        yield (
            "Age, prior observation and study dates hold",
            ("on the day of entry" if target.requirements_at_entry else "from whenever they are met"),
        )


def _incidence(each: Incidence) -> Options:
    yield from population_options(each.population)
    yield "Intervals", listed(each.intervals)
    yield "Washout after an outcome", days(each.washout_days, "all time, so that only a person's first event counts")
    yield "Repeated events of one person count", yes(each.repeated_events)
    yield "Only intervals that are wholly observed", yes(each.complete_intervals)
    yield "Time at risk ends on entering", "no cohort" if each.censor is None else f"`{each.censor}`"
    yield "Standardised by age to", "none" if each.standard is None else standard_words(each.standard)


def _point(each: PointPrevalence) -> Options:
    yield from population_options(each.population)
    yield "Intervals", listed(each.intervals)
    yield "Day of each interval", each.time_point.value


def _period(each: PeriodPrevalence) -> Options:
    yield from population_options(each.population)
    yield "Intervals", listed(each.intervals)
    yield "Counted once in an interval", "each stay" if each.level is Level.RECORD else "each person"
    yield "Only persons present during all of the interval", yes(each.full_contribution)
    yield "Only intervals that are wholly observed", yes(each.complete_intervals)


def _characterise(each: Characterisation) -> Options:
    yield "Cohorts", names(each.cohorts)
    yield "Age groups", ages(each.age_groups)
    yield "Strata", listed(each.strata)
    for other in each.intersections:
        label = "" if other.label is None else f", labelled `{other.label}`"
        yield "Around entry", f"{other.shown.value} of {names(other.cohorts)}, {windows((other.window,))}{label}"
    large = each.large_scale
    if large is None:
        yield "Large-scale characteristics", "none"
    else:
        yield "Large-scale windows", windows(large.windows)
        yield "Tables counted where an event starts", listed(large.events)
        yield "Tables counted while an episode lasts", listed(large.episodes)
        yield "Least frequency shown", large.minimum_frequency
    yield "Overlap of cohorts", yes(each.overlap)
    yield "Time between entries", "none" if each.timing is None else f"{each.timing.value} entries"
    yield "Standardised mean differences", yes(each.differences)


def _utilisation(each: Utilisation) -> Options:
    yield "Cohorts", names(each.cohorts)
    yield "Exposures", names(each.exposures)
    yield "Gap that one era bridges", days(each.gap_era_days, "")
    yield "Ingredient whose dose is measured", "none" if each.ingredient is None else f"concept {each.ingredient}"
    yield "Exposures count until", each.until.value.replace("_", " ")
    yield "Only exposures that start during the entry", yes(each.incident)
    reasons = each.indications
    if reasons is None:
        yield "Indications", "none"
    else:
        yield "Indications", f"{names(reasons.cohorts)}; {windows(reasons.windows)}"
        yield "Unknown indication by any record of", listed(reasons.unknown)
    treated = each.treatments
    if treated is None:
        yield "Treatments around entry", "none"
    else:
        how = "as combinations" if treated.exclusive else "each on its own"
        yield "Treatments around entry", f"{names(treated.cohorts)}, {how}; {windows(treated.windows)}"
    coverage = ", ".join(f"concept {ingredient}" for ingredient in each.dose_coverage)
    yield "Ingredients whose doses are looked for in all exposures", coverage or "none"
    yield "Proportion of patients covered", days(each.covered_days, "not measured")
    adherence = each.adherence
    if adherence is None:
        yield "Adherence", "not measured"
    else:
        yield "Adherence", f"days covered and days supplied over {days(adherence.days, '')} from entry"
        yield "Least proportion of days covered of an adherent person", f"{adherence.threshold:g}"
    restart = each.restart
    if restart is None:
        yield "Restart and switch", "not measured"
    else:
        follow_up = ", ".join(days(value, "to the end of observation") for value in restart.days)
        yield "Switch to", names(restart.switch)
        yield "Follow-up of restart and switch", follow_up
        yield "A switch starts on or after the last day of treatment", yes(restart.incident)
        yield "Only a person's first treatment", yes(restart.first_only)
    yield "Strata", listed(each.strata)
    yield "Age groups", ages(each.age_groups)


def _survival(each: Survival) -> Options:
    end, shown = each.follow_up, each.shown
    yield "Target cohorts", names(each.targets)
    yield "Outcomes", names(each.outcomes)
    yield "Day of the outcome", "the last in its cohort" if each.outcome_at_end else "the first in its cohort"
    yield "Competing outcome", "none" if each.competing_outcome is None else f"`{each.competing_outcome}`"
    yield "Washout of the outcome before entry", days(each.washout.n_days, "all time")
    yield "Washout of the competing outcome", days(each.competing_washout.n_days, "all time")
    yield "Longest follow-up", days(end.n_days, "to the end of observation")
    yield "Follow-up ends with the cohort", yes(end.on_cohort_exit)
    yield "Follow-up ends on a date", "no" if end.on_date is None else end.on_date.isoformat()
    yield "Least follow-up or time to the outcome", days(end.minimum_days, "")
    yield "Estimates shown every", days(shown.estimate_gap_days, "")
    yield "Events shown every", days(shown.event_gap_days, "")
    yield "Restricted mean up to", days(shown.restricted_mean_days, "the last day of follow-up")
    yield "Age groups at entry", ages(each.age_groups)
    yield "Strata", "; ".join(listed(strata) for strata in each.strata) or "none"


def _pathways(each: Pathways) -> Options:
    steps = each.steps
    yield "Target cohorts", names(each.targets)
    yield "Treatments", names(each.treatments)
    yield "Follow-up from the first entry", days(each.follow_up_days, "while in the target cohort")
    yield "Shortest era", days(steps.min_era_days, "")
    yield "Gap that one era bridges", days(steps.collapse_days, "")
    yield "Shortest overlap that is a combination", days(steps.combination_days, "")
    yield "Shortest part that a combination leaves", days(steps.min_part_days, "")
    yield "Treatments kept", {"first": "each the first time", "changes": "each change", "all": "all"}[steps.keep.value]
    yield "Longest path", f"{steps.max_length} treatments"
    yield "Age groups at entry", ages(each.age_groups)
    yield "Strata", listed(each.strata)


def _diagnose(each: Diagnosis) -> Options:
    yield "Cohorts", names(each.cohorts)
    yield "Age groups at entry", ages(each.age_groups)
    yield "Strata", listed(each.strata)
    yield "Trend by", each.interval.value


def _rate_outcomes(each: Incidence | PointPrevalence | PeriodPrevalence) -> tuple[str, ...]:
    return each.outcomes


WORDS: Mapping[type[object], Words] = MappingProxyType(
    {
        Incidence: Words(
            "Incidence",
            "cohort of a population, followed for new events",
            lambda each: f"How often does {names(each.outcomes)} occur anew?",
            _rate_outcomes,
            _incidence,
            "New events per 100 000 person-years; exact Poisson 95 % intervals, gamma intervals where standardised",
            ("incidence", "incidence_standardised"),
        ),
        PointPrevalence: Words(
            "Point prevalence",
            "repeated cross-sections of a population",
            lambda each: f"What share of persons has {names(each.outcomes)} on one day?",
            _rate_outcomes,
            _point,
            "Share of persons present on the day; Wilson 95 % intervals",
            ("prevalence",),
        ),
        PeriodPrevalence: Words(
            "Period prevalence",
            "repeated cross-sections of a population, each over an interval",
            lambda each: f"What share of persons has {names(each.outcomes)} during an interval?",
            _rate_outcomes,
            _period,
            "Share of persons present in the interval; Wilson 95 % intervals",
            ("prevalence",),
        ),
        Characterisation: Words(
            "Characterisation",
            "description of cohorts at and around entry",
            lambda each: f"Who are the persons that enter {names(each.cohorts)}?",
            lambda _: (),
            _characterise,
            "Counts, percentages, quantiles and, where asked, standardised mean differences",
            (
                "summarise_characteristics",
                "summarise_large_scale_characteristics",
                "summarise_cohort_overlap",
                "summarise_cohort_timing",
                "summarise_standardised_differences",
            ),
        ),
        Utilisation: Words(
            "Drug utilisation",
            "description of exposures during entries into cohorts",
            lambda each: f"How is {names(each.exposures)} used by the persons of {names(each.cohorts)}?",
            lambda _: (),
            _utilisation,
            "Exposures and eras, days, quantity and dose; where asked indications, treatments around entry, restart, "
            "switch, the proportion covered with Wilson 95 % intervals, proportion of days covered, medication "
            "possession ratio and share of adherent persons, and for how many exposures a dose is known",
            (
                "summarise_drug_utilisation",
                "summarise_adherence",
                "summarise_indication",
                "summarise_treatment",
                "summarise_dose_coverage",
                "summarise_proportion_of_patients_covered",
                "summarise_drug_restart",
            ),
        ),
        Survival: Words(
            "Survival",
            "cohort followed from entry to an outcome",
            lambda each: f"How long after entering {names(each.targets)} does {names(each.outcomes)} occur?",
            lambda each: tuple(name for name in (*each.outcomes, each.competing_outcome) if name is not None),
            _survival,
            "Kaplan-Meier, Aalen-Johansen with a competing outcome; 95 % intervals on the log scale, restricted mean",
            ("survival_estimates", "survival_events", "survival_summary"),
        ),
        Pathways: Words(
            "Treatment pathways",
            "cohort followed from first entry through its treatments",
            lambda each: f"In which order do the persons of {names(each.targets)} take {names(each.treatments)}?",
            lambda _: (),
            _pathways,
            "Persons and share of persons by path",
            ("treatment_pathways",),
        ),
        Diagnosis: Words(
            "Phenotype diagnostics",
            "description of cohorts, of what made them and of when their entries begin",
            lambda each: f"Are {names(each.cohorts)} what their definitions meant?",
            lambda _: (),
            _diagnose,
            "Characteristics at entry, overlap of cohorts, attrition; records and persons of each concept in the data, "
            "by the persons of the cohort and on the days of entry, and of related concepts that it does not have; "
            "entries and persons by calendar time",
            (
                *("summarise_characteristics", "summarise_cohort_overlap"),
                *("code_use", "cohort_code_use", "orphan_code_use", "summarise_trend"),
            ),
        ),
        Sccs: SCCS,
        SelfControlledCohort: SELF_CONTROLLED_COHORT,
        CaseCrossover: CASE_CROSSOVER,
        CaseControl: CASE_CONTROL,
        Comparison: COMPARISON,
    }
)
"""The words of every kind; a kind without words has no protocol."""


def words_of(analysis: Analysis) -> Words:
    """What the protocol says of an analysis."""
    return _in_ways(type(analysis.primary)) if isinstance(analysis, Ways) else WORDS[type(analysis)]


@cache
def _in_ways(kind: type[Analysis]) -> Words:
    """What is said of a kind of analysis that is asked in several ways: of the primary one, and what others change."""
    own = WORDS[kind]

    def sensitivity(each: Ways) -> Iterator[str]:
        for name, other in each.others:
            yield f"`{name}`: {changes(own.options(each.primary), own.options(other))}"

    return replace(
        own,
        question=lambda each: own.question(each.primary),
        outcomes=lambda each: own.outcomes(each.primary),
        options=lambda each: own.options(each.primary),
        population=lambda each: own.population(each.primary),
        covariates=lambda each: own.covariates(each.primary),
        sensitivity=sensitivity,
    )


def results_of(analysis: Analysis) -> list[str]:
    """The types of results that an analysis gives as it is asked, attrition aside."""
    if isinstance(analysis, Ways):
        return results_of(analysis.primary)
    if isinstance(analysis, PeriodPrevalence) and analysis.level is Level.RECORD:
        return [PREVALENCE_OF_RECORDS]
    without: set[str] = set()
    if isinstance(analysis, Characterisation) and analysis.timing is None:
        without = {"summarise_cohort_timing"}
    elif not getattr(analysis, "negative_controls", ()):
        without = {name for name in words_of(analysis).results if name.endswith("_controls")}
    return [name for name in words_of(analysis).results if name not in without]
