"""Cohorts of Circe (ATLAS): definitions read strictly, compiled together to SQL, made bucket by bucket."""

from enclos.studies.circe.document import read_circe
from enclos.studies.circe.model import Definition
from enclos.studies.circe.steps import circe_rows

__all__ = ["Definition", "circe_rows", "read_circe"]
