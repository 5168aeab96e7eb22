"""The borders of the circuits: which columns each actor is given, and which it gives.

Identities and health data never stand in one file after the hospital; an actor refuses a file that holds more than its
step needs.
Source: CNIL, guide on circuits (12/2020); facts on regulation, § 5.3
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence

from enclos.contracts.delivered.document import Kind
from enclos.contracts.delivered.tables import delivered_tables
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal

Row = Mapping[str, str]

IDENTITY: tuple[str, ...] = ("source", "id_temp", "nir", "birth_date", "sex")
"""What finds a person at the national side, and whose temporary id it answers to."""
TRAITS: tuple[str, ...] = ("source", "id_temp", "birth_name", "first_names", "birth_date", "sex", "birth_place")
"""What rebuilds a NIR where a hospital has none."""
REGISTER: tuple[str, ...] = ("nir", *TRAITS[2:])
"""The register of identities, at the body that rebuilds NIRs."""
REFERENCE: tuple[str, ...] = ("nir", "birth_date", "sex", "BEN_NIR_PSA", "BEN_RNG_GEM")
"""The reference of pseudonyms, at the national side."""
LINK_HOSPITAL: tuple[str, ...] = ("source", "patient_id", "id_temp")
LINK_SNDS: tuple[str, ...] = ("source", "id_temp", "BEN_NIR_PSA", "BEN_RNG_GEM")
LINK_THIRD_PARTY: tuple[str, ...] = ("source", "id_temp", "third_party", "id_third")
"""What the platform is given: temporary ids with a hospital's own keyed number, with a pseudonym, with each other."""

_OF_A_PATIENT = frozenset({"nir", "birth_name", "first_names", "birth_place"})
"""Columns of the hospital's PATIENT table that go into identity files only."""
_NIR = re.compile(r"(?<![0-9])[1-478][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{6}(?:[0-9]{2})?(?![0-9])")
_KEYED = {"patient_id": "Patient", "sejour_id": "Encounter"}


def check_border(columns: Sequence[str], allowed: Sequence[str], what: str) -> None:
    """A file holds exactly the columns of its step.

    Refuses: CIRCUIT_BORDER, with the columns' names
    """
    more, lacking = sorted(set(columns) - set(allowed)), sorted(set(allowed) - set(columns))
    if more or lacking:
        told = f"{', '.join(more) or 'nothing'} too much, {', '.join(lacking) or 'nothing'} lacking"
        raise refusal(
            Code.CIRCUIT_BORDER,
            f"{what} does not have the columns of this step: {told}.",
            f"Send {', '.join(allowed)} and nothing else.",
        )


def identities_of(
    patients: Iterable[Row], source: str, draw: Callable[[], str]
) -> tuple[dict[str, str], list[dict[str, str]], list[dict[str, str]]]:
    """At the hospital: a fresh temporary id for each patient, and who goes where.

    Out: temporary id by the hospital's number; rows of IDENTITY (who has a NIR) and of TRAITS (who has none). A patient
        of whom neither a NIR nor traits are known goes nowhere and has no temporary id.
    """
    temporary: dict[str, str] = {}
    known, unknown = [], []
    for patient in patients:
        nir, own = patient.get("nir", "").strip(), draw()
        head = {"source": source, "id_temp": own}
        if nir:
            known.append({**head, "nir": nir[:13], "birth_date": patient["birth_date"], "sex": patient["sex"]})
        elif patient.get("birth_name"):
            unknown.append({**head, **{name: patient.get(name, "") for name in TRAITS[2:]}})
        else:
            continue
        temporary[patient["patient_id"]] = own
    return temporary, known, unknown


def health_row(table: str, row: Row, image: Callable[[str], str], nirs: frozenset[str]) -> dict[str, str]:
    """A row of a hospital's table as it may go to the platform: keyed numbers, the birth month, no identity.

    In: image — the keyed number of 'Patient/…' or 'Encounter/…'; nirs — of the hospital's patients
    Out: the columns of the layout that are there; birth dates stand on the first of their month
    Refuses: IDENTITY_SHOWN when a value that would leave shows a NIR
    """
    kept = {}
    for name in delivered_tables(Kind.HOSPITAL_CSV)[table.lower()].columns.names:
        if name not in row or name in _OF_A_PATIENT:
            continue
        value = row[name]
        if name in _KEYED:
            kept[name] = image(f"{_KEYED[name]}/{value}") if value else ""
            continue
        if name == "birth_date":
            value = f"{value[:7]}-01" if value else ""
        if any(found[:13] in nirs or _has_key(found) for found in _NIR.findall(value)):
            raise refusal(
                Code.IDENTITY_SHOWN,
                f"{table}, column {name}: a value shows an identity.",
                "Do not send what holds identities.",
            )
        kept[name] = value
    return kept


