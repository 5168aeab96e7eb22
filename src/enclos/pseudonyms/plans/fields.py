"""The PMSI beside medicine, and the drugs, devices, acts and diagnoses that hang on a stay of any field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from enclos.contracts.delivered import pmsi
from enclos.contracts.delivered.pmsi import PmsiField
from enclos.contracts.pseudonymised import PSEUDONYMISED
from enclos.pseudonyms.model import LeftBehind
from enclos.pseudonyms.plans.persons import SNDS_PERSON, fictitious_pseudonym, joined_snds, snds_left
from enclos.pseudonyms.plans.stays import CHAINED as MCO_CHAINED

_OF_STAY = ("person_id", "stay_key")
_DATES = ("EXE_SOI_DTD", "EXE_SOI_DTF")
GROUPS = "T_HADaaGRP"
"""Says the GHT of each sub-sequence; it crosses as a column of the sub-sequence."""


@dataclass(frozen=True, slots=True)
class Header:
    """The rows that make the stays of a field: the chaining rows themselves, or rows that are joined to them."""

    field: PmsiField
    family: str
    into: str
    sequence: tuple[str, ...] = ()
    """What tells the rows of one stay apart."""
    rank: str = "NULL"
    """The person's rank in the chaining row ``c``, as SQL."""

    @property
    def chained(self) -> str:
        """The temporary table of the field's stays, each once."""
        return f"enclos_chained_{self.field.name.lower()}"

    @property
    def keys_of(self) -> str:
        """The temporary table of the field's stay keys."""
        return f"enclos_stay_keys_{self.field.name.lower()}"

    @property
    def label(self) -> str:
        """What keeps the keys of its stays apart from those of other fields."""
        return f"stay {self.field.name}"

    @property
    def return_codes(self) -> tuple[str, ...]:
        """The return codes of a chaining row."""
        return tuple(name for name in PSEUDONYMISED[self.into].names if name.endswith("_RET"))

    @property
    def chaining_columns(self) -> tuple[str, ...]:
        """What is read of the chaining table."""
        rank = ("RNG_NAI",) if "RNG_NAI" in self.rank else ()
        return (*self.field.stay_keys, "NIR_ANO_17", *rank, *_DATES, *self.return_codes)

    @property
    def own_columns(self) -> tuple[str, ...]:
        """What is read of the header's rows, the GHT apart."""
        known = {*_OF_STAY, "bucket", "source", "ETA_NUM", *_DATES, *self.return_codes, "GHT_NUM"}
        return tuple(name for name in PSEUDONYMISED[self.into].names if name not in known)


_RANK = "TRY_CAST(c.RNG_NAI AS BIGINT)"
ACE = Header(pmsi.ACE, "T_MCOaaCSTC", "ace", rank=_RANK)
SSR = Header(pmsi.SSR, "T_SSRaaB", "ssr_b", ("RHS_NUM",))
HAD = Header(pmsi.HAD, "T_HADaaB", "had_b", ("SEQ_NUM", "SSEQ_NUM"), rank=_RANK)
RIP = Header(pmsi.RIP, "T_RIPaaRSA", "rip_rsa", ("SEQ_SEQ_NUM",))
HEADERS: tuple[Header, ...] = (ACE, SSR, HAD, RIP)


@dataclass(frozen=True, slots=True)
class Line:
    """How the rows of a delivered table become rows of the one table of their noun."""

    field: PmsiField
    into: str
    reads: tuple[str, ...]
    values: Mapping[str, str]
    """The columns of the row, as SQL over the delivered row ``r``."""


def _diagnosis(of: PmsiField, column: str, place: str) -> Line:
    return Line(of, "pmsi_diagnosis", (column,), {"place": f"'{place}'", "ASS_DGN": f"r.{column}"})


