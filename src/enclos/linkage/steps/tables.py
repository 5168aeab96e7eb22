"""Tables of the vault and tables of the moment, as all steps of linkage use them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa

from enclos.contracts.delivered.document import Kind
from enclos.contracts.sql import SqlEngine
from enclos.contracts.vault import VAULT_DDL
from enclos.linkage.plans import direct as plans
from enclos.linkage.ports import Landed

BENEFICIARY_COLUMNS = ("BEN_NIR_PSA", "BEN_RNG_GEM", "BEN_IDT_ANO", "BEN_NIR_ANO", "BEN_CDI_NIR")
"""What is read of IR_BEN_R to say who is one person."""


def prepare(engine: SqlEngine) -> None:
    """Make the vault's tables that are not there."""
    for statement in VAULT_DDL:
        engine.execute(statement)


@contextmanager
def intermediate(engine: SqlEngine, forget: Sequence[str]) -> Iterator[None]:
    """Drop the tables of the moment, whatever happens."""
    try:
        yield
    finally:
        for statement in forget:
            engine.execute(statement)


def hold(engine: SqlEngine, name: str, table: pa.Table) -> None:
    """Keep an Arrow table as a temporary one."""
    engine.register("enclos_arriving", table)
    engine.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM enclos_arriving")
    engine.unregister("enclos_arriving")


def find_snds_persons(engine: SqlEngine, landed: Landed) -> None:
    """Fill the table of SNDS pseudonyms and their persons."""
    beneficiaries, archive = (
        landed.relation(Kind.SNDS_REF.value, family, BENEFICIARY_COLUMNS) for family in ("IR_BEN_R", "IR_BEN_R_ARC")
    )
    engine.execute(plans.plan_snds_persons(beneficiaries, archive))
