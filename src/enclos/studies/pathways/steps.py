"""Build paths bucket by bucket, and report them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from pyroaring import BitMap

from enclos.contracts.result import OVERALL, SEPARATOR, EstimateType
from enclos.studies.homes import homes
from enclos.studies.model import Cohort, Sex
from enclos.studies.pathways import plans
from enclos.studies.pathways.model import Pathways, Stratum
from enclos.studies.pathways.rules import Era, path_of
from enclos.studies.plans.entries import FEMALE, MALE, NO_SEX, plan_entries
from enclos.studies.ports import CdmBucket
from enclos.studies.rules.estimates import printed
from enclos.studies.rules.report import Estimate, Place, Report

RESULT_TYPE, GROUP_NAME, VARIABLE = "treatment_pathways", "target_cohort", "pathway"
_NOT_KNOWN = "None"
_SEXES = {MALE: Sex.MALE.word, FEMALE: Sex.FEMALE.word, NO_SEX: _NOT_KNOWN}
_COLUMNS = ("ordinal", "sex", "age", "index_year", "treatment", "first_day", "last_day")


def pathway_columns(_: Pathways) -> Mapping[str, tuple[str, ...]]:
    """Nothing is read beyond the cohorts, the persons and their observation."""
    return {}


class PathwayFollower:
    """Counts an analysis of pathways."""

    def __init__(self, analysis: Pathways, cohorts: Sequence[Cohort]) -> None:
        self._analysis = analysis
        self._index = {cohort.name: at for at, cohort in enumerate(cohorts)}
        self._names = [cohort.name for cohort in cohorts]
        self._persons: dict[tuple[str, str, str], dict[str, BitMap]] = defaultdict(lambda: defaultdict(BitMap))
        """By target, stratum and its level: who has each path."""

    def take(self, bucket: CdmBucket, first_person: int) -> None:
        """Find the path of each person of the bucket."""
        asked = self._analysis
        bucket.execute(plan_entries([self._index[target] for target in asked.targets]))
        found_homes = homes(bucket, asked.strata)
        live: dict[int, str] = {}
        if found_homes is not None:
            live = dict(zip(found_homes["ordinal"].to_pylist(), found_homes["department"].to_pylist(), strict=True))
        treatments = [self._index[name] for name in asked.treatments]
        for target in asked.targets:
            plan = plans.plan_eras(self._index[target], treatments, asked.follow_up_days, asked.steps.min_era_days)
            found = bucket.query(plan)
            rows = zip(*(found[name].to_pylist() for name in _COLUMNS), strict=True)
            for (ordinal, sex, age, year), eras in groupby(rows, key=itemgetter(0, 1, 2, 3)):
                path = path_of(
                    [
                        Era(first, last, (self._names[treatment],))
                        for *_, treatment, first, last in eras
                        if treatment != plans.NO_TREATMENT
                    ],
                    asked.steps,
                )
                for stratum, level in self._levels(sex, age, year, live.get(ordinal, _NOT_KNOWN)):
                    self._persons[target, stratum, level][path].add(ordinal + first_person)

    def _levels(self, sex: int, age: int, year: int, home: str) -> Iterator[tuple[str, str]]:
        yield OVERALL, OVERALL
        for stratum in self._analysis.strata:
            if stratum is Stratum.SEX:
                yield stratum.value, _SEXES[sex]
            elif stratum is Stratum.DEPARTMENT:
                yield stratum.value, home
            elif stratum is Stratum.INDEX_YEAR:
                yield stratum.value, str(year)
            else:
                groups = [each for each in self._analysis.age_groups if each.min_years <= age <= each.max_years]
                yield stratum.value, groups[0].word if groups else _NOT_KNOWN

    def report(self, report: Report) -> None:
        """Add each path with the persons who have it, the most frequent first."""
        asked = self._analysis
        strata = SEPARATOR.join(each.value for each in asked.strata)
        result_id = report.start(RESULT_TYPE, GROUP_NAME, strata, "", _settings(asked))
        names = [OVERALL, *(each.value for each in asked.strata)]
        for target in asked.targets:
            keys = sorted(
                (key for key in self._persons if key[0] == target), key=lambda key: (names.index(key[1]), key[2])
            )
            for key in keys:
                paths = self._persons[key]
                everyone = BitMap.union(BitMap(), *paths.values())
                for path, persons in sorted(paths.items(), key=lambda each: (-len(each[1]), each[0])):
                    place = Place(GROUP_NAME, target, VARIABLE, path, (key[1], key[2]))
                    share = printed(round(100 * len(persons) / len(everyone), 4))
                    found = [
                        Estimate("count", EstimateType.INTEGER, str(len(persons))),
                        Estimate("percentage", EstimateType.PERCENTAGE, share),
                    ]
                    report.add(result_id, place, found)
                    report.add_cell(result_id, place, persons, everyone)


def _settings(asked: Pathways) -> dict[str, str]:
    steps = asked.steps
    return {
        "treatments": SEPARATOR.join(asked.treatments),
        "follow_up_days": "None" if asked.follow_up_days is None else str(asked.follow_up_days),
        "min_era_duration": str(steps.min_era_days),
        "era_collapse": str(steps.collapse_days),
        "combination_window": str(steps.combination_days),
        "min_post_combination": str(steps.min_part_days),
        "filter_treatments": steps.keep.value,
        "max_path_length": str(steps.max_length),
    }
