"""Mother and child: what the stay of a birth says of the mother.

Source: T_MCOaaC carries the mother's pseudonym in the row of the newborn's stay: NIR_ANO_MAM from 2013 to 2018, later
ID_MAM_ENF, under which intake lands both.
"""

from __future__ import annotations

from enclos.pseudonyms.model import LeftBehind
from enclos.pseudonyms.plans.persons import SNDS_ALONE, SNDS_LEFT, SNDS_PERSON, fictitious_pseudonym, joined_snds

CHAINING_COLUMNS = ("NIR_ANO_17", "RNG_NAI", "ID_MAM_ENF")
"""What is read of T_MCOaaC."""


def judged_mothers(chaining: str) -> str:
    """Every stay that names a mother, with both persons; her pseudonym names her where it is one person's.

    Empty: a stay that names no mother, or a stand-in, has no row.
    """
    stand_in = f"{fictitious_pseudonym('c.NIR_ANO_17')} OR {fictitious_pseudonym('c.ID_MAM_ENF')}"
    return (
        f"SELECT c._source AS source, {SNDS_PERSON} AS person_id, m.person_id AS mother_id, "
        f"CASE WHEN {stand_in} THEN '{LeftBehind.FICTITIOUS_NIR.value}' WHEN m.n_persons > 1 "
        f"THEN '{LeftBehind.TWINS_UNTOLD.value}' WHEN m.person_id IS NULL THEN '{LeftBehind.NO_PERSON.value}' "
        f"ELSE {SNDS_LEFT} END AS _left FROM {chaining} AS c "
        f"{joined_snds('c', 'NIR_ANO_17', 'TRY_CAST(c.RNG_NAI AS BIGINT)')} "
        f"LEFT JOIN {SNDS_ALONE} AS m ON m._source = c._source AND m.psa = c.ID_MAM_ENF "
        "WHERE coalesce(trim(c.ID_MAM_ENF), '') <> ''"
    )
