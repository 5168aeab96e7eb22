"""What the settings of rates and shares say, by the names that the field's readers know."""

from __future__ import annotations

from collections.abc import Mapping

from enclos.contracts.result import SEPARATOR
from enclos.studies.model import AgeGroup, Incidence, PeriodPrevalence, PointPrevalence
from enclos.studies.rules.calendar import in_words
from enclos.studies.rules.outline import Denominator
from enclos.studies.standard.model import Ages

PREVALENCE_OF_RECORDS = "prevalence_of_records"
"""The result type of shares of stays, which are not those of persons, as readers and release know them."""


def additional_name(kind: str) -> str:
    """The names that the additional column carries for estimates with an interval, of a kind of result."""
    prefix = kind.partition("_")[0]
    return SEPARATOR.join((f"{prefix}_start_date", f"{prefix}_end_date", "analysis_interval"))


def incidence_settings(analysis: Incidence, study_days: tuple[int, int] | None, each: Denominator) -> dict[str, str]:
    """The settings of an incidence for one denominator, by the names that the field's readers know."""
    return {
        "analysis_censor_cohort_name": analysis.censor or "None",
        "analysis_complete_database_intervals": _logical(analysis.complete_intervals),
        "analysis_outcome_washout": "inf" if analysis.washout_days is None else str(analysis.washout_days),
        "analysis_repeated_events": _logical(analysis.repeated_events),
        **_denominator_settings(study_days, each),
    }


def standardised_settings(incidence: Mapping[str, str], name: str, weights: Mapping[Ages, int]) -> dict[str, str]:
    """The settings of standardised rates: those of the rates that they are made of, over all ages, and the standard.

    In: incidence — settings of any of these rates; weights — of each age group, in order of age
    """
    return {
        **incidence,
        "denominator_age_group": AgeGroup(min(weights)[0], max(weights)[1]).word,
        "standard_name": name,
        "standard_ages": " ".join(f"{lowest}-{highest}" for lowest, highest in weights),
        "standard_weights": " ".join(map(str, weights.values())),
    }


def prevalence_settings(
    analysis: PointPrevalence | PeriodPrevalence, study_days: tuple[int, int] | None, each: Denominator
) -> dict[str, str]:
    """The settings of a prevalence for one denominator, by the names that the field's readers know."""
    if isinstance(analysis, PointPrevalence):
        own = {
            "analysis_complete_database_intervals": _logical(value=False),
            "analysis_full_contribution": _logical(value=False),
            "analysis_level": "person",
            "analysis_time_point": analysis.time_point.value,
            "analysis_type": "point prevalence",
        }
    else:
        own = {
            "analysis_complete_database_intervals": _logical(analysis.complete_intervals),
            "analysis_full_contribution": _logical(analysis.full_contribution),
            "analysis_level": analysis.level.value,
            "analysis_type": "period prevalence",
        }
    return {**own, **_denominator_settings(study_days, each)}


def _denominator_settings(study_days: tuple[int, int] | None, each: Denominator) -> dict[str, str]:
    first, last = ("", "") if study_days is None else (in_words(study_days[0]), in_words(study_days[1]))
    return {
        "denominator_age_group": each.age_group.word,
        "denominator_days_prior_observation": str(each.days_prior_observation),
        "denominator_end_date": last,
        "denominator_requirements_at_entry": _logical(each.requirements_at_entry),
        "denominator_sex": each.sex.word,
        "denominator_start_date": first,
        "denominator_target_cohort_name": each.target or "None",
        "denominator_time_at_risk": each.window.word.replace("inf", "Inf"),
    }


def _logical(value: bool) -> str:
    return "TRUE" if value else "FALSE"
