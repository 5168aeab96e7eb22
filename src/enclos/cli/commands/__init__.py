"""The commands of design § 6, each a thin call of ``enclos.app``; a file per noun, in the order of the help."""

from enclos.cli.commands import story  # isort: skip
from enclos.cli.commands import deliveries, persons, snapshots, quality  # isort: skip
from enclos.cli.commands import people  # isort: skip
from enclos.cli.commands import permits, applications, cohorts, dictionary, studies, sql, releases  # isort: skip
from enclos.cli.commands import pooling, ledger, publishing, gateway  # isort: skip
from enclos.cli.commands import rights, questions, reidentify, keys, senders, circuits, hosting, conformity  # isort: skip

__all__ = [
    "applications",
    "circuits",
    "cohorts",
    "conformity",
    "deliveries",
    "dictionary",
    "gateway",
    "hosting",
    "keys",
    "ledger",
    "people",
    "permits",
    "persons",
    "pooling",
    "publishing",
    "quality",
    "questions",
    "reidentify",
    "releases",
    "rights",
    "senders",
    "snapshots",
    "sql",
    "story",
    "studies",
]
