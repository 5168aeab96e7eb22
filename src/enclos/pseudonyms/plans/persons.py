"""From a source's identity to a person number: tables that every crossing joins."""

from __future__ import annotations

from enclos.pseudonyms.model import LeftBehind

SNDS_RANKED = "enclos_snds_ranked"
"""(_source, psa, rank, person_id): each SNDS pseudonym."""
SNDS_ALONE = "enclos_snds_alone"
"""(_source, psa, n_persons, person_id): each BEN_NIR_PSA; the number is given where it belongs to one person."""
SNDS_HOLDERS = "enclos_snds_holders"
"""(_source, holder, person_id): each BEN_IDT_ANO."""
PATIENTS = "enclos_patients"
"""(_source, patient, person_id): each hospital patient."""


def plan_snds_ranked(source: str) -> str:
    """The pseudonyms of an SNDS source; the key is 'PSA/rank'."""
    rank = "string_split(source_person_key, '/')[-1]"
    return (
        f"CREATE OR REPLACE TEMP TABLE {SNDS_RANKED} AS SELECT source AS _source, "
        f"left(source_person_key, CAST(length(source_person_key) - length({rank}) - 1 AS BIGINT)) AS psa, "
        f"CAST({rank} AS BIGINT) AS rank, person_id FROM vault.person_map WHERE source = '{source}'"
    )


def plan_snds_alone() -> str:
    """Each BEN_NIR_PSA and whose it is, where its ranks are all one person's."""
    return (
        f"CREATE OR REPLACE TEMP TABLE {SNDS_ALONE} AS SELECT _source, psa, count(DISTINCT person_id) AS n_persons, "
        f"CASE WHEN count(DISTINCT person_id) = 1 THEN min(person_id) END AS person_id FROM {SNDS_RANKED} GROUP BY ALL"
    )


def plan_snds_holders(beneficiaries: str) -> str:
    """Each BEN_IDT_ANO and its person; all its pseudonyms are one person's by then."""
    return (
        f"CREATE OR REPLACE TEMP TABLE {SNDS_HOLDERS} AS SELECT b._source, b.BEN_IDT_ANO AS holder, "
        f"min(r.person_id) AS person_id FROM {beneficiaries} AS b JOIN {SNDS_RANKED} AS r ON r._source = b._source "
        "AND r.psa = b.BEN_NIR_PSA AND r.rank = b.BEN_RNG_GEM WHERE b.BEN_IDT_ANO IS NOT NULL GROUP BY ALL"
    )


def plan_patients(source: str) -> str:
    """The patients of a hospital."""
    return (
        f"CREATE OR REPLACE TEMP TABLE {PATIENTS} AS SELECT source AS _source, source_person_key AS patient, person_id "
        f"FROM vault.person_map WHERE source = '{source}'"
    )


def joined_snds(alias: str, psa: str, rank: str) -> str:
    """JOIN text from rows with a pseudonym and a rank to its person.

    The pair decides. Where no such pair is known (a rank that the scheme does not keep) a pseudonym that belongs to
    one person is that person; one that belongs to several (twins) stays untold. Source: facts on identity, § 1.4.
    """
    return (
        f"LEFT JOIN {SNDS_RANKED} AS ranked ON ranked._source = {alias}._source AND ranked.psa = {alias}.{psa} "
        f"AND ranked.rank = {rank} LEFT JOIN {SNDS_ALONE} AS alone ON alone._source = {alias}._source "
        f"AND alone.psa = {alias}.{psa}"
    )


SNDS_PERSON = "coalesce(ranked.person_id, alone.person_id)"
"""The person that ``joined_snds`` finds."""

SNDS_LEFT = (
    f"CASE WHEN {SNDS_PERSON} IS NOT NULL THEN NULL WHEN alone.n_persons > 1 "
    f"THEN '{LeftBehind.TWINS_UNTOLD.value}' ELSE '{LeftBehind.NO_PERSON.value}' END"
)
"""Why ``joined_snds`` finds none."""


CERTAIN_NIR = ("00", "03", "04")
"""Values of BEN_CDI_NIR under which a pseudonym is somebody's: certified, or provisional. Source: facts, § 1.4."""


def fictitious_status(column: str) -> str:
    """Whether BEN_CDI_NIR says that the identity is a stand-in; an empty one does not."""
    return f"coalesce(lpad(trim({column}), 2, '0') NOT IN {CERTAIN_NIR}, false)"


def fictitious_pseudonym(column: str) -> str:
    """Whether a pseudonym is one of those that the PMSI writes for nobody: x all over, at times with a last D or S."""
    return f"coalesce(regexp_full_match({column}, '[xX]{{16}}[xXdDsS]'), false)"


def snds_left(fictitious: str) -> str:
    """Why ``joined_snds`` finds none, or why what it finds does not count."""
    return f"CASE WHEN {fictitious} THEN '{LeftBehind.FICTITIOUS_NIR.value}' ELSE {SNDS_LEFT} END"


def plan_forget() -> tuple[str, ...]:
    """Drop the tables."""
    return tuple(f"DROP TABLE IF EXISTS {name}" for name in (SNDS_RANKED, SNDS_ALONE, SNDS_HOLDERS, PATIENTS))
