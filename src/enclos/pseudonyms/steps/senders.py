"""What a sender does before anything leaves: identities become level-one pseudonyms, everything else of them goes.

Only what is named leaves: kept columns of a table, and the elements of a FHIR resource that ``KEPT_ELEMENTS`` lists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import BlockCipher
from enclos.lexicon.refusals import Refusal, refusal
from enclos.pseudonyms.model import IdentityColumns
from enclos.pseudonyms.resource_elements import KEPT_ELEMENTS, KEPT_RESOURCES
from enclos.pseudonyms.secret_functions.distinct import DistinctTags
from enclos.pseudonyms.secret_functions.identities import (
    BIRTH_RULE,
    LEVEL_ONE_FUNCTION,
    NIR_RULE,
    SEX_RULE,
    identity_messages,
    level_one_pseudonyms,
    record_pseudonyms,
)

PSEUDONYM_COLUMN = "pseudonym_" + re.sub(r"\W", "_", LEVEL_ONE_FUNCTION)
PSEUDONYM_SYSTEM = f"urn:enclos:{LEVEL_ONE_FUNCTION}"
NIR_SYSTEMS = frozenset({"urn:oid:1.2.250.1.213.1.4.8", "urn:oid:1.2.250.1.213.1.4.10"})
"""The NIR as the national health identity (INS), and its test domain. Source: ANS, list of OIDs of the INS."""

_NIR_INSIDE = r"[1-478][0-9]{4}([0-9]{2}|2[AB])[0-9]{6}"
_SEXES = {"male": "1", "female": "2"}
_DATE = re.compile(BIRTH_RULE)
_NIR = re.compile(NIR_RULE)
_REFERENCE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[^/]+)?$")

Resource = dict[str, Any]


def pseudonymise_rows(
    rows: pa.Table,
    first_line: int,
    columns: IdentityColumns,
    cipher: BlockCipher,
    *,
    seen: DistinctTags | None = None,
    table: str = "The file",
) -> pa.Table:
    """The rows with the pseudonym first, then the kept columns as they are, and nothing else.

    In: rows — all text; first_line — the line of the first row in its file; seen — the identities of the run so far
    Refuses: IDENTITY_INVALID with rule and line; IDENTITY_SHOWN when a kept column shows a NIR; PSEUDONYM_COLLISION
    """
    nir, birth, sex = (pc.utf8_trim_whitespace(rows[name]) for name in (columns.nir, columns.birth, columns.sex))
    _check(
        pc.match_substring_regex(nir, NIR_RULE), first_line, columns.nir, "a NIR of 13 characters, or 15 with its key"
    )
    _check(_has_right_key(nir), first_line, columns.nir, "a NIR whose key is 97 less its remainder by 97")
    _check(pc.match_substring_regex(birth, BIRTH_RULE), first_line, columns.birth, "a date YYYY-MM-DD")
    _check(_is_a_day(birth), first_line, columns.birth, "a day of the calendar")
    _check(pc.match_substring_regex(sex, SEX_RULE), first_line, columns.sex, "1 or M, 2 or F")
    for name in columns.kept:
        _check_shown(rows[name], nir, first_line, name, table)
    pseudonyms = level_one_pseudonyms(cipher, identity_messages(nir, birth, sex), seen)
    return pa.table([pseudonyms, *(rows[name] for name in columns.kept)], names=[PSEUDONYM_COLUMN, *columns.kept])


def pseudonymise_resources(
    numbered: Iterable[tuple[int, Resource]],
    cipher: BlockCipher,
    *,
    seen: DistinctTags | None = None,
    nir_systems: frozenset[str] = NIR_SYSTEMS,
) -> Iterator[Resource]:
    """FHIR resources with pseudonyms for persons and records, and only the elements that may leave.

    A patient keeps gender, year of birth and day of death, and gets the level-one pseudonym as its identifier; ids and
    references are replaced by the same function everywhere, so that they still fit over all files of the source.

    In: numbered — line and resource; types that no warehouse takes are left behind
    Refuses: SENDER_FILE, IDENTITY_INVALID, IDENTITY_SHOWN with the line
    """
    batch = [(line, resource) for line, resource in numbered if resource.get("resourceType") in KEPT_RESOURCES]
    kept = [(line, *_scrubbed(line, resource)) for line, resource in batch]
    names = sorted({name for _, _, found in kept for name in found})
    images = dict(zip(names, record_pseudonyms(cipher, names, seen), strict=True))
    patients = [(line, resource) for line, resource in batch if resource.get("resourceType") == "Patient"]
    identities = [_identity(line, resource, nir_systems) for line, resource in patients]
    columns = [pa.array([identity[part] for identity in identities], pa.string()) for part in range(3)]
    pseudonyms = iter(level_one_pseudonyms(cipher, identity_messages(*columns), seen).to_pylist())
    shown = iter(identities)
    for line, resource, _ in kept:
        _replace(resource, images)
        if resource["resourceType"] == "Patient":
            nir, birth, _ = next(shown)
            resource["identifier"] = [{"system": PSEUDONYM_SYSTEM, "value": next(pseudonyms)}]
            resource["birthDate"] = birth[:4]
            text = json.dumps(resource)
            if nir[:13] in text or birth in text:
                raise _shown(line, "a patient")
        yield resource


def holds_national_number(text: str) -> bool:
    """Whether the text is a NIR of 15 characters with its right key."""
    if len(text) != 15 or not _NIR.fullmatch(text):
        return False
    return bool(_has_right_key(pa.chunked_array([pa.array([text])]))[0].as_py())


# -- tables


def _check(holds: pa.ChunkedArray, first_line: int, column: str, rule: str) -> None:
    at = pc.index(pc.fill_null(holds, fill_value=False), pa.scalar(value=False)).as_py()
    if at >= 0:
        raise refusal(
            Code.IDENTITY_INVALID,
            f"Line {first_line + at}, column {column}: this is not {rule}.",
            "Correct the line, or leave it out and account for it.",
        )


def _has_right_key(nir: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whether the last two of 15 characters are the key of the first 13; shorter ones have none."""
    digits = pc.replace_substring_regex(pc.utf8_slice_codeunits(nir, 0, 13), "^(.{5})2A", r"\119")
    number = pc.cast(pc.replace_substring_regex(digits, "^(.{5})2B", r"\118"), pa.int64())
    rest = pc.subtract(number, pc.multiply(pc.divide(number, 97), 97))
    with_key = pc.equal(pc.utf8_length(nir), 15)
    key = pc.cast(pc.if_else(with_key, pc.utf8_slice_codeunits(nir, 13, 15), "0"), pa.int64())
    return pc.or_(pc.invert(with_key), pc.equal(key, pc.subtract(97, rest)))


