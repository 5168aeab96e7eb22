"""The permit to start from."""

from __future__ import annotations

from datetime import date

_TEMPLATE = """\
# A permit. Fill it in; the access body signs it with `enclos permit sign`.
# Fields follow Regulation (EU) 2025/327, Art. 68(10).
permit: FR-2026-0001                # letters, digits, hyphens
holder: {organisation: "Organisation that answers for the use", investigator: alice@example.org}
users:                              # the natural persons who may use the data; changed by amendment only
  - {id: alice@example.org, role: investigator}     # investigator, researcher, data-manager
purpose: {article: "53(1)(e)", text: "What the data are used for, in a sentence that the public can read"}
legal_basis: ehds-permit            # ehds-permit (at most 10 years), cnil-2023-146 or cnil-mr-007 (at most 3)
data:
  tables: all                       # or {person: [gender_concept_id, year_of_birth], drug_exposure: all}
  population: all                   # or {source: hosp-a}, {sample_percent: 2, seed: 7}, {region: "11"},
                                    # {departments: ["75", "2A"]},
                                    # {concepts: [201826], descendants: true, domain: condition},
                                    # {controls_of: {source: hosp-a}, per_case: 4, seed: 7}: cases and others like them
  period: {start: 2019-01-01, end: 2024-01-01}             # the end is not included
  potential_identifiers: []         # commune, birth_month, exact_dates, death_date, death_commune;
                                    # with a reason: {id: commune, why: "…"}
access: aggregates                  # or rows
opt_out: {applied: true, as_of: now}                       # or permit: objections until it is opened
disclosure: {min_count: 11}         # distinct persons; not below the enclosure's floor. round_to: 5 rounds too
valid: {from: TODAYT00:00:00Z, until: LATERT00:00:00Z}
"""


def draft_permit(today: date) -> str:
    """A permit document with every field, its choices in comments; it reads without a fault and lasts three years."""
    later = date(today.year + 3, today.month, min(today.day, 28))
    return _TEMPLATE.replace("TODAY", today.isoformat()).replace("LATER", later.isoformat())
