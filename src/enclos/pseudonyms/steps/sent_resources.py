"""What a sender does before FHIR resources leave: only the elements that ``KEPT_ELEMENTS`` lists do.

Ids and references become pseudonyms everywhere by the same function, so that they still fit over all files of a source.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import BlockCipher
from enclos.lexicon.refusals import Refusal, refusal
from enclos.pseudonyms.resource_elements import KEPT_ELEMENTS, KEPT_RESOURCES
from enclos.pseudonyms.secret_functions.distinct import DistinctTags
from enclos.pseudonyms.secret_functions.identities import (
    LEVEL_ONE_FUNCTION,
    identity_messages,
    level_one_pseudonyms,
    record_pseudonyms,
)
from enclos.pseudonyms.steps.senders import identity_shown, is_birth_date, is_national_number, shows_nir

PSEUDONYM_SYSTEM = f"urn:enclos:{LEVEL_ONE_FUNCTION}"
NIR_SYSTEMS = frozenset({"urn:oid:1.2.250.1.213.1.4.8", "urn:oid:1.2.250.1.213.1.4.10"})
"""The NIR as the national health identity (INS), and its test domain. Source: ANS, list of OIDs of the INS."""
BIRTH_PLACE = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
"""The extension that says where a patient was born. Source: HL7 FHIR R4, patient-birthPlace."""

_SEXES = {"male": "1", "female": "2"}
_REFERENCE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[^/]+)?$")
_THIRTEEN = re.compile(r"(?<![0-9A-Za-z])[1-478][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{6}(?![0-9A-Za-z])")
_INSEE = re.compile(r"[0-9][0-9AB][0-9]{3}")

Resource = dict[str, Any]
Numbered = Iterable[tuple[int, Resource]]


def pseudonymise_resources(
    numbered: Numbered,
    cipher: BlockCipher,
    *,
    seen: DistinctTags | None = None,
    nir_systems: frozenset[str] = NIR_SYSTEMS,
) -> Iterator[Resource]:
    """FHIR resources with pseudonyms for persons and records, and only the elements that may leave.

    A patient keeps gender, year of birth and day of death, and gets the level-one pseudonym as its identifier.

    In: numbered — line and resource; types that no warehouse takes are left behind; seen — the identities of the run
    Refuses: SENDER_FILE, IDENTITY_INVALID, IDENTITY_SHOWN with the line; PSEUDONYM_COLLISION
    """
    batch = _kept_types(numbered)
    patients = [(line, resource) for line, resource in batch if resource.get("resourceType") == "Patient"]
    identities = [_identity(line, resource, nir_systems) for line, resource in patients]
    columns = [pa.array([identity[part] for identity in identities], pa.string()) for part in range(3)]
    pseudonyms = iter(level_one_pseudonyms(cipher, identity_messages(*columns), seen).to_pylist())
    shown = iter(identities)
    for line, resource in _under_new_ids(batch, cipher, seen):
        if resource["resourceType"] == "Patient":
            nir, birth, _ = next(shown)
            resource["identifier"] = [{"system": PSEUDONYM_SYSTEM, "value": next(pseudonyms)}]
            resource["birthDate"] = birth[:4]
            text = json.dumps(resource)
            if nir[:13] in text or birth in text:
                raise identity_shown(line, "a patient")
        yield _without_nir(line, resource, frozenset())


def part_resources(
    numbered: Numbered, cipher: BlockCipher, nirs: frozenset[str], *, seen: DistinctTags | None = None
) -> Iterator[Resource]:
    """FHIR resources as a circuit lets them go to the platform: no identifier, the month of birth.

    In: nirs — 13 characters each, of the hospital's patients; seen — the records of the run
    Refuses: SENDER_FILE, IDENTITY_SHOWN with the line; PSEUDONYM_COLLISION
    """
    for line, resource in _under_new_ids(_kept_types(numbered), cipher, seen):
        if resource["resourceType"] == "Patient" and "birthDate" in resource:
            resource["birthDate"] = str(resource["birthDate"])[:7]
        yield _without_nir(line, resource, nirs)


def patients_of(numbered: Numbered, nir_systems: frozenset[str] = NIR_SYSTEMS) -> Iterator[dict[str, str]]:
    """Each patient as a hospital's PATIENT table tells it: patient_id, nir, birth_date, sex, and what rebuilds a NIR.

    The birth name is that of the official name, else of the name without a use; a married one is no birth name.
    Refuses: SENDER_FILE without an id; IDENTITY_INVALID for two NIRs, or one that is none
    """
    for line, patient in numbered:
        if patient.get("resourceType") != "Patient":
            continue
        own, nirs = patient.get("id"), _nirs(patient, nir_systems)
        if not isinstance(own, str) or not own:
            raise _no_id(line)
        if len(nirs) > 1 or not all(map(is_national_number, nirs)):
            raise _bad(line, "identifier", "at most one NIR in the national system, with its right key if it has one")
        birth = str(patient.get("birthDate", ""))
        sex = _SEXES.get(str(patient.get("gender", "")), "")
        if nirs and not (is_birth_date(birth) and sex):
            raise _bad(line, "birthDate or gender", "a day of the calendar, and male or female")
        yield {"patient_id": own, "nir": "".join(nirs), "birth_date": birth, "sex": sex, **_traits(patient)}


def names_of(numbered: Numbered) -> set[str]:
    """The names (Type/id) of all records that leave, and of those they refer to."""
    return {name for line, resource in _kept_types(numbered) for name in _scrubbed(line, resource)[1]}


def identity_pseudonyms(numbered: Numbered, cipher: BlockCipher, seen: DistinctTags) -> dict[str, str]:
    """The level-one pseudonym of each patient who has a NIR, by the identity as one text; in memory only."""
    told = [patient for patient in patients_of(numbered) if patient["nir"]]
    identities = [(patient["nir"], patient["birth_date"], patient["sex"]) for patient in told]
    columns = [pa.array([identity[part] for identity in identities], pa.string()) for part in range(3)]
    pseudonyms = level_one_pseudonyms(cipher, identity_messages(*columns), seen).to_pylist()
    return {
        "|".join((nir[:13], birth, sex)): each for (nir, birth, sex), each in zip(identities, pseudonyms, strict=True)
    }


def _kept_types(numbered: Numbered) -> list[tuple[int, Resource]]:
    return [(line, resource) for line, resource in numbered if resource.get("resourceType") in KEPT_RESOURCES]


def _under_new_ids(
    batch: list[tuple[int, Resource]], cipher: BlockCipher, seen: DistinctTags | None
) -> Iterator[tuple[int, Resource]]:
    kept = [(line, *_scrubbed(line, resource)) for line, resource in batch]
    names = sorted({name for _, _, found in kept for name in found})
    images = dict(zip(names, record_pseudonyms(cipher, names, seen), strict=True))
    for line, resource, _ in kept:
        _replace(resource, images)
        yield line, resource


def _without_nir(line: int, resource: Resource, nirs: frozenset[str]) -> Resource:
    """The resource, if no value of it shows a NIR with its key, or one of these."""
    for text in _texts(resource):
        if len(text) >= 13 and (shows_nir(text) or not nirs.isdisjoint(_THIRTEEN.findall(text))):
            raise identity_shown(line, "a value")
    return resource


def _texts(element: Any) -> Iterator[str]:
    if isinstance(element, str):
        yield element
    elif isinstance(element, list | dict):
        for each in element.values() if isinstance(element, dict) else element:
            yield from _texts(each)
    elif isinstance(element, int | float):
        yield str(element)


def _scrubbed(line: int, resource: Resource) -> tuple[Resource, set[str]]:
    """The resource with the elements that may leave, and the names (Type/id) in it that have to be replaced."""
    kind, own = resource.get("resourceType"), resource.get("id")
    if not isinstance(own, str) or not own:
        raise _no_id(line)
    names = {f"{kind}/{own}"}
    kept = _kept(resource, names)
    return {"resourceType": kind, "id": f"{kind}/{own}", **kept}, names


def _kept(element: Any, names: set[str]) -> Any:
    if isinstance(element, list):
        return [_kept(each, names) for each in element]
    if not isinstance(element, dict):
        return element
    kept = {}
    for name, value in element.items():
        if name == "reference":
            found = _REFERENCE.search(value) if isinstance(value, str) else None
            if found:
                kept[name] = f"{found[1]}/{found[2]}"
                names.add(kept[name])
        elif name in KEPT_ELEMENTS:
            kept[name] = _kept(value, names)
    return kept


def _replace(element: Any, images: dict[str, str]) -> None:
    if isinstance(element, list):
        for each in element:
            _replace(each, images)
    elif isinstance(element, dict):
        for name, value in element.items():
            if name == "reference":
                element[name] = f"{value.partition('/')[0]}/{images[value]}"
            elif name == "id" and value in images:
                element[name] = images[value]
            else:
                _replace(value, images)


def _identity(line: int, patient: Resource, nir_systems: frozenset[str]) -> tuple[str, str, str]:
    found = _nirs(patient, nir_systems)
    birth, sex = str(patient.get("birthDate", "")), _SEXES.get(str(patient.get("gender", "")), "")
    if len(found) != 1 or not is_national_number(found[0]):
        raise _bad(line, "identifier", "one NIR in the national system, with its right key if it has one")
    if not is_birth_date(birth):
        raise _bad(line, "birthDate", "a day of the calendar, YYYY-MM-DD")
    if not sex:
        raise _bad(line, "gender", "male or female")
    return found[0], birth, sex


def _nirs(patient: Resource, nir_systems: frozenset[str]) -> list[str]:
    """The NIRs that a patient's identifiers give, each once."""
    found = [
        str(each.get("value", "")).replace(" ", "")
        for each in patient.get("identifier") or []
        if isinstance(each, dict) and each.get("system") in nir_systems
    ]
    return sorted(set(found))


