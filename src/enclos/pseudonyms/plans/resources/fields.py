"""Reading one resource: codes, references, instants, numbers; SQL text over the column ``resource``.

Every instant becomes the clock of one zone, Europe/Paris, before a day is cut from it; a value without an offset is
taken as that clock already.
"""

from __future__ import annotations

from enclos.contracts.pseudonymised.hospital import CLOCK

_SYSTEMS: tuple[tuple[str, str], ...] = (
    ("icd-10-cm", "ICD10CM"),
    ("2.16.840.1.113883.6.90", "ICD10CM"),
    ("cim-10", "CIM10"),
    ("cim10", "CIM10"),
    ("icd-10", "CIM10"),
    ("2.16.840.1.113883.6.3", "CIM10"),
    ("ccam", "CCAM"),
    ("whocc", "ATC"),
    ("atc", "ATC"),
    ("loinc", "LOINC"),
    ("2.16.840.1.113883.6.1", "LOINC"),
    ("snomed", "SNOMED"),
    ("2.16.840.1.113883.6.96", "SNOMED"),
    ("rxnorm", "RxNorm"),
    ("cvx", "CVX"),
    ("cip13", "CIP13"),
    ("ucd", "UCD"),
    ("nucc.org", "NUCC"),
)
"""What a code system's URI contains → the vocabulary's name; the first that fits, exact OIDs before their prefixes."""


def vocabulary_of(system: str) -> str:
    """The vocabulary of a code system, or NULL when it is none of those known."""
    # An OID is compared whole, since one is the beginning of another; a URI by the word in it.
    tests = [
        f"WHEN replace({system}, 'urn:oid:', '') = '{mark}' THEN '{name}'"
        if mark[0].isdigit()
        else f"WHEN contains({system}, '{mark}') THEN '{name}'"
        for mark, name in _SYSTEMS
    ]
    return f"CASE {' '.join(tests)} END"


def text(path: str, of: str = "resource") -> str:
    """A string of the resource."""
    return f"json_extract_string({of}, '{path}')"


def known_coding(codings: str) -> str:
    """The first of a list of codings whose system is known: {vocabulary, code}, or NULL."""
    known = f"list_transform({codings}, lambda c: {{'vocabulary': {vocabulary_of('lower(c.system)')}, 'code': c.code}})"
    return f"list_filter({known}, lambda c: c.vocabulary IS NOT NULL AND c.code IS NOT NULL)[1]"


def coding(path: str, of: str = "resource") -> str:
    """The first coding of a CodeableConcept whose system is known."""
    return known_coding(
        f'from_json(json_extract({of}, \'{path}.coding\'), \'[{{"system":"VARCHAR","code":"VARCHAR"}}]\')'
    )


def reference(path: str, of: str = "resource") -> str:
    """What a reference ends with: an id (Patient/1, urn:uuid:1, https://host/fhir/Patient/1) or an identifier."""
    last = f"nullif(regexp_extract({text(f'{path}.reference', of)}, '([^/:?|#]+)$', 1), '')"
    return f"coalesce({last}, {text(f'{path}.identifier.value', of)})"


def at(*paths: str) -> str:
    """The first of several instants, as the clock in Paris shows it; a day is its midnight."""
    return f"({_local(paths)})"


def on(*paths: str) -> str:
    """The day of the first of several instants."""
    return f"CAST({_local(paths)} AS DATE)"


def _local(paths: tuple[str, ...]) -> str:
    value = f"coalesce({', '.join(text(path) for path in paths)})"
    zoned = f"timezone('{CLOCK}', TRY_CAST({value} AS TIMESTAMPTZ))"
    offset = f"regexp_matches({value}, 'T.*(Z|[+-][0-9]{{2}}:[0-9]{{2}})$')"
    whole = f"regexp_matches({value}, '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')"
    plain = f"CASE WHEN {whole} THEN TRY_CAST(left({value}, 19) AS TIMESTAMP) END"
    return f"CAST(date_trunc('second', CASE WHEN {offset} THEN {zoned} ELSE {plain} END) AS TIMESTAMP)"


def birth(path: str) -> str:
    """A birth date; where only the year or month is given, its first day."""
    value = text(path)
    return (
        f"TRY_CAST(CASE length({value}) WHEN 4 THEN {value} || '-01-01' WHEN 7 THEN {value} || '-01' "
        f"ELSE left({value}, 10) END AS DATE)"
    )


def number(path: str, of: str = "resource") -> str:
    """A number."""
    return f"TRY_CAST({text(path, of)} AS DOUBLE)"


def unit(path: str, of: str = "resource") -> str:
    """The unit of a Quantity: its UCUM code, else what is written."""
    return f"coalesce({text(f'{path}.code', of)}, {text(f'{path}.unit', of)})"


def not_in(path: str, *refused: str) -> str:
    """A condition: the code at the path is one of these."""
    listed = ", ".join(f"'{code}'" for code in refused)
    return f"coalesce({text(path)} IN ({listed}), false)"
