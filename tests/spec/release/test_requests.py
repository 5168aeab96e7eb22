"""What becomes of a request: by itself, by two persons, in quarantine, and how often it leaves."""

import json
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from enclos.contracts.result import HIDDEN
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import Refusal
from enclos.release import allowance, blocks
from enclos.release.package import canonical_table, verify_package
from enclos.release.rules.terms import kinds, terms_of
from enclos.release.steps import (
    answer_question,
    ask_question,
    check_result,
    left_under,
    list_requests,
    review_release,
    show_numbers,
    show_request,
    turnaround,
)
from enclos.release.steps.documents import load
from enclos.stores.release_files import DeskFiles
from factories.results import Asked, Person, crowd, result_of
from unit.release.test_desk import (
    NOW,
    PERMIT,
    RESULT,
    SIGNER,
    STUDY,
    TERMS,
    accepted,
    archive,
    ask,
    asked_of,
    code_of,
    ended,
    export,
    valid,
    vote,
)

LARGE = result_of(crowd(3000, 1), Asked(), attrition=False)
WITH_ATTRITION = result_of(crowd(3000, 1), Asked())
ALONE = terms_of(["incidence"])


@pytest.fixture
def desk(tmp_path: Path) -> DeskFiles:
    return DeskFiles(tmp_path / "release", SecretKey(KeyName(KeyRole.DESK), b"k" * 32))


def shown(desk: DeskFiles, request: str) -> dict[str, Any]:
    return show_request(request, desk=desk)


def question(desk: DeskFiles, request: str, user: str = "carol@example.org", text: str = "Why these ages?") -> int:
    asked = ask_question(request, user=user, text=text, desk=desk, now=NOW, check=valid)
    return int(asked["question"])


def answered(desk: DeskFiles, request: str, number: int = 1, user: str = "alice@example.org") -> None:
    answer_question(request, number, user=user, text="They are controls.", desk=desk, now=NOW, check=valid)


def checked(desk: DeskFiles, result: Any = RESULT, **options: Any) -> dict[str, Any]:
    return check_result(asked_of(result, **options), desk=desk, archive=archive(desk), check=valid)


def test_a_reviewer_sees_every_number_that_would_leave_and_votes_on_it(desk: DeskFiles) -> None:
    request = ask(desk)["request"]
    seen = show_numbers(request, user="carol@example.org", desk=desk, check=valid)
    assert sha256(desk.read(request, "results.csv")).hexdigest() == seen["result_sha256"]
    said = [(line["additional_level"], line["estimate_name"], line.get("estimate_value")) for line in seen["lines"]]
    vote(desk, request, "carol@example.org", content=seen["content"])
    vote(desk, request, "dan@example.org")
    left = canonical_table(export(desk, request)["results.csv"])[0].to_pylist()
    assert said == [(row["additional_level"], row["estimate_name"], row["estimate_value"]) for row in left]
    assert seen["study"] == STUDY


def test_the_numbers_are_shown_to_nobody_of_the_project_and_of_nothing_that_failed(desk: DeskFiles) -> None:
    request = ask(desk)["request"]
    for user in ("alice@example.org", "Bob@example.org"):
        assert code_of(lambda user=user: look(desk, request, user)) is Code.RELEASE_REVIEWER  # type: ignore[misc]
    failed = ask(desk, result_of(crowd(5, 1)), run="b")["request"]
    assert code_of(lambda: look(desk, failed, "carol@example.org")) is Code.RELEASE_TRANSITION


def test_a_vote_on_other_numbers_than_were_shown_is_refused(desk: DeskFiles) -> None:
    request = ask(desk)["request"]
    other = look(desk, ask(desk, run="b")["request"], "carol@example.org")["content"]
    assert code_of(lambda: vote(desk, request, "carol@example.org", content=other)) is Code.RELEASE_ALTERED


def test_looking_tells_nothing_of_the_first_vote(desk: DeskFiles) -> None:
    request = ask(desk)["request"]
    vote(desk, request, "carol@example.org", accept=False, reason="Not yet clear")
    seen = look(desk, request, "dan@example.org")
    assert seen["state"] == "half"
    assert "Not yet clear" not in repr(seen)
    assert "accept" not in repr(seen["votes"])


