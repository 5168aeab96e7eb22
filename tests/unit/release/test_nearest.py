"""The nearest safe version hides nothing, and is what the changed study file gives."""

import yaml

from enclos.contracts.result import HIDDEN
from enclos.release.rules.changing import study_change
from enclos.release.rules.disclosure import assess
from enclos.release.rules.merging import DropStrata, JoinSexes, Lengthen, MergeAges
from enclos.release.rules.nearest import kept_of, nearest_version
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
