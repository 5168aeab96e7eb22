"""The table that a file's name stands for."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from enclos.contracts.delivered.document import Kind
from enclos.contracts.delivered.tables import DeliveredTable, delivered_table

_PART = re.compile(r"[._-]")


def table_of_file(kind: Kind, path: str) -> DeliveredTable | None:
    """The table whose name a file's name begins with: ER_PRS_F_2019-01.csv, Condition.000.ndjson, CONCEPT.csv.

    The longest name wins, so that CONCEPT_ANCESTOR.csv is not CONCEPT. A file that names no table is named by the
    nearest folder or archive that does: T_MCO19B/part-0.parquet, ER_PRS_F.zip/export.csv. None when there is none.
    """
    for name in reversed(PurePosixPath(path).parts):
        ends = [match.start() for match in _PART.finditer(name)]
        for end in (len(name), *reversed(ends)):
            found = delivered_table(kind, name[:end])
            if found is not None:
                return found
    return None
