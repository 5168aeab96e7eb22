"""Build a snapshot: the whole CDM in one transaction, bucket by bucket."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta

from enclos.contracts.omop import PERSON_TABLES, SHARED_TABLES, VOCABULARY_TABLES, omop_tables, primary_keys
from enclos.contracts.pseudonymised import PSEUDONYMISED
from enclos.contracts.sql import SqlEngine
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.lexicon.spans import Span
from enclos.warehouse.model import BuildReport, DeliveredPeriod, Fate
from enclos.warehouse.plans import fields, metadata, observation_periods, places, providers, vocabulary
from enclos.warehouse.plans.codes import codes_sql
from enclos.warehouse.plans.drugs import DurationRule, duration_rule
from enclos.warehouse.plans.person import PERSON_SOURCE
from enclos.warehouse.plans.visits import extracts_sql
from enclos.warehouse.ports import CrossingReader, LakeWriter
from enclos.warehouse.rules import check_balance, national_days
from enclos.warehouse.steps.account import Account
from enclos.warehouse.steps.bucket import Bucket, Written
from enclos.warehouse.steps.sources import Sources
from enclos.warehouse.steps.stage import Stage

MAPPING = "snds-1"
"""The version of the mapping rules, written into every snapshot."""


def silent(_phase: str, _share: float) -> None:
    """Say nothing."""


def proceed() -> None:
    """Find nothing against going on."""


def build_snapshot(
    engine: SqlEngine,
    crossing: CrossingReader,
    lake: LakeWriter,
    n_buckets: int,
    *,
    periods: Sequence[DeliveredPeriod],
    released_on: date,
    name: str = "Enclos",
    duration: str = "pack-size",
    progress: Callable[[str, float], None] = silent,
    check: Callable[[], None] = proceed,
    clock: Callable[[], float] = time.perf_counter,
) -> BuildReport:
    """Make the next snapshot from everything that crossed the wall.

    In: n_buckets — as the tables crossed; periods — what every delivery covers; released_on — the day of the build;
    duration — the rule for days of supply; progress — called with the phase and the share done; check — called before
    each bucket and before the commit, stops the build by raising.
    Out: the snapshot's id, its rows by table, the account of every delivered table.
    Order: neither the order of deliveries nor the number of buckets changes a row.
    Refuses: BUILD_EMPTY, BUILD_PERIOD, BUILD_RULE_UNKNOWN, BUILD_UNBALANCED; whatever is raised, the snapshot before
    stays and nothing of this one is seen.
    """
    rule = duration_rule(duration)
    everywhere = Sources(crossing, None)
    days = _national_days(everywhere, periods)
    watch = _Watch(clock)
    stage = Stage(engine)
    account, counts = Account(), Counter[str]()
    try:
        with _transaction(lake):
            with watch.phase("vocabulary and places"):
                progress("vocabulary and places", 0.0)
                names = _create(lake)
                _stage_lookups(stage, everywhere, periods)
                _write_vocabulary(engine, everywhere, names, account, counts)
                _write_places(engine, everywhere, names, account, counts)
                written = Written(names, _domains(engine), days, rule)
            for number in range(n_buckets):
                check()
                progress("buckets", number / n_buckets)
                Bucket(engine, Sources(crossing, number), number, written, account, counts, watch.phase).make()
            if not counts["person"]:
                raise refusal(
                    Code.BUILD_EMPTY, "Nobody was delivered yet.", "Ingest a delivery with persons, then build."
                )
            with watch.phase("metadata"):
                _write_metadata(engine, everywhere, names, counts, account, name, periods, released_on, rule)
            check_balance(account.tables())
            check()
            with watch.phase("commit"):
                progress("commit", 1.0)
                snapshot = lake.commit(
                    {
                        "n_buckets": n_buckets,
                        "tables": sorted(names),
                        "mapping": MAPPING,
                        "duration": rule.id,
                        "observation_period": observation_periods.RULE,
                    }
                )
    finally:
        stage.clear()
    rows = {table: counts[table] for table in names if table in omop_tables()}
    return BuildReport(snapshot, rows, account.tables(), account.codes(), watch.seconds(), account.vocabularies())


@contextmanager
def _transaction(lake: LakeWriter) -> Iterator[None]:
    lake.begin()
    try:
        yield
    except BaseException:
        lake.abandon()
        raise


class _Watch:
    """Seconds by phase."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = clock()
        self._phases: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        began = self._clock()
        try:
            yield
        finally:
            self._phases[name] += self._clock() - began

    def seconds(self) -> dict[str, float]:
        return {**self._phases, "total": self._clock() - self._began}


def _national_days(sources: Sources, periods: Sequence[DeliveredPeriod]) -> Span | None:
    days = national_days(periods)
    if days is None and "ben" in sources:
        raise refusal(
            Code.BUILD_PERIOD,
            "The national reference came without care that covers common days.",
            "Ingest the DCIR or PMSI deliveries of a period, then build.",
        )
    return days


def _create(lake: LakeWriter) -> dict[str, str]:
    names = {}
    for table in (*PERSON_TABLES, *SHARED_TABLES, *VOCABULARY_TABLES):
        names[table] = lake.create(omop_tables()[table], by_bucket=table in PERSON_TABLES)
    names[PERSON_SOURCE.name] = lake.create(PERSON_SOURCE, by_bucket=True)
    return names


