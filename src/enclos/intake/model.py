"""What intake speaks of: facts about a file, reasons to reject a line, the account of a delivery."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any

from enclos.contracts.delivered.document import DeliveredFile, Kind
from enclos.contracts.delivered.tables import DeliveredTable
from enclos.lexicon.codes import Code

REJECTED = "_rejects/00000.parquet"
"""The name under which a delivery's rejected lines are sealed beside its landed rows."""


class RejectReason(Enum):
    """Why a line was not landed."""

    FIELD_COUNT = "field_count"
    """Fewer or more fields than the header."""
    QUOTING = "quoting"
    """A quoted field that does not end where it should."""
    ENCODING = "encoding"
    """Bytes that the declared encoding does not have."""
    TOO_LONG = "too_long"
    """A line longer than the reader takes."""
    VALUE = "value"
    """A field that is not of its official type."""
    MISSING_KEY = "missing_key"
    """A key column is empty."""
    JSON = "json"
    """Not a JSON object."""
    RESOURCE = "resource"
    """A resource of another type than the file's."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What one pass over a file's bytes says; it holds no row but the header."""

    sha256: str
    content_sha256: str
    """Of the uncompressed content: the same rows compressed twice are the same content."""
    whole: bool
    n_records: int = 0
    """Lines that are not blank, header included (of a Parquet file: rows)."""
    has_quotes: bool = False
    """Whether a double quote occurs: a quoted field may hide line ends, so that lines are not records."""
    first_line: bytes = field(default=b"", repr=False)
    blank_lines: tuple[int, ...] = field(default=(), repr=False)
    columns: tuple[str, ...] = ()
    """The names of a Parquet file's columns."""
    mixed_line_ends: bool = False
    is_ascii: bool = True
    is_utf_8: bool = True
    has_c1: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a delivery: the rule it breaks and a clause without any value of a row."""

    code: Code
    text: str


@dataclass(frozen=True, slots=True)
class AdmittedFile:
    """A declared file whose layout is known: its columns in the file's order, by official name."""

    file: DeliveredFile
    table: DeliveredTable
    facts: FileFacts
    columns: tuple[str, ...]
    stored_types: Mapping[str, str] = field(default_factory=dict)
    """Types of a Parquet file's columns; empty for text."""
    header: tuple[str, ...] = ()
    """The columns' names as the sender writes them."""

    @property
    def renamed(self) -> tuple[tuple[str, str], ...]:
        """(delivered, official) names of the columns that the sender calls by another name."""
        pairs = zip(self.header, self.columns, strict=False)
        return tuple((name, official) for name, official in pairs if name.upper() != official.upper())


@dataclass(frozen=True, slots=True)
class LandedFile:
    """The account of one file; delivered = landed + rejected."""

    file: DeliveredFile
    table: DeliveredTable
    path: str
    columns: tuple[str, ...]
    content_sha256: str
    n_landed: int
    n_rejected: int
    renamed: tuple[tuple[str, str], ...] = ()
    """(delivered, official) names of columns that came under an older or a declared name."""

    def __post_init__(self) -> None:
        if self.file.n_rows != self.n_landed + self.n_rejected:
            raise ValueError("delivered is landed plus rejected")


@dataclass(frozen=True, slots=True)
class TableAccount:
    """What became of one table of a delivery."""

    table: str
    n_delivered: int
    n_landed: int
    n_rejected: int
    reasons: Mapping[str, int]
    """Rejected lines by reason."""
    renamed: tuple[tuple[str, str], ...] = ()
    """(delivered, official) names of columns that came under an older or a declared name."""
    outside_years: tuple[str, ...] = ()
    """Columns that were landed although the table's year should not have them."""

    def __post_init__(self) -> None:
        if self.n_delivered != self.n_landed + self.n_rejected or sum(self.reasons.values()) != self.n_rejected:
            raise ValueError("delivered is landed plus rejected, and each reject has a reason")


@dataclass(frozen=True, slots=True)
class DeliveryAccount:
    """What became of a delivery; ``already`` says that it had been landed before and nothing changed."""

    delivery_id: str
    source: str
    kind: Kind
    period: tuple[date, date] | None
    tables: tuple[TableAccount, ...]
    already: bool = False

    @property
    def n_delivered(self) -> int:
        """Rows delivered."""
        return sum(table.n_delivered for table in self.tables)

    @property
    def n_landed(self) -> int:
        """Rows landed."""
        return sum(table.n_landed for table in self.tables)

    @property
    def n_rejected(self) -> int:
        """Rows rejected."""
        return sum(table.n_rejected for table in self.tables)

    def as_json(self) -> dict[str, Any]:
        """The account as JSON values."""
        return {
            "delivery": self.delivery_id,
            "source": self.source,
            "kind": self.kind.value,
            "period": None if self.period is None else {"start": f"{self.period[0]}", "end": f"{self.period[1]}"},
            "already": self.already,
            "delivered": self.n_delivered,
            "landed": self.n_landed,
            "rejected": self.n_rejected,
            "tables": [
                {
                    "table": table.table,
                    "delivered": table.n_delivered,
                    "landed": table.n_landed,
                    "rejected": table.n_rejected,
                    "reasons": dict(table.reasons),
                    **({"renamed": dict(table.renamed)} if table.renamed else {}),
                    **({"outside_years": list(table.outside_years)} if table.outside_years else {}),
                }
                for table in self.tables
            ],
        }


def account_from_json(text: str, *, already: bool) -> DeliveryAccount:
    """The account that ``as_json`` wrote."""
    document = json.loads(text)
    period = document["period"]
    return DeliveryAccount(
        document["delivery"],
        document["source"],
        Kind(document["kind"]),
        None if period is None else (date.fromisoformat(period["start"]), date.fromisoformat(period["end"])),
        tuple(
            TableAccount(
                row["table"],
                row["delivered"],
                row["landed"],
                row["rejected"],
                row["reasons"],
                tuple(row.get("renamed", {}).items()),
                tuple(row.get("outside_years", ())),
            )
            for row in document["tables"]
        ),
        already,
    )
