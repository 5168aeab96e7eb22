"""What the monthly review of the ledger finds, scenario by scenario, after a quiet half year; and what it leaves alone.

Source: SNDS security framework § 7.3; MR-007 SEC-JOU-2.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from enclos.ledger.model import Action, Outcome, Personal
from enclos.ledger.rules.acts import Act, acts_of
from enclos.ledger.rules.watching import Detector, Finding, Thresholds, findings
from enclos.ledger.steps import Ledger
from enclos.lexicon.codes import Code
from factories.ledger import SteppingClock, begun
from fakes.ledger import MemoryLedger

PARIS = ZoneInfo("Europe/Paris")
BEGIN, MONTH, END = (datetime(2026, month, 1, tzinfo=PARIS).astimezone(UTC) for month in (5, 11, 12))
ALICE, BOB, CAROL, OPERATOR = "alice@example.org", "bob@example.org", "carol@example.org", "access-body:ops"
PERMIT, OTHER = "FR-2026-0042", "FR-2026-0043"


class Story:
    """A ledger that people fill; real entries, at the times that are told."""

    def __init__(self) -> None:
        self.clock = SteppingClock(BEGIN, timedelta(0))
        self.ledger: Ledger = begun(MemoryLedger(), clock=self.clock)

    def at(self, when: datetime) -> Story:
        self.clock.at = max(self.clock.at, when.astimezone(UTC))
        return self

    def does(
        self,
        who: str,
        action: Action,
        permit: str | None = None,
        outcome: Outcome = Outcome.DONE,
        code: Code | None = None,
        **facts: object,
    ) -> Story:
        self.ledger.intent(action, who, permit, facts).outcome(outcome, code=code)  # type: ignore[arg-type]
        return self

    def asks(self, who: str, text: str, shape: str = "", permit: str = PERMIT, n_rows: int = 200) -> Story:
        facts = {"query": Personal(text), "shape": Personal(shape or text), "n_rows": n_rows}
        return self.does(who, Action.SQL, permit, **facts)

    def works(self, begin: datetime, end: datetime) -> Story:
        """People who do what people do: two queries and a study a day each, a delivery a week."""
        day = begin
        while day < end:
            if day.weekday() < 5:
                for hour, who, permit in ((9, ALICE, PERMIT), (11, BOB, OTHER), (14, ALICE, PERMIT)):
                    self.at(day.replace(hour=hour))
                    self.asks(who, f"{day}{hour}", permit=permit).does(who, Action.STUDY, permit, n_rows=900)
            if day.weekday() == 0:
                self.at(day.replace(hour=16)).does(OPERATOR, Action.INGEST).does(OPERATOR, Action.BUILD)
            day += timedelta(days=1)
        return self

    def found(self) -> list[Finding]:
        acts = list(acts_of(self.ledger.entries()))
        before: list[Act] = [act for act in acts if act.at < MONTH]
        return findings(before, [act for act in acts if MONTH <= act.at < END], Thresholds(zone=PARIS))

    def detectors(self) -> set[Detector]:
        return {one.detector for one in self.found()}


@pytest.fixture
def story() -> Story:
    """A quiet half year, and the first week of the month that is reviewed."""
    return Story().works(BEGIN.astimezone(PARIS), datetime(2026, 11, 9, tzinfo=PARIS))


WEDNESDAY = datetime(2026, 11, 11, 10, tzinfo=PARIS)


def test_a_quiet_month_tells_of_nothing(story: Story) -> None:
    story.works(datetime(2026, 11, 9, tzinfo=PARIS), datetime(2026, 12, 1, tzinfo=PARIS))
    assert story.found() == []


def test_a_user_who_does_what_operators_do_is_found(story: Story) -> None:
    story.at(WEDNESDAY).does(ALICE, Action.KEY_ROTATE)
    (one,) = story.found()
    assert (one.detector, one.n, len(one.entries)) == (Detector.PRIVILEGE, 1, 1)


def test_a_user_who_tries_it_and_is_refused_is_found(story: Story) -> None:
    story.at(WEDNESDAY).does(ALICE, Action.PERMIT_AMEND, PERMIT, Outcome.REFUSED, Code.PERMIT_TRANSITION)
    assert story.detectors() == {Detector.PRIVILEGE}


def test_who_is_turned_away_is_counted_by_the_rule_that_did(story: Story) -> None:
    story.at(WEDNESDAY)
    for code in (Code.PERMIT_EXPIRED, Code.PERMIT_USER_MISSING, Code.PERMIT_USER_MISSING):
        story.ledger.record(Action.DENIED, ALICE, PERMIT, {"via": "portal", "code": code.id, "n_before": 0})
    codes = [act.code for act in acts_of(story.ledger.entries()) if act.is_denied]
    assert codes == [Code.PERMIT_EXPIRED.id, Code.PERMIT_USER_MISSING.id, Code.PERMIT_USER_MISSING.id]
    (one,) = story.found()
    assert (one.detector, one.n) == (Detector.ENDED, 1), "a try under an ended permit is one, wherever it was refused"


def test_an_operator_who_never_was_one_is_found(story: Story) -> None:
    story.at(WEDNESDAY).does("new-ops", Action.LINK)
    assert story.detectors() == {Detector.PRIVILEGE}


def test_in_a_new_enclosure_operators_are_no_news() -> None:
    story = Story().at(MONTH + timedelta(days=1)).does(OPERATOR, Action.INGEST).does("second-ops", Action.LINK)
    assert story.found() == []


def test_far_more_rows_in_a_day_than_the_actor_uses_to_draw_are_found(story: Story) -> None:
    story.at(WEDNESDAY)
    for n in range(4):
        story.asks(ALICE, f"all of it {n}", n_rows=60_000)
    (one,) = story.found()
    assert (one.detector, one.n) == (Detector.VOLUME, 240_000)


def test_a_heavy_day_of_one_who_always_has_heavy_days_is_not(story: Story) -> None:
    story = Story()
    for n in range(30):
        story.at(MONTH - timedelta(days=40 - n)).asks(ALICE, f"usual {n}", n_rows=90_000)
    story.at(WEDNESDAY).asks(ALICE, "a little more", n_rows=200_000)
    assert story.found() == []


def test_many_exports_in_a_day_are_found(story: Story) -> None:
    story.at(WEDNESDAY)
    for _ in range(10):
        story.does(OPERATOR, Action.RELEASE_EXPORT, PERMIT, n_files=4)
    assert story.detectors() == {Detector.VOLUME}


@pytest.mark.parametrize(
    "when",
    [
        datetime(2026, 11, 11, 23, 30, tzinfo=PARIS),
        datetime(2026, 11, 12, 3, tzinfo=PARIS),
        datetime(2026, 11, 14, 15, tzinfo=PARIS),
    ],
)
def test_work_at_night_or_on_a_weekend_is_found(story: Story, when: datetime) -> None:
    story.at(when)
    for n in range(3):
        story.asks(BOB, f"cannot sleep {n}", permit=OTHER)
    assert story.detectors() == {Detector.NIGHT}


def test_one_night_counts_as_one_across_midnight(story: Story) -> None:
    for hour in (23, 24, 25):
        story.at(datetime(2026, 11, 11, tzinfo=PARIS) + timedelta(hours=hour)).asks(BOB, f"late {hour}", permit=OTHER)
    (one,) = story.found()
    assert (one.detector, one.n) == (Detector.NIGHT, 3)


def test_a_late_query_now_and_then_is_not(story: Story) -> None:
    for day in range(11, 28):
        story.at(datetime(2026, 11, day, 22, 30, tzinfo=PARIS)).asks(BOB, f"late {day}", permit=OTHER)
    assert story.found() == []


def test_queries_that_differ_in_their_constants_only_are_found(story: Story) -> None:
    story.at(WEDNESDAY)
    for born in range(1930, 1945):
        story.at(WEDNESDAY + timedelta(minutes=born - 1930)).asks(
            ALICE, f"SELECT count(*) FROM person WHERE year_of_birth = {born}", "count person year_of_birth = ?"
        )
    (one,) = story.found()
    assert (one.detector, one.n) == (Detector.REPEATED, 15)


def test_the_same_query_again_and_again_is_not(story: Story) -> None:
    for minute in range(30):
        story.at(WEDNESDAY + timedelta(minutes=minute)).asks(ALICE, "SELECT count(*) FROM person")
    assert story.found() == []


def test_neither_is_one_shape_over_weeks(story: Story) -> None:
    for day in range(11, 28):
        if day % 7 not in {0, 1}:
            story.at(datetime(2026, 11, day, 10, tzinfo=PARIS)).asks(ALICE, f"year {day}", "one year")
    assert story.found() == []


def test_many_refusals_in_an_hour_are_found(story: Story) -> None:
    for minute in range(12):
        story.at(WEDNESDAY + timedelta(minutes=minute))
        story.does(BOB, Action.SQL, OTHER, Outcome.REFUSED, Code.SQL_NOT_ALLOWED)
    (one,) = story.found()
    assert (one.detector, one.n) == (Detector.DENIALS, 12)


def test_a_refusal_a_day_is_how_people_learn(story: Story) -> None:
    for day in range(9, 29):
        story.at(datetime(2026, 11, day, 10, tzinfo=PARIS))
        story.does(BOB, Action.SQL, OTHER, Outcome.REFUSED, Code.SQL_NOT_ALLOWED)
    assert story.found() == []


@pytest.mark.parametrize("code", [Code.PERMIT_EXPIRED, Code.PERMIT_REVOKED])
def test_a_permit_that_is_tried_after_its_end_is_found(story: Story, code: Code) -> None:
    story.at(WEDNESDAY).does(ALICE, Action.STUDY, PERMIT, Outcome.REFUSED, code)
    assert story.detectors() == {Detector.ENDED}


def test_what_was_done_after_a_revocation_is_found_though_it_cannot_be(story: Story) -> None:
    story.at(WEDNESDAY).does(OPERATOR, Action.PERMIT_REVOKE, PERMIT)
    story.at(WEDNESDAY + timedelta(hours=1)).asks(ALICE, "still here")
    assert story.detectors() == {Detector.ENDED}


def test_work_that_dies_again_and_again_is_found(story: Story) -> None:
    for minute in range(5):
        story.at(WEDNESDAY + timedelta(minutes=minute)).does(ALICE, Action.STUDY, PERMIT, Outcome.FAILED)
    assert story.detectors() == {Detector.BROKEN}


def test_a_desk_that_asks_about_many_persons_in_a_day_is_found(story: Story) -> None:
    def asks_about(n: int, desk: str) -> None:
        for number in range(n):
            story.does(OPERATOR, Action.QUESTION, what="answer", question=f"q-{desk}-{number}", desk=desk)

    story.at(WEDNESDAY)
    asks_about(49, "desk-a")
    asks_about(49, "desk-b")
    story.at(WEDNESDAY + timedelta(days=1))
    asks_about(49, "desk-a")
    assert story.detectors() == set()
    asks_about(1, "desk-a")
    assert [(one.detector, one.n) for one in story.found()] == [(Detector.ASKING, 50)]