def _act(
    of: PmsiField,
    code: str,
    delay: str,
    number: str = "",
    *,
    phase: str = "",
    activity: str = "",
    sequence: tuple[str, ...] = (),
    vocabulary: str = "CCAM",
    delay_from: str = "stay",
) -> Line:
    reads = tuple(name for name in (code, delay, number, phase, activity, *sequence) if name)
    said = {"CDC_ACT": code, "PHA_ACT": phase, "ACV_ACT": activity}
    values = {name: f"r.{column}" for name, column in said.items() if column}
    values |= {"vocabulary": f"'{vocabulary}'", "delay_from": f"'{delay_from}'"}
    values |= {"ENT_DAT_DEL": f"TRY_CAST(r.{delay} AS INTEGER)"}
    if number:
        values |= {"NBR_EXE_ACT": f"TRY_CAST(r.{number} AS INTEGER)"}
    if sequence:
        values |= {"sequence": f"concat_ws('/', {', '.join(f'r.{name}' for name in sequence)})"}
    return Line(of, "pmsi_act", reads, values)


def _drug(of: PmsiField, list_name: str, number: str, delay: str, other_code: str = "") -> Line:
    codes = [f"nullif(trim(r.{name}), '')" for name in ("UCD_UCD_COD", other_code) if name]
    return Line(
        of,
        "pmsi_drug",
        tuple(name for name in ("UCD_UCD_COD", other_code, number, delay) if name),
        {
            "list": f"'{list_name}'",
            "UCD_UCD_COD": f"coalesce({', '.join(codes)})",
            "ADM_NBR": f"r.{number}",
            "DAT_DELAI": f"TRY_CAST(r.{delay} AS INTEGER)",
        },
    )


LINES: dict[str, Line] = {
    "T_MCOaaMED": _drug(pmsi.MCO, "MED", "ADM_NBR", "DELAI", "UCD_COD"),
    "T_MCOaaMEDATU": _drug(pmsi.MCO, "MEDATU", "ADM_NBR", "DAT_DELAI", "UCD_COD"),
    "T_MCOaaMEDTHROMBO": _drug(pmsi.MCO, "MEDTHROMBO", "ADM_NBR", "DAT_DELAI", "UCD_COD"),
    "T_MCOaaFH": _drug(pmsi.MCO, "FH", "QUA_COD", "DEL_DAT_ENT", "COD_UCD"),
    "T_MCOaaDMIP": Line(
        pmsi.MCO,
        "pmsi_device",
        ("TIP_PRS_IDE", "LPP_COD", "NBR_POS", "DELAI"),
        {
            "TIP_PRS_IDE": "coalesce(CAST(nullif(r.TIP_PRS_IDE, 0) AS VARCHAR), r.LPP_COD)",
            "NBR_POS": "r.NBR_POS",
            "DELAI": "TRY_CAST(r.DELAI AS INTEGER)",
        },
    ),
    "T_MCOaaVALO": Line(
        pmsi.MCO,
        "mco_valo",
        ("MNT_TOT_AM", "MNT_TOT_BR"),
        {"MNT_TOT_AM": "r.MNT_TOT_AM", "MNT_TOT_BR": "r.MNT_TOT_BR"},
    ),
    "T_MCOaaFBSTC": Line(pmsi.ACE, "ace_b", ("ACT_COD",), {"ACT_COD": "trim(r.ACT_COD)"}),
    "T_MCOaaFMSTC": _act(pmsi.ACE, "CCAM_COD", "DEL_DAT_ENT", phase="PHA_ACT", activity="ACV_ACT"),
    "T_MCOaaFLSTC": Line(
        pmsi.ACE,
        "pmsi_analysis",
        ("NABM_COD", "ACT_NBR", "DEL_DAT_ENT"),
        {"NABM_COD": "r.NABM_COD", "ACT_NBR": "r.ACT_NBR", "DEL_DAT_ENT": "TRY_CAST(r.DEL_DAT_ENT AS INTEGER)"},
    ),
    "T_MCOaaFHSTC": _drug(pmsi.ACE, "FHSTC", "QUA", "DEL_DAT_ENT", "UCD_COD"),
    "T_SSRaaD": _diagnosis(pmsi.SSR, "DGN_COD", "DAS"),
    "T_SSRaaCCAM": _act(
        pmsi.SSR, "CCAM_ACT", "CCAM_DEL_ENT_UM", "CCAM_NBR_REA", phase="CCAM_PHA_ACT", activity="CCAM_COD_ACT"
    ),
    "T_SSRaaCSARR": _act(
        pmsi.SSR, "CSARR_COD", "ENT_DAT_DEL_UM", "NBR_CSARR", sequence=("RHS_NUM",), vocabulary="CSARR"
    ),
    "T_SSRaaMED": _drug(pmsi.SSR, "MED", "ADM_NBR", "DAT_DELAI"),
    "T_SSRaaMEDATU": _drug(pmsi.SSR, "MEDATU", "ADM_NBR", "DAT_DELAI"),
    "T_HADaaD": _diagnosis(pmsi.HAD, "DGN_ASS", "DAS"),
    "T_HADaaDMPP": _diagnosis(pmsi.HAD, "DGN_ASS_MPP", "DMPP"),
    "T_HADaaDMPA": _diagnosis(pmsi.HAD, "DGN_ASS_MPA", "DMPA"),
    "T_HADaaA": _act(
        pmsi.HAD,
        "CCAM_COD",
        "DEL_DEB_SSEQ",
        "REAL_NBR",
        phase="PHA_COD",
        activity="ACT_COD",
        sequence=("SEQ_NUM", "SSEQ_NUM"),
        delay_from="sequence",
    ),
    "T_HADaaMED": _drug(pmsi.HAD, "MED", "ADM_NBR", "DAT_DELAI"),
    "T_HADaaMEDATU": _drug(pmsi.HAD, "MEDATU", "ADM_NBR", "DAT_DELAI"),
    "T_HADaaMEDCHL": _drug(pmsi.HAD, "MEDCHL", "ADM_NBR", "DAT_DELAI"),
    "T_RIPaaRSAD": _diagnosis(pmsi.RIP, "ASS_DGN", "DAS"),
    "T_RIPaaCCAM": _act(pmsi.RIP, "CDC_ACT", "ENT_DAT_DEL", "NBR_EXE_ACT", phase="PHA_ACT", activity="ACV_ACT"),
}
"""The delivered tables whose rows hang on a stay, beside those of ``plans/stays.py``."""


