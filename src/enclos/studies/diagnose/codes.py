"""How often the concepts of a cohort were recorded: in the data, by its persons, and on the days of entry; and those
that the vocabulary relates to them, which its definition may have forgotten.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyroaring import BitMap

from enclos.contracts.omop import START_DATES
from enclos.contracts.result import SEPARATOR, EstimateType
from enclos.studies.characterise.plans import plan_concept_names
from enclos.studies.circe.domains import DOMAINS
from enclos.studies.circe.outline import outline_of
from enclos.studies.circe.resolving import resolve
from enclos.studies.derived.model import entries_from
from enclos.studies.diagnose import plans
from enclos.studies.model import CirceCohort, Cohort, ConceptCohort
from enclos.studies.plans.cohorts import DOMAIN_TABLES, columns_read
from enclos.studies.ports import CdmBucket
from enclos.studies.rules.evidence import Feature, Row
from enclos.studies.rules.report import Estimate, Place
from enclos.studies.rules.tally import person_set

_UNKNOWN_CONCEPT = "UNKNOWN CONCEPT"
_LISTED = pa.schema([("asked", pa.int32()), ("cohort", pa.int32()), ("concept_id", pa.int64())])


@dataclass(frozen=True, slots=True, order=True)
class _Table:
    """Where a concept is looked up."""

    name: str
    concept: str
    start: str

    @property
    def domain(self) -> str:
        """The domain as results name it."""
        return self.name.partition("_")[0]


@dataclass(slots=True)
class _Use:
    """Records of one concept of one cohort."""

    overall: Feature = field(default_factory=Feature)
    by_members: Feature = field(default_factory=Feature)
    at_entry: Feature = field(default_factory=Feature)


class CodeCounter:
    """Counts the records of the concepts of some cohorts, and of what is related to them.

    Lists of concepts are numbered: first each cohort's own, then in the same order what is related to each.
    """

    def __init__(self, names: Sequence[str], cohorts: Sequence[Cohort]) -> None:
        self._names = names
        self._cohorts = cohorts
        self._by_name = {cohort.name: cohort for cohort in cohorts}
        self._numbers = {cohort.name: at for at, cohort in enumerate(cohorts)}
        self._listed: dict[_Table, pa.Table] | None = None
        self._use: dict[tuple[int, _Table, int], _Use] = defaultdict(_Use)
        self._concepts: dict[int, str] = {}

    def take(self, bucket: CdmBucket, first_person: int) -> None:
        """Count a bucket."""
        self._listed = self._list(bucket) if self._listed is None else self._listed
        for table, listed in self._listed.items():
            bucket.load(plans.CODE, listed)
            rows = bucket.query(plans.plan_code_use(table.name, table.concept, table.start))
            bucket.execute(f"DROP TABLE {plans.CODE}")
            self._add(table, rows, first_person)
        self._name(bucket)

    def _add(self, table: _Table, rows: pa.Table, first_person: int) -> None:
        names = ("asked", "concept_id", "n", "n_entry", "is_member")
        asked, concept, n, n_entry, is_member = (rows[name].to_numpy() for name in names)
        person = (rows["ordinal"].to_numpy() + first_person).astype(np.uint32)
        changes = np.flatnonzero((asked[1:] != asked[:-1]) | (concept[1:] != concept[:-1])) + 1
        for start, end in zip([0, *changes.tolist()], [*changes.tolist(), len(asked)], strict=True):
            if start == end:
                continue
            own = slice(start, end)
            use = self._use[int(asked[start]), table, int(concept[start])]
            for feature, records in (
                (use.overall, n[own]),
                (use.by_members, np.where(is_member[own], n[own], 0)),
                (use.at_entry, n_entry[own]),
            ):
                feature.add(int(records.sum()), person_set(person[own][records > 0]))

    def _list(self, bucket: CdmBucket) -> dict[_Table, pa.Table]:
        """The concepts of every cohort asked for, by the table that they are looked up in."""
        made_of = {name: self._sources(name) for name in self._names}
        sets: dict[str, list[tuple[_Table, list[int]]]] = {
            name: self._of_cohort(name, bucket) for name in sorted(set().union(*made_of.values()))
        }
        rows: dict[_Table, set[tuple[int, int, int]]] = defaultdict(set)
        for asked, name in enumerate(self._names):
            for table, concepts in (each for source in made_of[name] for each in sets[source]):
                rows[table] |= {(asked, self._numbers[name], concept) for concept in concepts}
        return {table: self._with_related(bucket, _table_of(sorted(rows[table]))) for table in sorted(rows)}

    def _with_related(self, bucket: CdmBucket, own: pa.Table) -> pa.Table:
        bucket.load(plans.CODE, own)
        related = bucket.query(plans.plan_related())
        bucket.execute(f"DROP TABLE {plans.CODE}")
        asked = pc.add(related["asked"], len(self._names))
        return pa.concat_tables([own, related.set_column(0, "asked", asked).cast(own.schema)])

    def _name(self, bucket: CdmBucket) -> None:
        """Learn the names of concepts that were found for the first time."""
        if wanted := sorted({concept for _, _, concept in self._use} - self._concepts.keys()):
            named = bucket.query(plan_concept_names(wanted)).to_pydict()
            self._concepts |= dict.fromkeys(wanted, _UNKNOWN_CONCEPT)
            self._concepts |= {
                concept: name or _UNKNOWN_CONCEPT
                for concept, name in zip(named["concept_id"], named["concept_name"], strict=True)
            }

    def _sources(self, name: str) -> set[str]:
        """The cohorts of concepts or of Circe that a cohort's entries come from."""
        cohort = self._by_name[name]
        if isinstance(cohort, ConceptCohort | CirceCohort):
            return {name}
        return set().union(*(self._sources(each) for each in entries_from(cohort.operation)))

    def _of_cohort(self, name: str, bucket: CdmBucket) -> list[tuple[_Table, list[int]]]:
        cohort = self._by_name[name]
        if isinstance(cohort, ConceptCohort):
            table = DOMAIN_TABLES[cohort.domain]
            rows = bucket.query(plans.plan_concept_sets([self._numbers[name]]))
            return [(_Table(table, columns_read(cohort.domain)[1], START_DATES[table]), rows["concept_id"].to_pylist())]
        if not isinstance(cohort, CirceCohort):
            raise TypeError("other cohorts have no concepts of their own")
        outline = outline_of([cohort.definition])
        resolved = resolve(outline, bucket)
        found = []
        for criterion in cohort.definition.criteria:
            domain = DOMAINS[criterion.domain]
            start = START_DATES.get(domain.table)
            if criterion.concept_set is not None and domain.concept is not None and start is not None:
                concepts = resolved.get(outline.concept_sets[criterion.concept_set], ())
                found.append((_Table(domain.table, domain.concept, start), list(concepts)))
        return found

    def overall_rows(self) -> Iterator[Row]:
        """Records of each concept in all the data seen.

        Source: CodelistGenerator 4, summariseCodeUse.
        """
        for asked, name in enumerate(self._names):
            everyone = BitMap.union(BitMap(), *(use.overall.persons for _, _, use in self._of(asked)))
            yield from self._rows(asked, ("codelist_name", name), "overall", everyone)

    def related_rows(self) -> Iterator[Row]:
        """Records, in all the data seen, of each concept that is related to a cohort's and is not one of them.

        Source: CodelistGenerator 4, summariseOrphanCodes.
        """
        for at, name in enumerate(self._names, start=len(self._names)):
            everyone = BitMap.union(BitMap(), *(use.overall.persons for _, _, use in self._of(at)))
            yield from self._rows(at, ("codelist_name", name), "overall", everyone)

    def cohort_rows(self, timing: str, members: Sequence[BitMap]) -> Iterator[Row]:
        """Records of each concept by the persons of each cohort.

        In:     timing — any, at any time; entry, on the day of an entry; members — the persons of each cohort asked for
        Source: CodelistGenerator 4, summariseCohortCodeUse.
        """
        which = {"any": "by_members", "entry": "at_entry"}[timing]
        for asked, name in enumerate(self._names):
            group = (SEPARATOR.join(("cohort_name", "codelist_name")), SEPARATOR.join((name, name)))
            yield from self._rows(asked, group, which, members[asked])

    def _of(self, asked: int) -> list[tuple[_Table, int, _Use]]:
        return sorted(
            ((table, concept, use) for (cohort, table, concept), use in self._use.items() if cohort == asked),
            key=lambda each: each[:2],
        )

    def _rows(self, asked: int, group: tuple[str, str], which: str, among: BitMap) -> Iterator[Row]:
        found = [(table, concept, getattr(use, which)) for table, concept, use in self._of(asked)]
        found = [each for each in found if each[2].n]
        if not found:
            return
        whole = Feature(
            sum(each.n for *_, each in found), BitMap.union(BitMap(), *(each.persons for *_, each in found))
        )
        yield Row(Place(*group, "overall"), _estimates(whole), whole.persons, among)
        for table, concept, feature in found:
            place = Place(*group, self._concepts[concept], str(concept), additional=("domain_id", table.domain))
            yield Row(place, _estimates(feature), feature.persons, among)


def _table_of(rows: list[tuple[int, int, int]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ((),) * len(_LISTED)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, _LISTED, strict=True)], _LISTED)


def _estimates(feature: Feature) -> list[Estimate]:
    return [
        Estimate("record_count", EstimateType.INTEGER, str(feature.n)),
        Estimate("person_count", EstimateType.INTEGER, str(len(feature.persons))),
    ]
