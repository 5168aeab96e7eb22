"""Long work of people in the background: a process for each piece, a fair queue, what was asked and what came of it."""

from enclos.app.jobs.model import Job, JobState
from enclos.app.jobs.runner import Jobs

__all__ = ["Job", "JobState", "Jobs"]