def _has_key(number: str) -> bool:
    """Whether 15 characters end with the key of the first 13, as no other number does but by chance."""
    digits = number[:13].replace("2A", "19", 1).replace("2B", "18", 1)
    return len(number) == 15 and int(number[13:]) == 97 - int(digits) % 97


def renumbered(
    files: Iterable[Iterable[Row]], third_party: str, draw: Callable[[], str]
) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """At the third party: one fresh id for each identity, whichever hospitals know it.

    Out: rows of IDENTITY under the third party's name, in an order that follows from the fresh ids only; rows of
        LINK_THIRD_PARTY
    Refuses: CIRCUIT_BORDER when one temporary id comes with two identities
    """
    fresh: dict[tuple[str, str, str], str] = {}
    seen: dict[tuple[str, str], tuple[str, str, str]] = {}
    for file in files:
        for row in file:
            identity, asked = _identity(row), (row["source"], row["id_temp"])
            if seen.setdefault(asked, identity) != identity:
                raise refusal(
                    Code.CIRCUIT_BORDER,
                    "A temporary id comes with two identities.",
                    "Ask the hospital to draw its temporary ids again.",
                )
            if identity not in fresh:
                fresh[identity] = draw()
    asking = [
        {"source": third_party, "id_temp": number, "nir": nir, "birth_date": birth, "sex": sex}
        for (nir, birth, sex), number in fresh.items()
    ]
    matched = [
        {"source": source, "id_temp": temporary, "third_party": third_party, "id_third": fresh[identity]}
        for (source, temporary), identity in seen.items()
    ]
    return sorted(asking, key=lambda row: row["id_temp"]), sorted(matched, key=lambda row: row["id_third"])


def rebuilt(traits: Iterable[Row], register: Iterable[Row]) -> list[dict[str, str]]:
    """At the body that rebuilds NIRs: rows of IDENTITY for whom exactly one person of the register has the traits."""
    known: dict[tuple[str, ...], set[str]] = {}
    for row in register:
        known.setdefault(_traits(row), set()).add(row["nir"].strip()[:13])
    found = []
    for row in traits:
        nirs = known.get(_traits(row), set())
        if len(nirs) == 1:
            head = {"source": row["source"], "id_temp": row["id_temp"], "nir": next(iter(nirs))}
            found.append({**head, "birth_date": row["birth_date"], "sex": row["sex"]})
    return found


def answers(asked: Iterable[Row], reference: Iterable[Row]) -> list[dict[str, str]]:
    """At the national side: rows of LINK_SNDS, one for each pseudonym of an identity; unknown ones have no answer."""
    known: dict[tuple[str, str, str], list[Row]] = {}
    for row in reference:
        known.setdefault(_identity(row), []).append(row)
    found = [
        {
            "source": row["source"],
            "id_temp": row["id_temp"],
            "BEN_NIR_PSA": held["BEN_NIR_PSA"],
            "BEN_RNG_GEM": held["BEN_RNG_GEM"],
        }
        for row in asked
        for held in known.get(_identity(row), ())
    ]
    return sorted(found, key=lambda row: (row["id_temp"], row["BEN_NIR_PSA"]))


def _identity(row: Row) -> tuple[str, str, str]:
    return row["nir"].strip()[:13], row["birth_date"].strip(), _sex(row)


def _traits(row: Row) -> tuple[str, ...]:
    """Traits as registers write them: capitals without accents, hyphens or apostrophes."""
    return (*(_plain(row[name]) for name in TRAITS[2:] if name != "sex"), _sex(row))


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFD", text.upper())
    return " ".join("".join(letter if letter.isalnum() else " " for letter in letters if not _is_mark(letter)).split())


def _is_mark(letter: str) -> bool:
    return unicodedata.category(letter) == "Mn"


def _sex(row: Row) -> str:
    return {"M": "1", "F": "2"}.get(row["sex"].strip(), row["sex"].strip())