def plan_chained(header: Header, chaining: str) -> str:
    """Fill the field's stays; a second chaining row of the same stay stays behind."""
    keys = ("_source", "year", *header.field.stay_keys)
    listed = ", ".join(f"c.{key}" for key in keys)
    columns = ", ".join(f"c.{name}" for name in (*_DATES, *header.return_codes))
    finess = header.field.stay_keys[0]
    left = snds_left(fictitious_pseudonym("c.NIR_ANO_17"))
    return (
        f"CREATE OR REPLACE TEMP TABLE {header.chained} AS SELECT {listed}, c._delivery, c._line, "
        f"c.{finess} AS finess, {columns}, "
        f"k.stay_key, {SNDS_PERSON} AS person_id, CASE WHEN row_number() OVER (PARTITION BY {listed} ORDER BY c._line) "
        f"> 1 THEN '{LeftBehind.DUPLICATE_KEY.value}' ELSE {left} END AS _left FROM {chaining} AS c "
        f"JOIN {header.keys_of} AS k ON {_same(keys, 'k', 'c')} {joined_snds('c', 'NIR_ANO_17', header.rank)}"
    )


def judged_chaining(header: Header) -> str:
    """Every chaining row, where it is itself the stay."""
    columns = ", ".join(f"s.{name}" for name in (*_DATES, *header.return_codes))
    return (
        f"SELECT s._source AS source, s.person_id, s.stay_key, s.finess AS ETA_NUM, {columns}, s._delivery, s._line, "
        "s._left "
        f"FROM {header.chained} AS s"
    )


def with_groups(header: Header, rows: str, groups: str) -> str:
    """Sub-sequences with their GHT."""
    keys = _header_keys(header)
    return (
        f"(SELECT b.*, g.GHT_NUM FROM {rows} AS b LEFT JOIN (SELECT {', '.join(keys)}, max(GHT_NUM) AS GHT_NUM "
        f"FROM {groups} GROUP BY ALL) AS g ON {_same(keys, 'g', 'b')})"
    )