def _traits(patient: Resource) -> dict[str, str]:
    names = [each for each in patient.get("name") or [] if isinstance(each, dict)]
    chosen = next((each for use in ("official", None) for each in names if each.get("use") == use), {})
    return {
        "birth_name": str(chosen.get("family", "")),
        "first_names": " ".join(str(each) for each in chosen.get("given") or []),
        "birth_place": _birth_place(patient),
    }


def _birth_place(patient: Resource) -> str:
    """The INSEE code of the place of birth where the extension tells it, else its town."""
    for extension in patient.get("extension") or []:
        if isinstance(extension, dict) and extension.get("url") == BIRTH_PLACE:
            place = extension.get("valueAddress") or {}
            codes = [str((each.get("valueCoding") or {}).get("code", "")) for each in place.get("extension") or []]
            return next((code for code in codes if _INSEE.fullmatch(code)), str(place.get("city", "")))
    return ""


def _no_id(line: int) -> Refusal:
    return refusal(Code.SENDER_FILE, f"Line {line}: the resource has no id.", "Export it with its id.")


def _bad(line: int, element: str, rule: str) -> Refusal:
    return refusal(
        Code.IDENTITY_INVALID,
        f"Line {line}, {element}: this is not {rule}.",
        "Correct the patient, or leave them out and account for them.",
    )
