"""One hospital in the plain layout of docs/hospital-csv.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from enclos.contracts.delivered.document import Kind
from enclos.contracts.delivered.tables import delivered_tables
from enclos.synthetic.hospitals.records import Entries, Record
from enclos.synthetic.hospitals.written import RANKS, days, instants, patient_ids, put, separated, who
from enclos.synthetic.references import administered_drugs, lab_tests
from enclos.synthetic.sheets import Deliveries
from enclos.synthetic.stays.model import acts, diagnoses

SOURCE = "hosp-d"
_MODES = ("hospitalisation", "ambulatoire", "urgences")


def begin(deliveries: Deliveries, period: tuple[date, date]) -> None:
    """Begin the delivery."""
    deliveries.open(SOURCE, SOURCE, Kind.HOSPITAL_CSV.value, period)
    for table in delivered_tables(Kind.HOSPITAL_CSV).values():
        deliveries.sheet(SOURCE, f"{table.name}.csv", table.name, table.columns.names)


def write(deliveries: Deliveries, found: Record) -> None:
    """Write the record."""
    ids = patient_ids(found)
    visits = [f"S{number}" for number in found.visits.number.tolist()]
    sexes = ["F" if woman else "M" for woman in found.patients.female.tolist()]
    births, deaths = days(found.patients.birth), days(found.patients.death)
    _put(deliveries, "PATIENT", zip(ids, sexes, births, deaths, strict=True))
    _put(
        deliveries,
        "SEJOUR",
        zip(
            visits,
            [ids[patient] for patient in found.visits.patient.tolist()],
            instants(found.visits.start, " "),
            instants(found.visits.end, " "),
            [_MODES[kind] for kind in found.visits.kind.tolist()],
            [found.finess] * len(visits),
            strict=True,
        ),
    )

    def listed(entries: Entries) -> Iterable[tuple[str, str, int, str, str, float]]:
        return zip(
            [visits[visit] for visit in entries.visit.tolist()],
            [ids[patient] for patient in who(found, entries)],
            entries.what.tolist(),
            instants(entries.start, " "),
            instants(entries.end, " "),
            entries.value.tolist(),
            strict=True,
        )

    codes, tests, drugs = diagnoses(), lab_tests(), administered_drugs()
    _put(deliveries, "DIAGNOSTIC", ((v, p, codes[w], RANKS[int(r)]) for v, p, w, _, _, r in listed(found.diagnoses)))
    _put(deliveries, "ACTE", ((v, p, acts()[w], start[:10]) for v, p, w, start, _, _ in listed(found.acts)))
    _put(deliveries, "ADMINISTRATION", ((v, p, drugs[w][0], a, b, q) for v, p, w, a, b, q in listed(found.drugs)))
    _put(
        deliveries,
        "BIOLOGIE",
        (
            (v, p, tests[w].loinc, start, value, tests[w].unit, tests[w].low, tests[w].high)
            for v, p, w, start, _, value in listed(found.laboratory)
        ),
    )


def _put(deliveries: Deliveries, table: str, rows: Iterable[Sequence[object]]) -> None:
    put(deliveries, SOURCE, f"{table}.csv", separated(rows, ";"))
