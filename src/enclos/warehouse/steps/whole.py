"""The tables of a build that hold no person: written whole, or kept whole."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

from enclos.contracts.durations import ATC_DDD, DRUG_DURATION
from enclos.contracts.omop import VOCABULARY_TABLES, omop_tables, primary_keys
from enclos.contracts.sql import SqlEngine
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.warehouse.model import DeliveredPeriod, Fate
from enclos.warehouse.plans import metadata, places, providers, vocabulary
from enclos.warehouse.ports import LakeWriter
from enclos.warehouse.steps.account import Account
from enclos.warehouse.steps.records import ROWS, WHOLE, Records
from enclos.warehouse.steps.sources import Sources
from enclos.warehouse.steps.stage import Stage

_CONTRACTS = {DRUG_DURATION.name: DRUG_DURATION}
"""Tables that are not of OMOP."""


class Whole:
    """The tables that hold no person: written whole, or kept whole."""

    def __init__(
        self,
        engine: SqlEngine,
        lake: LakeWriter,
        shared: Stage,
        sources: Sources,
        names: Mapping[str, str],
        records: Records,
        account: Account,
        counts: Counter[str],
        rebuilt: defaultdict[str, set[int]],
    ) -> None:
        self._engine = engine
        self._lake = lake
        self._shared = shared
        self._sources = sources
        self._names = names
        self._records = records
        self._account = account
        self._counts = counts
        self._rebuilt = rebuilt

    def _write(self, table: str, rows: str) -> int:
        part = f"{ROWS} {table}"

        def anew() -> str:
            if self._records.told_before(WHOLE, part) is not None:
                self._lake.create(_CONTRACTS.get(table) or omop_tables()[table], by_bucket=False)
            self._rebuilt[table].add(WHOLE)
            return str(self._shared.scalar(f"INSERT INTO {self._names[table]} {rows}"))

        n_rows = int(self._records.keep_or_make(WHOLE, part, self._shared.signature(rows), anew))
        self._counts[table] += n_rows
        return n_rows

    def _tell(self, part: str, tell: Callable[[Account], None], *reads: str) -> None:
        def anew() -> str:
            piece = Account()
            tell(piece)
            return piece.as_text()

        self._account.add(self._records.keep_or_make(WHOLE, part, self._shared.signature(*reads), anew))

    def write_vocabulary(self) -> None:
        """The vocabulary, each row once."""
        for table in VOCABULARY_TABLES:
            if table not in self._sources:
                continue
            relation = self._sources[table]
            rows = vocabulary.vocabulary_rows_sql(relation, omop_tables()[table].names, primary_keys().get(table))
            n_rows = self._write(table, rows)

            def tell(piece: Account, table: str = table, relation: str = relation, n_rows: int = n_rows) -> None:
                n_delivered = self._shared.scalar(f"SELECT count(*) FROM {relation}")
                piece.deliver(table, "vocabulary", n_delivered)
                piece.map(table, n_rows)
                piece.drop(table, "same_row", Fate.FILTERED, n_delivered - n_rows)

            self._tell(f"mapped {table}", tell, rows)

    def write_durations(self) -> None:
        """The days of every pack; delivered daily doses feed the rule and become no row."""
        self._write(DRUG_DURATION.name, f"SELECT * FROM stage_{DRUG_DURATION.name}")
        if ATC_DDD.name in self._sources:
            counted = f"SELECT count(*) FROM {self._sources[ATC_DDD.name]}"

            def tell(piece: Account) -> None:
                n_delivered = self._shared.scalar(counted)
                piece.deliver(ATC_DDD.name, "vocabulary", n_delivered)
                piece.drop(ATC_DDD.name, "feeds_a_rule", Fate.FILTERED, n_delivered)

            self._tell(f"mapped {ATC_DDD.name}", tell, counted)

    def write_places(self) -> None:
        """Locations, care sites and professionals.

        Refuses: BUILD_UNBALANCED when two places or two professionals have one number.
        """
        for table in ("location", "care_site", "provider"):
            if self._shared.scalar(f"SELECT count(*) - count(DISTINCT {table}_id) FROM stage_{table}s"):
                raise refusal(
                    Code.BUILD_UNBALANCED,
                    f"The build was not kept: two rows of {table} have one number.",
                    "The snapshot before it stays. Report this as a bug of the mapping.",
                )
        self._write("location", places.location_rows_sql())
        self._write("care_site", places.care_site_rows_sql())
        self._write("provider", providers.provider_rows_sql())
        for table, staged, own in (
            ("omop_location", "locations", "kind = 'omop'"),
            ("omop_care_site", "care_sites", "kind = 'omop'"),
            ("omop_provider", "providers", "known AND kind = 'omop'"),
            ("h_provider", "providers", "known AND kind = 'hospital'"),
            ("h_place", "care_sites", "kind = 'place'"),
        ):
            if table not in self._sources:
                continue
            by_source = f"SELECT source, count(*) FROM {self._sources[table]} GROUP BY source"
            mapped = f"SELECT count(*) FROM stage_{staged} WHERE {own}"

            def tell(piece: Account, table: str = table, by_source: str = by_source, mapped: str = mapped) -> None:
                n_delivered, n_mapped = 0, self._shared.scalar(mapped)
                for source, n_lines in self._shared.rows(by_source):
                    piece.deliver(table, source, n_lines)
                    n_delivered += n_lines
                piece.map(table, n_mapped)
                piece.drop(table, "same_row", Fate.FILTERED, n_delivered - n_mapped)

            self._tell(f"mapped {table}", tell, by_source, mapped)

    def write_metadata(
        self, name: str, periods: Sequence[DeliveredPeriod], released_on: date, facts: Mapping[str, str]
    ) -> None:
        """What the snapshot is and by which rules it was made."""
        sources, account = self._sources, self._account
        until = max((period.end_on - timedelta(days=1) for period in periods), default=released_on)
        alone = "omop_cdm_source" in sources and all(table.startswith("omop_") for table in sources.of_persons)
        described = self._engine.rows(f"SELECT source, count(*) FROM {sources['omop_cdm_source']} GROUP BY source")
        delivered = sources["omop_cdm_source"] if alone and len(described) == 1 else None
        vocabulary_, concept = sources["vocabulary"], sources["concept"]
        self._write("cdm_source", metadata.cdm_source_sql(name, until, released_on, vocabulary_, concept, delivered))
        for source, n_lines in described:
            account.deliver("omop_cdm_source", source, n_lines)
            account.map("omop_cdm_source", 1 if delivered else 0)
            account.drop("omop_cdm_source", "described_anew", Fate.FILTERED, n_lines - (1 if delivered else 0))
        if "omop_metadata" in sources:
            by_source = f"SELECT source, count(*) FROM {sources['omop_metadata']} GROUP BY source"
            for source, n_lines in self._engine.rows(by_source):
                account.deliver("omop_metadata", source, n_lines)
                account.drop("omop_metadata", "described_anew", Fate.FILTERED, n_lines)
        self._write("metadata", metadata.metadata_sql(facts, released_on))
