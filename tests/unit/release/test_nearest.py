"""The nearest safe version hides nothing, and is what the changed study file gives."""

import cProfile
import pstats
from collections import Counter
from pathlib import Path

import pytest
import yaml

from enclos.contracts.result import HIDDEN
from enclos.release.rules.changing import study_change
from enclos.release.rules.disclosure import assess
from enclos.release.rules.merging import DropStrata, JoinSexes, Lengthen, MergeAges, merged, moves_of
from enclos.release.rules.nearest import kept_of, nearest_version
from enclos.release.rules.policy import policy
from enclos.release.rules.reading import read_result
from enclos.studies.document import study_from_yaml
from enclos.studies.steps import run_study
from factories.results import ALL_AGES, Asked, crowd, result_of
from factories.study_tables import cdm

STUDY = """\
study: bands
cohorts:
  events: {concepts: [1], descendants: false, domain: condition, limit: all, end: event_end}
analyses:
  - incidence: {outcome: events, age_groups: [[0, 39], [40, 59], [60, 150]], sex: [male, female], interval: overall}
  - prevalence: {outcome: events, type: period, age_groups: [[60, 150], [40, 59]], sex: [both, male], interval: years}
"""


def town() -> object:
    """Few events in the middle ages, many in the others."""
    lines = ["person | sex | born | observed | events"]
    for number in range(600):
        at, rank = divmod(number, 200)
        event = "2019-07-02" if rank < (60, 6, 90)[at] else ""
        born = ("1990-01-01", "1970-01-01", "1950-01-01")[at]
        lines.append(f"{number + 1} | {'FM'[rank % 2]} | {born} | 2019-01-01..2019-12-31 | {event}")
    return cdm("\n".join(lines))


def test_the_pasted_study_has_nothing_hidden_and_keeps_what_was_said() -> None:
    people, study = town(), yaml.safe_load(STUDY)
    result = run_study(study_from_yaml(STUDY), people)
    found = assess(result, 11)
    nearest = nearest_version(result, found)
    assert nearest is not None
    assert [each for each in nearest.sentences if "40 to 59" in each]
    for part in study_change(STUDY, nearest.moves).split("# in the place of analysis ")[1:]:
        number, _, lines = part.partition("\n")
        study["analyses"][int(number) - 1] = yaml.safe_load(lines)[0]
    again = run_study(study_from_yaml(yaml.safe_dump(study)), people)
    safe = assess(again, 11)
    assert safe.safe is not None
    rates = [row for row in safe.safe.table.to_pylist() if row["strata_name"] != "reason"]
    assert HIDDEN not in {row["estimate_value"] for row in rates}
    assert len(again.cells) == round(nearest.kept.cells * len(result.cells))
    assert nearest.kept.persons == 1.0
    assert 0 < nearest.kept.cells < 1


def test_no_merge_where_nothing_is_hidden_and_none_where_no_merge_helps() -> None:
    large = result_of(crowd(6000, 1, p_event=0.5), Asked())
    assert nearest_version(large, assess(large, 5)) is None
    few = result_of(crowd(9, 1), Asked())
    assert nearest_version(few, assess(few, 11)) is None


def test_each_version_found_hides_no_cell_and_needs_all_its_merges() -> None:
    for seed in range(6):
        asked = Asked(ages=((0, 39), (40, 64), (65, 150)), sexes=("Male", "Female"), overall=False)
        result = result_of(crowd(400, seed, p_event=0.3), asked, attrition=False)
        found = assess(result, 11)
        nearest = nearest_version(result, found)
        assert nearest is not None, seed
        assert not any(cell.hidden for cell in nearest.found.evidence)
        assert len(nearest.found.evidence) < len(result.cells)
        assert nearest.kept.cells == round(len(nearest.found.evidence) / len(result.cells), 4)


def test_what_hiding_keeps_is_told_beside_it() -> None:
    result = result_of(crowd(600, 1, p_event=0.1), Asked(ages=(ALL_AGES,)))
    found = assess(result, 11)
    kept = kept_of(found, result, result)
    assert 0 < kept.cells < 1
    assert kept.estimates == found.summary["share_kept"]


