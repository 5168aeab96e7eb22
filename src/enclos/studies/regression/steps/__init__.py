"""The verbs of regression: fit, tell how far the data allow a coefficient to go, choose a penalty."""

from enclos.studies.regression.steps.fitting import fit, with_intercept
from enclos.studies.regression.steps.intervals import log_likelihood_profile, profile_interval, profile_intervals
from enclos.studies.regression.steps.validation import cross_validate

__all__ = ["cross_validate", "fit", "log_likelihood_profile", "profile_interval", "profile_intervals", "with_intercept"]