def look(desk: DeskFiles, request: str, user: str) -> dict[str, Any]:
    return show_numbers(request, user=user, desk=desk, check=valid)


def test_a_class_that_policy_names_leaves_without_votes_and_says_so(desk: DeskFiles) -> None:
    answer = ask(desk, LARGE, terms=ALONE)
    assert (answer["verdict"], answer["state"]) == ("pass", "accepted")
    report = verify_package(export(desk, answer["request"], terms=ALONE), SIGNER.public_key())
    assert (report.released, report.n_accepted) == ("automatically", 0)
    assert shown(desk, answer["request"])["turnaround_seconds"] == 0


@pytest.mark.parametrize(
    ("result", "terms"),
    [
        (LARGE, TERMS),
        (LARGE, terms_of(["prevalence"])),
        (RESULT, ALONE),
        (WITH_ATTRITION, ALONE),
        (WITH_ATTRITION, terms_of(["incidence", "incidence_attrition"])),
    ],
    ids=["not named", "another class", "something hidden", "a table beside it", "attrition is no proof"],
)
def test_nothing_else_leaves_without_votes(desk: DeskFiles, result: Any, terms: Any) -> None:
    answer = ask(desk, result, terms=terms)
    assert answer["state"] == "open"
    assert code_of(lambda: export(desk, answer["request"], terms=terms)) is Code.RELEASE_TRANSITION


def test_one_table_of_a_run_may_be_asked_for_alone(desk: DeskFiles) -> None:
    answer = ask(desk, WITH_ATTRITION, terms=ALONE, tables=("incidence",))
    assert answer["state"] == "accepted"
    assert b"attrition" not in export(desk, answer["request"], terms=ALONE)["results.csv"]
    assert answer["request"] != ask(desk, WITH_ATTRITION)["request"]
    assert code_of(lambda: ask(desk, WITH_ATTRITION, tables=("persons",))) is Code.RELEASE_REQUEST


def test_a_policy_that_became_stricter_holds_at_export(desk: DeskFiles) -> None:
    request = ask(desk, LARGE, terms=ALONE)["request"]
    assert code_of(lambda: export(desk, request)) is Code.RELEASE_TRANSITION


def test_a_person_may_still_stop_what_policy_let_go(desk: DeskFiles) -> None:
    request = ask(desk, LARGE, terms=ALONE)["request"]
    vote(desk, request, "carol@example.org", accept=False)
    assert code_of(lambda: export(desk, request, terms=ALONE)) is Code.RELEASE_TRANSITION