def _is_a_day(birth: pa.ChunkedArray) -> pa.ChunkedArray:
    year, month, day = (
        pc.cast(pc.utf8_slice_codeunits(birth, start, stop), pa.int64()) for start, stop in ((0, 4), (5, 7), (8, 10))
    )
    by_four, by_hundred, by_400 = (
        pc.equal(pc.subtract(year, pc.multiply(pc.divide(year, n), n)), 0) for n in (4, 100, 400)
    )
    leap = pc.or_(pc.and_(by_four, pc.invert(by_hundred)), by_400)
    short = pc.is_in(month, value_set=pa.array([4, 6, 9, 11]))
    last = pc.if_else(pc.equal(month, 2), pc.if_else(leap, 29, 28), pc.if_else(short, 30, 31))
    return pc.less_equal(day, last)


def _check_shown(values: pa.ChunkedArray, nir: pa.ChunkedArray, first_line: int, column: str, table: str) -> None:
    """A kept value holds neither its row's NIR nor any NIR with its key."""
    suspicious = pc.indices_nonzero(pc.fill_null(pc.match_substring_regex(values, _NIR_INSIDE), fill_value=False))
    for at in suspicious.to_pylist():
        text = values[at].as_py()
        if nir[at].as_py()[:13] in text or _shows_nir(text):
            raise _shown(first_line + at, f"column {column}", table)


def _shows_nir(text: str) -> bool:
    found = re.findall(r"(?<![0-9])(?=([1-478][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{8})(?![0-9]))", text)
    return any(bool(_has_right_key(pa.chunked_array([[each]]))[0].as_py()) for each in found)


def _shown(line: int, where: str, table: str = "The file") -> Refusal:
    return refusal(
        Code.IDENTITY_SHOWN, f"{table}, line {line}: {where} shows an identity.", "Do not keep what holds identities."
    )


# -- resources


def _scrubbed(line: int, resource: Resource) -> tuple[Resource, set[str]]:
    """The resource with the elements that may leave, and the names (Type/id) in it that have to be replaced."""
    kind, own = resource.get("resourceType"), resource.get("id")
    if not isinstance(own, str) or not own:
        raise refusal(Code.SENDER_FILE, f"Line {line}: the resource has no id.", "Export it with its id.")
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
    found = [
        str(each.get("value", "")).replace(" ", "")
        for each in patient.get("identifier") or []
        if isinstance(each, dict) and each.get("system") in nir_systems
    ]
    birth, sex = str(patient.get("birthDate", "")), _SEXES.get(str(patient.get("gender", "")), "")
    column = pa.chunked_array([[found[0] if found else ""]])
    if len(set(found)) != 1 or not _NIR.fullmatch(found[0]) or not _has_right_key(column)[0].as_py():
        raise _bad(line, "identifier", "one NIR in the national system, with its right key if it has one")
    if not _DATE.fullmatch(birth) or not _is_a_day(pa.chunked_array([[birth]]))[0].as_py():
        raise _bad(line, "birthDate", "a day of the calendar, YYYY-MM-DD")
    if not sex:
        raise _bad(line, "gender", "male or female")
    return found[0], birth, sex


def _bad(line: int, element: str, rule: str) -> Refusal:
    return refusal(
        Code.IDENTITY_INVALID,
        f"Line {line}, {element}: this is not {rule}.",
        "Correct the patient, or leave them out and account for them.",
    )


def check_columns(header: Sequence[str], columns: IdentityColumns) -> None:
    """The file has the columns that are named, each once.

    Refuses: SENDER_FILE
    """
    wanted = (columns.nir, columns.birth, columns.sex, *columns.kept)
    lacking = [name for name in wanted if list(header).count(name) != 1]
    if lacking:
        raise refusal(
            Code.SENDER_FILE,
            f"The header does not have each named column once: {', '.join(lacking)}.",
            "Name the columns as the header does.",
        )