def _stage_lookups(stage: Stage, sources: Sources, periods: Sequence[DeliveredPeriod]) -> None:
    stage.put("codes", codes_sql(sources["concept"], sources["concept_relationship"], sources["source_to_concept_map"]))
    stage.put("packs", vocabulary.packs_sql(sources["drug_strength"]))
    stage.put("units", vocabulary.units_sql(sources["concept"]))
    stage.put("locations", places.locations_sql(sources["ben"], sources["omop_location"], sources["h_place"]))
    stage.put(
        "care_sites",
        places.care_sites_sql(
            sources["prs"],
            [sources[table] for table in ("mco_b", *(field.table for field in fields.FIELDS)) if table in sources],
            sources["h_visit"],
            sources["h_place"],
            sources["omop_care_site"],
        ),
    )
    naming = [
        sources[name]
        for name in sources.of_persons
        if name.startswith("omop_") and "provider_id" in PSEUDONYMISED[name].names
    ]
    stage.put("providers", providers.providers_sql(sources["omop_provider"], sources["h_provider"], naming))
    stage.put("extracts", extracts_sql(periods))


def _domains(engine: SqlEngine) -> dict[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for vocabulary_id, domain in engine.rows(vocabulary.domains_sql()):
        found[vocabulary_id].add(domain)
    return {vocabulary_id: frozenset(domains) for vocabulary_id, domains in found.items()}


def _write_vocabulary(
    engine: SqlEngine, sources: Sources, names: dict[str, str], account: Account, counts: Counter[str]
) -> None:
    for table in VOCABULARY_TABLES:
        if table not in sources:
            continue
        n_delivered = engine.scalar(f"SELECT count(*) FROM {sources[table]}")
        rows = vocabulary.vocabulary_rows_sql(sources[table], omop_tables()[table].names, primary_keys().get(table))
        counts[table] = engine.scalar(f"INSERT INTO {names[table]} {rows}")
        account.deliver(table, "vocabulary", n_delivered)
        account.map(table, counts[table])
        account.drop(table, "same_row", Fate.FILTERED, n_delivered - counts[table])


def _write_places(
    engine: SqlEngine, sources: Sources, names: dict[str, str], account: Account, counts: Counter[str]
) -> None:
    counts["location"] = engine.scalar(f"INSERT INTO {names['location']} {places.location_rows_sql()}")
    counts["care_site"] = engine.scalar(f"INSERT INTO {names['care_site']} {places.care_site_rows_sql()}")
    counts["provider"] = engine.scalar(f"INSERT INTO {names['provider']} {providers.provider_rows_sql()}")
    for table, staged, own in (
        ("omop_location", "locations", "kind = 'omop'"),
        ("omop_care_site", "care_sites", "kind = 'omop'"),
        ("omop_provider", "providers", "known AND kind = 'omop'"),
        ("h_provider", "providers", "known AND kind = 'hospital'"),
        ("h_place", "care_sites", "kind = 'place'"),
    ):
        if table in sources:
            n_delivered = 0
            for source, n_lines in engine.rows(f"SELECT source, count(*) FROM {sources[table]} GROUP BY source"):
                account.deliver(table, source, n_lines)
                n_delivered += n_lines
            n_mapped = engine.scalar(f"SELECT count(*) FROM stage_{staged} WHERE {own}")
            account.map(table, n_mapped)
            account.drop(table, "same_row", Fate.FILTERED, n_delivered - n_mapped)


def _write_metadata(
    engine: SqlEngine,
    sources: Sources,
    names: dict[str, str],
    counts: Counter[str],
    account: Account,
    name: str,
    periods: Sequence[DeliveredPeriod],
    released_on: date,
    rule: DurationRule,
) -> None:
    until = max((period.end_on - timedelta(days=1) for period in periods), default=released_on)
    alone = "omop_cdm_source" in sources and all(table.startswith("omop_") for table in sources.of_persons)
    described = engine.rows(f"SELECT source, count(*) FROM {sources['omop_cdm_source']} GROUP BY source")
    delivered = sources["omop_cdm_source"] if alone and len(described) == 1 else None
    counts["cdm_source"] = engine.scalar(
        f"INSERT INTO {names['cdm_source']} "
        + metadata.cdm_source_sql(name, until, released_on, sources["vocabulary"], sources["concept"], delivered)
    )
    for source, n_lines in described:
        account.deliver("omop_cdm_source", source, n_lines)
        account.map("omop_cdm_source", 1 if delivered else 0)
        account.drop("omop_cdm_source", "described_anew", Fate.FILTERED, n_lines - (1 if delivered else 0))
    if "omop_metadata" in sources:
        for source, n_lines in engine.rows(f"SELECT source, count(*) FROM {sources['omop_metadata']} GROUP BY source"):
            account.deliver("omop_metadata", source, n_lines)
            account.drop("omop_metadata", "described_anew", Fate.FILTERED, n_lines)
    facts = {
        "enclos mapping": MAPPING,
        "enclos drug duration": rule.id,
        "enclos observation period": observation_periods.RULE,
    }
    counts["metadata"] = engine.scalar(f"INSERT INTO {names['metadata']} {metadata.metadata_sql(facts, released_on)}")