def test_where_not_all_sums_are_sought_it_is_said(desk: DeskFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of sixty-four numbers any sums are sought, whatever they are; here of two."""
    other = year_of(200)
    export(desk, ask(desk, year_of(300), terms=ALONE)["request"], terms=ALONE)
    before = ask(desk, other, terms=ALONE, run="b")
    assert (before["verdict"], before["state"]) == ("pass", "accepted")
    monkeypatch.setattr(blocks, "MOST_SETS", 2)
    answer = ask(desk, other, terms=ALONE, run="c")
    assert (answer["verdict"], answer["state"]) == ("pass", "accepted")
    said = {each["rule"]: each["sentence"] for each in load(desk, answer["request"]).evidence["findings"]}
    assert "some sums of released numbers were not looked at: any sums of five and more" in said["history"]
    assert "not all differences within the request were sought: any sums of five and more" in said["search"]


def test_where_a_search_ended_two_persons_decide(desk: DeskFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    other = year_of(200)
    export(desk, ask(desk, year_of(300), terms=ALONE)["request"], terms=ALONE)
    before = ask(desk, other, terms=ALONE, run="b")
    assert (before["verdict"], before["state"]) == ("pass", "accepted")
    monkeypatch.setattr(allowance, "MOST_WORK", 0)
    answer = ask(desk, other, terms=ALONE, run="c")
    assert (answer["verdict"], answer["state"]) == ("review", "open")
    with pytest.raises(Refusal):  # nobody looked at what was accepted before so much had left
        export(desk, before["request"], terms=ALONE)


def test_an_enclosure_makes_the_platform_stricter_and_never_looser() -> None:
    loose = terms_of(["incidence", "summarise_characteristics", "anything"], 10**9, 10**12)
    assert loose.automatic == {"incidence"}
    assert (loose.max_estimates, loose.max_bytes) == (TERMS.max_estimates, TERMS.max_bytes)
    assert terms_of((), 5, 6).max_estimates == 5
    assert not TERMS.automatic
    assert {name for name, kind in kinds().items() if kind.is_provable} == {"incidence", "prevalence"}


def test_what_was_altered_after_it_went_by_itself_stays(desk: DeskFiles) -> None:
    request = ask(desk, LARGE, terms=ALONE)["request"]
    desk.write(request, "results.csv", desk.read(request, "results.csv") + b" ")
    assert code_of(lambda: export(desk, request, terms=ALONE)) is Code.RELEASE_ALTERED
    assert [row["state"] for row in list_requests(desk=desk)] == ["quarantined"]


def test_what_fails_a_check_is_in_quarantine_and_its_table_is_not_on_the_desk(desk: DeskFiles) -> None:
    answer = ask(desk, result_of(crowd(5, 1)))
    assert (answer["verdict"], answer["state"]) == ("refuse", "quarantined")
    assert desk.read(answer["request"], "results.csv") == b""
    assert code_of(lambda: vote(desk, answer["request"], "carol@example.org")) is Code.RELEASE_TRANSITION
    assert code_of(lambda: question(desk, answer["request"])) is Code.RELEASE_TRANSITION


def year_of(n_persons: int) -> Any:
    people = [Person("Male", 1960, (365,), 0 if number < 90 else None) for number in range(n_persons)]
    return result_of(people, Asked(sexes=("Both",), overall=False), attrition=False)


def test_what_collides_at_export_goes_from_accepted_to_quarantine(desk: DeskFiles) -> None:
    one, other = accepted(desk, result=year_of(300)), accepted(desk, result=year_of(297), run="b")
    export(desk, one)
    assert code_of(lambda: export(desk, other)) is Code.RELEASE_DIFFERENCE
    assert shown(desk, other)["state"] == "quarantined"
    assert code_of(lambda: export(desk, other)) is Code.RELEASE_TRANSITION
    assert ask(desk, year_of(300), run="c")["verdict"] == "pass"  # what never left is no history


def test_how_the_first_voted_shows_nowhere_before_the_second_has(desk: DeskFiles) -> None:
    seen = []
    for number, accept in enumerate((True, False)):
        request = ask(desk, run=str(number))["request"]
        seen.append(vote(desk, request, "carol@example.org", accept=accept))
        row = list_requests(desk=desk)[-1]
        told = shown(desk, request)
        assert (row["state"], told["state"], row["turnaround_seconds"]) == ("half", "half", None)
        assert [set(each) for each in told["votes"]] == [{"at"}]
    assert seen[0]["state"] == seen[1]["state"] == "half"


def test_nobody_accepts_while_a_question_is_open_and_who_asked_is_told_to_nobody(desk: DeskFiles) -> None:
    request = ask(desk)["request"]
    question(desk, request)
    assert code_of(lambda: vote(desk, request, "dan@example.org")) is Code.RELEASE_TRANSITION
    assert "carol" not in json.dumps(shown(desk, request))
    answered(desk, request)
    vote(desk, request, "dan@example.org")
    assert shown(desk, request)["questions"][0]["answer"] == "They are controls."
    vote(desk, request, "carol@example.org")
    assert all(b"controls" not in content for content in export(desk, request).values())


def test_a_question_open_or_not_anybody_outside_may_refuse(desk: DeskFiles) -> None:
    request = ask(desk)["request"]
    question(desk, request)
    assert vote(desk, request, "dan@example.org", accept=False)["state"] == "half"


def test_outsiders_ask_and_the_project_answers_each_once(desk: DeskFiles) -> None:
    request = ask(desk)["request"]
    assert code_of(lambda: question(desk, request, user="bob@example.org")) is Code.RELEASE_REVIEWER
    assert code_of(lambda: question(desk, request, text="Why")) is Code.RELEASE_REQUEST
    question(desk, request)
    assert code_of(lambda: answered(desk, request, user="carol@example.org")) is Code.RELEASE_REVIEWER
    assert code_of(lambda: answered(desk, request, number=2)) is Code.RELEASE_TRANSITION
    answered(desk, request, user="Bob@example.org")
    assert code_of(lambda: answered(desk, request)) is Code.RELEASE_TRANSITION


def test_each_person_of_the_permit_has_it_once_and_nobody_else(desk: DeskFiles) -> None:
    request = accepted(desk)
    export(desk, request)
    assert code_of(lambda: export(desk, request, to="Alice@example.org ")) is Code.RELEASE_RECIPIENT
    assert code_of(lambda: export(desk, request, to="carol@example.org")) is Code.RELEASE_RECIPIENT
    export(desk, request, to="bob@example.org")
    assert shown(desk, request)["n_exports"] == 2


def test_many_small_tables_are_one_large_one(desk: DeskFiles) -> None:
    first = accepted(desk)
    export(desk, first)
    n_left, n_bytes = left_under(PERMIT.id, desk=desk)
    table = desk.read(first, "results.csv").decode()
    assert (n_left, n_bytes) == (shown(desk, first)["n_estimates"], len(table))
    assert 0 < n_left < table.count("\n") - table.count(f'"{HIDDEN}"')
    room = terms_of((), 2 * n_left, None)
    assert ask(desk, run="b", terms=room)["verdict"] == "review"
    full = terms_of((), 2 * n_left - 1, None)
    answer = ask(desk, run="c", terms=full)
    assert answer["verdict"] == "refuse"
    assert any(reason.startswith("volume") for reason in answer["reasons"])
    second = accepted(desk, run="d")
    assert code_of(lambda: export(desk, second, terms=full)) is Code.RELEASE_VOLUME
    export(desk, first, to="bob@example.org", terms=full)  # the same table again tells nothing more


def test_how_long_requests_waited_is_told(desk: DeskFiles) -> None:
    request = ask(desk)["request"]
    ask(desk, run="b")
    ask(desk, LARGE, run="c", terms=ALONE)
    for minutes, user in ((10, "carol@example.org"), (45, "dan@example.org")):
        later = NOW + timedelta(minutes=minutes)
        review_release(request, user=user, accept=True, reason="Counts are fine", desk=desk, now=later, check=valid)
    rows = list_requests(desk=desk)
    assert sorted(str(row["turnaround_seconds"]) for row in rows) == ["0", "2700", "None"]
    found = turnaround(rows)
    assert (found["n_decided"], found["n_automatic"], found["longest_seconds"]) == (2, 1, 2700)
    assert turnaround([])["median_seconds"] is None


def test_an_ended_permit_stops_questions_and_answers_too(desk: DeskFiles) -> None:
    request = ask(desk)["request"]
    for verb in (
        lambda: ask_question(request, user="carol@example.org", text="Why so?", desk=desk, now=NOW, check=ended),
        lambda: answer_question(request, 1, user="bob@example.org", text="So it is", desk=desk, now=NOW, check=ended),
    ):
        assert code_of(verb) is Code.PERMIT_EXPIRED


def test_a_check_says_what_a_request_would_be_answered_and_leaves_nothing(desk: DeskFiles) -> None:
    found = checked(desk)
    assert list_requests(desk=desk) == []
    answer = ask(desk)
    assert (found["verdict"], found["reasons"]) == (answer["verdict"], answer["reasons"])
    assert found["nearest_safe"] == answer["nearest_safe"]
    assert checked(desk, LARGE, terms=ALONE)["automatic"]


def test_a_check_names_what_to_merge_and_prints_it_for_the_study_file(desk: DeskFiles) -> None:
    near = checked(desk, result_of(crowd(600, 1, p_event=0.1), Asked(sexes=("Male", "Female"))))["nearest_safe"]
    merged = near["merged"]
    assert merged["verdict"] == "pass"
    assert merged["changes"]
    assert "- incidence:" in merged["study_change"]
    assert near["kept"]["cells"] < 1
    assert 0 < merged["kept"]["cells"] < 1


def test_a_request_says_whose_it_is_what_for_and_what_its_tables_are(desk: DeskFiles) -> None:
    from dataclasses import replace

    request = ask(desk, permit=replace(PERMIT, project="CHU de Demain: Safety of statins"))["request"]
    facts = shown(desk, request)
    assert facts["project"] == "CHU de Demain: Safety of statins"
    assert facts["purpose"] == "For the annual report"
    assert {each["title"] for each in facts["tables"]} >= {"Incidence rates"}
    assert sum(each["n_hidden"] for each in facts["tables"]) == facts["evidence"]["summary"]["n_hidden"]


def test_neither_answer_nor_package_counts_small_numbers_apart_from_those_that_protect_them(desk: DeskFiles) -> None:
    answer = ask(desk)
    fates = {each["fate"] for each in answer["nearest_safe"]["cells"]}
    assert fates <= {"shown", "hidden"}
    inside = shown(desk, answer["request"])["evidence"]["findings"]
    assert {each["rule"] for each in inside if each["verdict"] == "review"} == {"minimum-count", "secondary"}
    package = export(desk, accepted(desk))
    outside = json.loads(package["evidence.json"])
    said = [each for each in outside["findings"] if each["rule"] in {"minimum-count", "secondary"}]
    assert [each["rule"] for each in said] == ["minimum-count"]
    assert said[0]["sentence"] in answer["reasons"][0]
    counted = {each["sentence"] for each in inside if each["rule"] in {"minimum-count", "secondary"}}
    assert not any(sentence.encode() in content for sentence in counted for content in package.values())


@pytest.mark.parametrize(
    "more",
    [
        "# what I saw: 1850178006084 died on the ninth\n",
        "note: " + "so many words that nobody has read them before they leave " * 30 + "\n",
        "note: 1 85 01 78 006 084 of Lyon\n",
        "  - : [unclosed\n",
        "codes: [" + ", ".join(str(1850178006084 + at) for at in range(40)) + "]\n",  # numbers carry as words do
        "codes:  [1]\n",  # and so do blanks
        "codes: [1] \n",
        "\n\n\n",
    ],
)
def test_a_study_that_says_more_than_it_needs_does_not_leave_without_votes(desk: DeskFiles, more: str) -> None:
    asked = replace(asked_of(LARGE, terms=ALONE), study=STUDY + more)
    found = check_result(asked, desk=desk, archive=archive(desk), check=valid)
    assert (found["verdict"], found["automatic"]) == ("pass", False)
    assert check_result(asked_of(LARGE, terms=ALONE), desk=desk, archive=archive(desk), check=valid)["automatic"]


@pytest.mark.parametrize(
    "purpose",
    [
        "For 1850178006084 of Lyon",  # a national number
        "Annual report 12 345 678 90",
        "For the report " + "and for whoever reads on " * 12,
        "For <b>the report</b>",
    ],
)
def test_a_purpose_that_says_more_than_it_needs_does_not_leave_without_votes(desk: DeskFiles, purpose: str) -> None:
    plain = ask(desk, LARGE, terms=ALONE, run="a")
    assert (plain["verdict"], plain["state"]) == ("pass", "accepted")
    answer = ask(desk, LARGE, purpose=purpose, terms=ALONE, run="b")
    assert (answer["verdict"], answer["state"]) == ("pass", "open")


@pytest.mark.parametrize("hidden", ["\u200b", "\u202e", "\u00a0", "\U000e0041", "\x07"])
def test_what_nobody_sees_leaves_neither_in_a_purpose_nor_in_a_study(desk: DeskFiles, hidden: str) -> None:
    assert code_of(lambda: ask(desk, purpose=f"For the{hidden} annual report")) is Code.RELEASE_REQUEST
    asked = replace(asked_of(LARGE), study=STUDY + f"# as{hidden} agreed\n")
    found = check_result(asked, desk=desk, archive=archive(desk), check=valid)
    assert found["verdict"] == "refuse"
    assert any("nobody sees" in each for each in found["reasons"])
