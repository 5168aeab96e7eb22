"""Which hospital delivers in which format."""

from __future__ import annotations

from datetime import date

from enclos.synthetic.hospitals import fhir, omop, plain
from enclos.synthetic.hospitals.records import Record
from enclos.synthetic.sheets import Deliveries


def begin(deliveries: Deliveries, period: tuple[date, date]) -> None:
    """Begin the deliveries of all hospitals."""
    for layout in (fhir, omop, plain):
        layout.begin(deliveries, period)


def write(deliveries: Deliveries, found: Record) -> None:
    """Write one hospital's record in its format."""
    if found.source in fhir.DRUGS:
        fhir.write(deliveries, found)
    elif found.source == omop.SOURCE:
        omop.write(deliveries, found)
    else:
        plain.write(deliveries, found)