def plan_joined_groups(header: Header, rows: str, groups: str) -> str:
    """How many grouping rows belong to a sub-sequence, and how many to none; none repeats."""
    keys = _header_keys(header)
    return (
        f"SELECT count(*) FILTER (WHERE b.year IS NOT NULL), count(*) FILTER (WHERE b.year IS NULL), 0 "
        f"FROM {groups} AS g LEFT JOIN (SELECT DISTINCT {', '.join(keys)} FROM {rows}) AS b ON {_same(keys, 'b', 'g')}"
    )


def judged_header(header: Header, rows: str) -> str:
    """Every header row with its stay; a second row of the same sequence stays behind."""
    own = [name for name in (*header.own_columns, "GHT_NUM") if name in PSEUDONYMISED[header.into].names]
    columns = [*(f"s.{name}" for name in (*_DATES, *header.return_codes)), *(f"r.{name}" for name in own)]
    rank = f"row_number() OVER (PARTITION BY {', '.join(f'r.{key}' for key in _header_keys(header))} ORDER BY r._line)"
    return (
        f"SELECT r._source AS source, s.person_id, s.stay_key, s.finess AS ETA_NUM, {', '.join(columns)}, "
        "r._delivery, r._line, s._delivery AS _chained_delivery, s._line AS _chained, "
        f"CASE WHEN {rank} > 1 THEN '{LeftBehind.DUPLICATE_KEY.value}' WHEN s._source IS NULL "
        f"THEN '{LeftBehind.NO_STAY.value}' ELSE s._left END AS _left FROM {rows} AS r {_stay(header.field)}"
    )


def judged_line(family: str, line: Line, rows: str) -> str:
    """Every row of a table that hangs on a stay, with its stay.

    In: family — the delivered table, which a table of several keeps as ``came_as``
    """
    values = {"came_as": f"'{family}'", **line.values}
    names = [name for name in PSEUDONYMISED[line.into].names if name not in {*_OF_STAY, "bucket", "source"}]
    columns = ", ".join(f'{values.get(name, "NULL")} AS "{name}"' for name in names)
    return (
        f"SELECT r._source AS source, s.person_id, s.stay_key, {columns}, r._delivery, r._line, "
        f"s._delivery AS _chained_delivery, s._line AS _chained, CASE WHEN s._source IS NULL "
        f"THEN '{LeftBehind.NO_STAY.value}' ELSE s._left END AS _left FROM {rows} AS r {_stay(line.field)}"
    )


def plan_joined_chaining(header: Header, rows: str) -> str:
    """Of the chaining rows: how many belong to a stay, how many to none, how many repeat a stay."""
    keys = ("_source", "year", *header.field.stay_keys)
    repeated = f"c._left IS NOT DISTINCT FROM '{LeftBehind.DUPLICATE_KEY.value}'"
    return (
        f"SELECT count(*) FILTER (WHERE NOT {repeated} AND b.year IS NOT NULL), "
        f"count(*) FILTER (WHERE NOT {repeated} AND b.year IS NULL), count(*) FILTER (WHERE {repeated}) "
        f"FROM {header.chained} AS c LEFT JOIN (SELECT DISTINCT {', '.join(keys)} FROM {rows}) AS b "
        f"ON {_same(keys, 'b', 'c')}"
    )


def plan_forget() -> tuple[str, ...]:
    """Drop the temporary tables."""
    return tuple(f"DROP TABLE IF EXISTS {name}" for header in HEADERS for name in (header.chained, header.keys_of))


def _header_keys(header: Header) -> tuple[str, ...]:
    return ("_source", "year", *header.field.stay_keys, *header.sequence)


def _stay(of: PmsiField) -> str:
    chained = next((header.chained for header in HEADERS if header.field is of), MCO_CHAINED)
    return (
        f"LEFT JOIN {chained} AS s ON {_same(('_source', 'year', *of.stay_keys), 's', 'r')} "
        f"AND s._left IS DISTINCT FROM '{LeftBehind.DUPLICATE_KEY.value}'"
    )


def _same(keys: tuple[str, ...], left: str, right: str) -> str:
    return " AND ".join(f"{left}.{key} = {right}.{key}" for key in keys)
