"""The truth is what the deliveries hold, counted slowly; and the effects are really there."""

import json
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
import yaml

from enclos.studies.compare.model import Comparison, Following
from enclos.studies.document import study_from_yaml
from enclos.synthetic import illness
from enclos.synthetic.illness import METFORMIN, Illness
from enclos.synthetic.outcomes import GI_BLEED, OUTCOMES, Exposure, base_hazard, events
from enclos.synthetic.people import NEVER, NO_SHARES, People, people
from enclos.synthetic.references import Treatment
from enclos.synthetic.truth import AGE_GROUPS
from unit.synthetic.conftest import YEARS, Ask

DAY = timedelta(days=1)
GLIPTIN = "A10BH01"


def birthday(birth: date, age: int) -> date:
    """The first day of the month of birth, so many years later: the day of birth is not in the SNDS."""
    return date(birth.year + age, birth.month, 1)


def slow_incidence(ask: Ask) -> dict[tuple[str, str, str, str], tuple[int, int, int]]:
    """Persons, events and days at risk from truth/persons and the stays delivered, one person at a time."""
    first: dict[str, dict[int, date]] = {outcome.name: {} for outcome in OUTCOMES}
    of_code = {code: outcome.name for outcome in OUTCOMES for code in outcome.codes}
    stays = ask(
        "SELECT t.true_person, b.DGN_PAL, c.EXE_SOI_DTD::DATE FROM T_MCOB AS b JOIN T_MCOC AS c "
        "USING (ETA_NUM, RSA_NUM, SOR_ANN) JOIN truth_identities AS t ON t.source = 'snds' "
        "AND t.source_person_id = NIR_ANO_17 || '/' || RNG_NAI"
    )
    for person, code, when in stays:
        outcome = of_code.get(str(code))
        if outcome is not None:
            known = first[outcome].get(person, when)  # type: ignore[call-overload]
            first[outcome][person] = min(known, when)  # type: ignore[index, type-var]
    begin, last = date(YEARS[0], 1, 1), date(YEARS[1], 12, 31)
    intervals = {str(year): (date(year, 1, 1), date(year, 12, 31)) for year in range(YEARS[0], YEARS[1] + 1)}
    intervals["overall"] = (begin, last)
    found: dict[tuple[str, str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for person, sex, birth, death in ask("SELECT true_person, sex, birth_on, death_on FROM truth_persons"):
        assert isinstance(birth, date)
        for outcome, days in first.items():
            event = days.get(person)  # type: ignore[call-overload]
            for low, high in AGE_GROUPS:
                start = max(begin, birth, birthday(birth, low))
                stop = min(x for x in (last, death, event, birthday(birth, high + 1) - DAY) if isinstance(x, date))
                for name, (opens, closes) in intervals.items():
                    since, until = max(start, opens), min(stop, closes)
                    if since > until:
                        continue
                    for which in ("both", "female" if sex == 2 else "male"):
                        cell = found[outcome, f"{low} to {high}", which, name]
                        cell[0] += 1
                        cell[1] += event is not None and since <= event <= until
                        cell[2] += (until - since).days + 1
    return {key: (cell[0], cell[1], cell[2]) for key, cell in found.items()}


def test_incidence_is_what_the_delivered_stays_give_counted_one_person_at_a_time(france: Path, ask: Ask) -> None:
    stated = {
        (row["outcome"], row["age_group"], row["sex"], row["interval"]): (
            row["n_persons"],
            row["n_events"],
            row["person_days"],
        )
        for row in json.loads((france / "truth" / "incidence.json").read_text())
    }
    slow = slow_incidence(ask)
    assert {key: value for key, value in stated.items() if value != (0, 0, 0)} == slow
    assert len(stated) == len(OUTCOMES) * len(AGE_GROUPS) * 3 * (YEARS[1] - YEARS[0] + 2)
    assert all(slow[outcome.name, "0 to 150", "both", "overall"][1] > 8 for outcome in OUTCOMES)
    assert ask("SELECT count(*) FROM truth_incidence") == [(len(stated),)]


def test_rates_are_events_by_person_years(france: Path) -> None:
    for row in json.loads((france / "truth" / "incidence.json").read_text()):
        if row["person_days"]:
            rate = row["n_events"] / (row["person_days"] / 365.25) * 1e5
            assert abs(row["per_100k_person_years"] - rate) < 1e-5


def test_the_outcomes_are_nowhere_but_in_their_own_stays(ask: Ask) -> None:
    codes = ", ".join(f"'{code}'" for outcome in OUTCOMES for code in outcome.codes)
    assert ask(
        f"SELECT (SELECT count(*) FROM T_MCOD WHERE ASS_DGN IN ({codes})) + "
        f"(SELECT count(*) FROM T_MCOB WHERE DGN_REL IN ({codes})) + "
        f"(SELECT count(*) FROM IR_IMB_R WHERE MED_MTF_COD IN ({codes}))"
    ) == [(0,)]


def test_the_study_of_the_incidence_is_one_that_the_engine_reads(france: Path) -> None:
    study = study_from_yaml((france / "truth" / "studies" / "incidence.yaml").read_text())
    (analysis,) = study.analyses
    assert {cohort.name for cohort in study.cohorts} == {outcome.name for outcome in OUTCOMES}
    assert [(group.min_years, group.max_years) for group in analysis.population.age_groups] == list(AGE_GROUPS)


def test_effects_name_a_harmful_and_a_harmless_drug_and_their_studies(france: Path) -> None:
    effects = json.loads((france / "truth" / "effects.json").read_text())
    assert [(effect["id"], effect["hazard_ratio"]) for effect in effects] == [
        ("rivaroxaban-gi-bleed", 2.0),
        ("rosuvastatin-myocardial-infarction", 1.0),
    ]
    for effect in effects:
        study = yaml.safe_load((france / "truth" / effect["study"]).read_text())
        (analysis,) = study["analyses"]
        named = {analysis["compare"][role] for role in ("target", "comparator", "outcome")}
        assert named == set(study["cohorts"])


def test_the_studies_of_effects_are_ones_that_the_engine_reads(france: Path) -> None:
    for effect in json.loads((france / "truth" / "effects.json").read_text()):
        (analysis,) = study_from_yaml((france / "truth" / effect["study"]).read_text()).analyses
        assert isinstance(analysis, Comparison)
        assert analysis.primary.follow_up.kind is Following.ON_TREATMENT


def half_exposed(n: int) -> tuple[People, Illness, Exposure]:
    """Persons of whom every second one uses a drug in every second quarter of the data."""
    rng = np.random.default_rng(1)
    folk = people(rng, 0, n, 17_897, 17_897 + 4 * 365, NO_SHARES)
    names = ("atrial_fibrillation", "dyslipidaemia", "coronary", "diabetes_2")
    ill = Illness({name: rng.random(n) < 0.5 for name in names}, {})
    exposed = np.arange(n) % 2 == 0
    start = np.where(exposed, folk.start + np.array([[0], [730]]), NEVER)
    return folk, ill, Exposure(start, start + 365)


def test_a_drug_multiplies_the_hazard_while_it_is_used_and_only_then() -> None:
    folk, ill, used = half_exposed(120_000)
    found = events(np.random.default_rng(2), folk, ill, GI_BLEED, {"B01AF01": used})
    day = found.day
    in_use = used.covers(found.person, day)
    expected = {True: 0.0, False: 0.0}  # sum of base hazards over person-days in and out of use
    everyone = np.arange(len(folk))
    for begin in range(folk.start, folk.end, 365):
        days = np.full(len(folk), begin + 182)
        present = (folk.birth < begin) & (folk.death > begin + 365)
        hazard = base_hazard(GI_BLEED, folk.age(days), folk.female, ill, everyone)
        using = used.covers(everyone, days)
        for state in (True, False):
            expected[state] += float(hazard[present & (using == state)].sum())
    begin_of_year = folk.start + (day - folk.start) // 365 * 365
    counted = (folk.birth[found.person] < begin_of_year) & (folk.death[found.person] > begin_of_year + 365)
    n_used, n_free = int((in_use & counted).sum()), int((~in_use & counted).sum())
    ratio = (n_used / expected[True]) / (n_free / expected[False])
    margin = 4 * np.sqrt(1 / n_used + 1 / n_free)
    assert n_used > 300
    assert abs(np.log(ratio / 2.0)) < margin
    assert margin < 0.35


def test_nobody_has_an_event_outside_life_and_data() -> None:
    folk, ill, used = half_exposed(20_000)
    for outcome in OUTCOMES:
        found = events(np.random.default_rng(3), folk, ill, outcome, {"B01AF01": used})
        assert len(found.person) > 50
        assert (found.day >= np.maximum(folk.birth, folk.start)[found.person]).all()
        assert (found.day <= np.minimum(folk.death, folk.end - 1)[found.person]).all()
        first = found.first_day(len(folk))
        assert (first[found.person] <= found.day).all()
        assert (first == NEVER).sum() == len(folk) - len(set(found.person.tolist()))


@pytest.mark.parametrize("drugs", [(METFORMIN, GLIPTIN), (GLIPTIN, METFORMIN)])
def test_who_takes_metformin_is_told_by_the_drug_wherever_its_line_names_it(
    drugs: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of those who take it by then more get rosuvastatin than of those who take the line's other drug."""
    of_diabetes = Treatment("diabetes_2", 1.0, tuple((drug, 1.0) for drug in drugs), "")
    lines = (of_diabetes, Treatment("dyslipidaemia", 1.0, (), "statin"))
    monkeypatch.setattr(illness, "treatments", lambda: lines)
    rng, n = np.random.default_rng(1), 6000
    folk = people(rng, 0, n, 17_897, 17_897 + 4 * 365, NO_SHARES)
    names = ("diabetes_2", "dyslipidaemia")
    ill = Illness({name: np.full(n, True) for name in names}, {name: np.full(n, folk.start) for name in names})
    taken = illness.episodes(rng, folk, ill)
    on_rosuvastatin = np.isin(np.arange(n), taken.of(illness.ROSUVASTATIN).person)
    shares = [float(on_rosuvastatin[np.unique(taken.of(drug).person)].mean()) for drug in (METFORMIN, GLIPTIN)]
    assert shares[0] > shares[1] + 0.1
