"""Run a study on the CDM that a permit sees, bucket by bucket."""

from enclos.studies.steps.cohorts import cohort_table, denominator_table
from enclos.studies.steps.run import Looker, run_study
from enclos.studies.steps.vocabulary import columns_read

__all__ = ["Looker", "cohort_table", "columns_read", "denominator_table", "run_study"]
