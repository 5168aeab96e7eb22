"""Build a snapshot: the whole CDM in one transaction, some buckets in a pass; what would not change is kept."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date

from enclos.contracts.durations import ATC_DDD
from enclos.contracts.omop import VOCABULARY_TABLES, omop_tables
from enclos.contracts.pseudonymised import PSEUDONYMISED
from enclos.contracts.pseudonymised.hospital import CLOCK, ORDERING_INTENTS
from enclos.contracts.sql import SqlEngine
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.lexicon.spans import Span
from enclos.warehouse.model import BuildReport, DeliveredPeriod
from enclos.warehouse.plans import eras, fields, observation_periods, payers, places, providers, vocabulary
from enclos.warehouse.plans.codes import borne_sql, codes_sql
from enclos.warehouse.plans.durations import DurationRule, duration_rule
from enclos.warehouse.plans.named_rows import fields_sql
from enclos.warehouse.plans.visits import extracts_sql
from enclos.warehouse.ports import CrossingReader, LakeWriter, PassSpread
from enclos.warehouse.rules import check_balance, complete_until, cut, national_days, passes
from enclos.warehouse.steps.account import Account
from enclos.warehouse.steps.bucket import Pass
from enclos.warehouse.steps.durations import define_packs
from enclos.warehouse.steps.passes import take_pass
from enclos.warehouse.steps.records import BUILD_PART, WHOLE, Records, read_records
from enclos.warehouse.steps.sources import Sources
from enclos.warehouse.steps.stage import Stage
from enclos.warehouse.steps.tables import table_names, tables_signature
from enclos.warehouse.steps.watch import Watch
from enclos.warehouse.steps.whole import Whole
from enclos.warehouse.steps.writing import Written
from enclos.warehouse.work import Ground, PassAsked

MAPPING = "snds-1"
"""The version of the mapping rules, written into every snapshot."""
LINES_PER_PASS = 10_000_000
"""Lines mapped in one go: with their staged rows a build takes about two gigabytes."""


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
    intents: tuple[str, ...] = ORDERING_INTENTS,
    full: bool = False,
    lines_per_pass: int = LINES_PER_PASS,
    spread: PassSpread | None = None,
    progress: Callable[[str, float], None] = silent,
    check: Callable[[], None] = proceed,
    clock: Callable[[], float] = time.perf_counter,
) -> BuildReport:
    """Make the next snapshot from everything that crossed the wall; what would not change is kept as it is.

    In: n_buckets — as the tables crossed; periods — what every delivery covers; released_on — the day of the build;
    duration — the rule for days of supply; intents — of FHIR prescriptions, those that order a drug; full — make
    everything again; lines_per_pass — how many lines are mapped in one go, so that a small population is not cut up;
    spread — makes the passes in other processes, where there are several; progress — called with the phase and the
    share done; check — called before each pass and before the commit, stops the build by raising.
    Out: the snapshot's id, its rows by table, the account of every delivered table, what was made and what was kept.
    Order: neither the order of deliveries nor the number of buckets or passes changes a row, nor whether the snapshot
    before was there to be kept from.
    Refuses: BUILD_EMPTY, BUILD_PERIOD, BUILD_RULE_UNKNOWN, BUILD_UNBALANCED; whatever is raised, the snapshot before
    stays and nothing of this one is seen.
    """
    rule = duration_rule(duration)
    everywhere = Sources(engine, crossing, None)
    days = _national_days(everywhere, periods)
    before = None if full else lake.facts()
    known_passes = before.get("n_passes") if before and before["n_buckets"] == n_buckets else None
    n_passes = passes(crossing.n_rows(), n_buckets, lines_per_pass, known_passes)
    watch = Watch(clock)
    account, counts, rebuilt = Account(), Counter[str](), defaultdict[str, set[int]](set)
    shape = {
        "n_buckets": n_buckets,
        "n_passes": n_passes,
        "mapping": MAPPING,
        "duration": rule.id,
        "engine": str(engine.scalar("SELECT version()")),
        "tables": tables_signature(),
        "vocabulary": [crossing.stamp(table, None) for table in (*VOCABULARY_TABLES, ATC_DDD.name)],
    }
    rules = sha256_hex(canonical_bytes(shape))
    again = before is not None and before.get("rules") == rules
    with _transaction(lake), ExitStack() as staged:
        with watch.phase("vocabulary and places"):
            progress("vocabulary and places", 0.0)
            records = read_records(engine, lake.name(BUILD_PART.name)) if again else Records({})
            names = table_names(lake, again=again)
            shared = Stage(engine, everywhere, rules, outputs=names)
            staged.callback(shared.clear)
            _define_lookups(shared, everywhere, periods)
            define_packs(shared, everywhere, rule)
            whole = Whole(engine, lake, shared, everywhere, names, records, account, counts, rebuilt)
            whole.write_vocabulary()
            whole.write_durations()
            whole.write_places()
            domains = _domains(shared, records)

        asked = _asked(n_passes, records, check, progress)
        if spread is not None and n_passes > 1:
            with watch.phase("rows for all passes"):
                ground = Ground(
                    n_buckets=n_buckets,
                    n_passes=n_passes,
                    rules=rules,
                    duration=rule.name,
                    days=days,
                    intents=intents,
                    domains=domains,
                    names=names,
                    shared=shared.given(),
                )
            for number, made in enumerate(spread(ground, asked)):
                take_pass(made, number, ground, records, account, counts, rebuilt)
                watch.add(made.seconds)
        else:
            written = Written(names, domains, days, rule, intents, n_buckets, rules, shared)
            for each in asked:
                persons = cut(each.number, n_passes, n_buckets)
                at = Sources(engine, crossing, persons)
                Pass(engine, at, each.number, persons, written, records, account, counts, rebuilt, watch.phase).make()
        if not counts["person"]:
            raise refusal(Code.BUILD_EMPTY, "Nobody was delivered yet.", "Ingest a delivery with persons, then build.")
        with watch.phase("metadata"):
            whole.write_metadata(name, periods, released_on, _rules_of(everywhere, rule, intents))
        check_balance(account.tables())
        records.write(engine, lake.create(BUILD_PART, by_bucket=False))
        check()
        with watch.phase("commit"):
            progress("commit", 1.0)
            snapshot = lake.commit(
                {
                    "n_buckets": n_buckets,
                    "n_passes": n_passes,
                    "tables": sorted(names),
                    "mapping": MAPPING,
                    "duration": rule.id,
                    "observation_period": observation_periods.RULE,
                    "payer_plan_period": payers.RULE,
                    "rules": rules,
                    "complete_until": f"{until}" if (until := complete_until(periods)) else None,
                }
            )
    rows = {table: counts[table] for table in names if table in omop_tables()}
    return BuildReport(
        snapshot,
        rows,
        account.tables(),
        account.codes(),
        watch.seconds(),
        account.vocabularies(),
        full=not again,
        rebuilt={table: len(buckets) for table, buckets in rebuilt.items()},
    )


def _asked(
    n_passes: int, records: Records, check: Callable[[], None], progress: Callable[[str, float], None]
) -> Iterator[PassAsked]:
    for number in range(n_passes):
        check()
        progress("buckets", number / n_passes)
        yield PassAsked(number, records.before(number))


def _rules_of(sources: Sources, rule: DurationRule, intents: tuple[str, ...]) -> dict[str, str]:
    """The rules by which a snapshot is made, as it says itself."""
    rules = {
        "enclos mapping": MAPPING,
        "enclos drug duration": rule.id,
        "enclos eras": eras.RULE,
        "enclos observation period": observation_periods.RULE,
        "enclos payer plan period": payers.RULE,
    }
    if "h_patient" in sources:
        rules |= {"enclos hospital clock": CLOCK, "enclos MedicationRequest intents": " ".join(intents)}
    return rules


@contextmanager
def _transaction(lake: LakeWriter) -> Iterator[None]:
    lake.begin()
    try:
        yield
    except BaseException:
        lake.abandon()
        raise


def _national_days(sources: Sources, periods: Sequence[DeliveredPeriod]) -> Span | None:
    days = national_days(periods)
    if days is None and "ben" in sources:
        raise refusal(
            Code.BUILD_PERIOD,
            "The national reference came without care that covers common days.",
            "Ingest the DCIR or PMSI deliveries of a period, then build.",
        )
    return days


def _define_lookups(shared: Stage, sources: Sources, periods: Sequence[DeliveredPeriod]) -> None:
    # A line finds every code that it asks for, whatever else is there: what fewer vocabularies made stays as it is.
    shared.define("borne", borne_sql(_naming_vocabularies(sources)), of_no_weight=True)
    shared.define(
        "codes",
        codes_sql(sources["concept"], sources["concept_relationship"], sources["source_to_concept_map"], "stage_borne"),
    )
    shared.define(
        "ingredients",
        eras.ingredients_sql(sources["concept"], sources["concept_ancestor"], sources["drug_strength"]),
    )
    shared.define("event_fields", fields_sql(sources["concept"]))
    shared.define("units", vocabulary.units_sql(sources["concept"]))
    shared.define(
        "locations",
        places.locations_sql(sources["ben"], sources["omop_location"], sources["h_place"]),
        by_content=True,
    )
    shared.define(
        "care_sites",
        places.care_sites_sql(
            sources["prs"],
            [sources[table] for table in ("mco_b", *(field.table for field in fields.FIELDS)) if table in sources],
            sources["h_visit"],
            sources["h_place"],
            sources["omop_care_site"],
        ),
        by_content=True,
    )
    naming = [
        sources[name]
        for name in sources.of_persons
        if name.startswith("omop_") and "provider_id" in PSEUDONYMISED[name].names
    ]
    shared.define(
        "providers",
        providers.providers_sql(sources["omop_provider"], sources["h_provider"], naming),
        by_content=True,
    )
    shared.define("extracts", extracts_sql(periods))


def _naming_vocabularies(sources: Sources) -> dict[str, list[str]]:
    """The columns of what crossed that name a vocabulary."""
    named = {
        name: [column for column in table.names if column == "vocabulary" or column.endswith("_vocabulary")]
        for name, table in PSEUDONYMISED.items()
        if name in sources
    }
    return {sources[name]: columns for name, columns in named.items() if columns}


def _domains(shared: Stage, records: Records) -> dict[str, frozenset[str]]:
    """By vocabulary that lines bear, the domains that its codes lead to; asked again when they bear another one."""
    sql = vocabulary.domains_sql()
    borne = [name for (name,) in shared.rows("SELECT vocabulary FROM stage_borne ORDER BY ALL")]

    def told() -> str:
        return json.dumps(shared.rows(f"{sql} ORDER BY ALL"))

    found: defaultdict[str, set[str]] = defaultdict(set)
    for vocabulary_id, domain in json.loads(
        records.keep_or_make(WHOLE, "domains", shared.signature(sql, repr(borne)), told)
    ):
        found[vocabulary_id].add(domain)
    return {vocabulary_id: frozenset(domains) for vocabulary_id, domains in found.items()}