def test_a_study_file_changes_where_it_asks_for_what_is_given_up() -> None:
    text = """\
study: s
analyses:
  - incidence: {outcome: a, interval: [months, years], sex: [male], strata: [sex, [sex, age_group]]}
  - prevalence: {outcome: a, age_groups: [[0, 19], [20, 150], [0, 150]]}
  - characterise: {cohort: a, strata: [sex]}
"""
    moves = (Lengthen("months"), JoinSexes(), DropStrata("sex"), MergeAges((0, 19), (20, 150)))
    parts = study_change(text, moves).split("# in the place of analysis ")[1:]
    assert [yaml.safe_load(part.partition("\n")[2])[0] for part in parts] == [
        {"incidence": {"outcome": "a", "interval": ["years"], "sex": ["male"], "strata": [["sex", "age_group"]]}},
        {"prevalence": {"outcome": "a", "age_groups": [[0, 150]]}},
        {"characterise": {"cohort": "a"}},
    ]
    assert study_change(text, ()) == ""


@pytest.mark.parametrize("seed", range(6))
def test_who_wants_only_what_is_whole_is_told_the_same_of_it_and_nothing_of_the_rest(seed: int) -> None:
    asked = Asked(ages=((0, 39), (40, 64), (65, 150)), sexes=("Both", "Male", "Female"))
    version = result_of(crowd(400, seed, p_event=0.5), asked)
    n_whole = 0
    while True:
        found, whole = assess(version, 11), assess(version, 11, only_whole=True)
        if any(cell.hidden for cell in found.evidence):
            assert whole.safe is None
        else:
            n_whole += 1
            assert (whole.findings, whole.evidence, whole.summary) == (found.findings, found.evidence, found.summary)
            assert whole.safe is not None and found.safe is not None
            assert whole.safe.table.equals(found.safe.table)
        reading = read_result(version, policy())
        moves = moves_of(reading, version)
        if not moves:
            break
        version = merged(reading, version, moves[seed % len(moves)])
    assert n_whole > 0


def calls(work: object, *args: object) -> Counter[tuple[str, str]]:
    """How often each function is called, by its file and name."""
    profile = cProfile.Profile()
    profile.runcall(work, *args)
    counted: Counter[tuple[str, str]] = Counter()
    for (file, _, name), (_, n, *_) in pstats.Stats(profile).stats.items():
        counted[Path(file).name, name] += n
    return counted


def test_a_merge_of_twice_as_many_strata_is_twice_the_work() -> None:
    n_calls = []
    for n_groups in (10, 20, 40):
        ages = tuple((first, first + 1) for first in range(0, 2 * n_groups, 2))
        result = result_of(crowd(40, 1), Asked(ages=ages))
        reading = read_result(result, policy())
        counted = calls(merged, reading, result, MergeAges(*ages[:2]))
        n_calls.append(sum(n for (file, _), n in counted.items() if file == "merging.py"))
    assert 0 < n_calls[0] < n_calls[1]
    assert n_calls[2] - n_calls[1] < 2.5 * (n_calls[1] - n_calls[0])


def test_a_version_is_read_once_on_the_way_and_once_where_it_is_checked() -> None:
    asked = Asked(ages=((0, 39), (40, 64), (65, 150)), sexes=("Male", "Female"), overall=False)
    result = result_of(crowd(400, 1, p_event=0.3), asked, attrition=False)
    found = assess(result, 11)
    nearest = nearest_version(result, found)
    assert nearest is not None
    n_moves = len(nearest.moves)
    assert n_moves > 1
    # Of the last move nothing is done again: without it is the version before it.
    n_versions = n_moves + sum(range(n_moves))
    counted = calls(nearest_version, result, found)
    n_read, n_checked = counted["reading.py", "read_result"], counted["disclosure.py", "assess"]
    assert 0 < n_read <= n_versions + n_checked
