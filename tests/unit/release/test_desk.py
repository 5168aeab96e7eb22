"""From a request to a package that anybody can verify, and everything that stops it on the way."""

import io
import json
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from enclos.contracts.result import HIDDEN, PersonNumbers, StudyResult, result_from_csv
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import Refusal, refusal
from enclos.release.model import Package, PermitFacts, Renumber, Terms
from enclos.release.package import canonical_table
from enclos.release.package import verify_package as verify_files
from enclos.release.rules.rounding import Rounding
from enclos.release.rules.terms import terms_of
from enclos.release.steps import Asked as WhatIsAsked
from enclos.release.steps import (
    export_release,
    list_requests,
    mark_exported,
    request_release,
    review_release,
    show_request,
)
from enclos.stores.release_files import ArchiveFiles, DeskFiles, read_package, verify_package, write_package
from factories.groups import Subject, description_of
from factories.permits import SeedSigner
from factories.results import Asked, crowd, result_of

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
SIGNER = SeedSigner(9)
RESULT = result_of(crowd(600, 1, p_event=0.1), Asked())
PERMIT = PermitFacts(
    "FR-2026-0042", 1, "d" * 64, frozenset({"alice@example.org", "bob@example.org"}), 11, NOW + timedelta(days=9)
)
TERMS = terms_of()
STUDY = "study: gi-bleed\nanalyses:\n  - incidence: {outcome: bleed, sex: [male, female], interval: [years, overall]}\n"
RAISES = Callable[[], None]


def valid() -> None:
    """The permit is in force."""


def ended() -> None:
    raise refusal(Code.PERMIT_EXPIRED, "It has ended.")


@pytest.fixture
def desk(tmp_path: Path) -> DeskFiles:
    return DeskFiles(tmp_path / "release", SecretKey(KeyName(KeyRole.DESK), b"k" * 32))


def same(numbers: PersonNumbers) -> PersonNumbers:
    """Permits whose numbers are the warehouse's."""
    return numbers


def archive(desk: DeskFiles, destroyed: frozenset[str] = frozenset()) -> ArchiveFiles:
    def secret_of(permit: str) -> SecretKey | None:
        return None if permit in destroyed else SecretKey(KeyName(KeyRole.PERMIT, permit), b"p" * 32)

    return ArchiveFiles(desk._root / "permits", secret_of)


def ask(
    desk: DeskFiles,
    result: StudyResult = RESULT,
    purpose: str = "For the annual report",
    check: RAISES = valid,
    permit: PermitFacts = PERMIT,
    persons: Renumber = same,
    run: str = "a1b2",
    terms: Terms = TERMS,
    tables: tuple[str, ...] = (),
    rounding: Rounding | None = None,
) -> dict[str, Any]:
    return request_release(
        asked_of(result, permit, terms, persons, tables, rounding),
        run=run,
        purpose=purpose,
        author="alice@example.org",
        snapshot=7,
        code="c" * 64,
        desk=desk,
        archive=archive(desk),
        now=NOW,
        check=check,
    ).as_json()


def asked_of(
    result: StudyResult,
    permit: PermitFacts = PERMIT,
    terms: Terms = TERMS,
    persons: Renumber = same,
    tables: tuple[str, ...] = (),
    rounding: Rounding | None = None,
) -> WhatIsAsked:
    return WhatIsAsked(result, permit, STUDY, terms, persons, tables, rounding)


def vote(
    desk: DeskFiles,
    request: str,
    user: str,
    *,
    accept: bool = True,
    reason: str = "Counts are fine",
    check: RAISES = valid,
    content: str = "",
) -> dict[str, Any]:
    return review_release(
        request, user=user, accept=accept, reason=reason, desk=desk, now=NOW, check=check, content=content
    )


def export(
    desk: DeskFiles, request: str, check: RAISES = valid, to: str = "alice@example.org", terms: Terms = TERMS
) -> Package:
    found = export_release(
        request,
        recipient=to,
        desk=desk,
        archive=archive(desk),
        terms=terms,
        now=NOW,
        check=check,
        signer=SIGNER,
        ledger_proof={"index": 3, "path": [], "checkpoint": "note"},
    )
    mark_exported(request, recipient=to, desk=desk, now=NOW)
    return found


def code_of(action: Callable[[], object]) -> Code:
    with pytest.raises(Refusal) as caught:
        action()
    return caught.value.code


def accepted(desk: DeskFiles, **asked: Any) -> str:
    request: str = ask(desk, **asked)["request"]
    vote(desk, request, "carol@example.org")
    vote(desk, request, "dan@example.org")
    return request


def test_a_request_answers_at_once(desk: DeskFiles) -> None:
    answer = ask(desk)
    assert answer["verdict"] == "review"
    assert any("fewer than 11 persons" in reason for reason in answer["reasons"])
    assert 0 < answer["nearest_safe"]["share_kept"] < 1
    assert [each["state"] for each in list_requests(desk=desk)] == ["open"]
    json.dumps(answer)


def test_a_safe_result_passes_and_a_hopeless_one_is_refused(desk: DeskFiles) -> None:
    assert ask(desk, result_of(crowd(3000, 1), Asked()))["verdict"] == "pass"
    answer = ask(desk, result_of(crowd(5, 1)), purpose="A hopeless attempt")
    assert answer["verdict"] == "refuse"
    assert code_of(lambda: vote(desk, answer["request"], "carol@example.org")) is Code.RELEASE_TRANSITION
    assert code_of(lambda: export(desk, answer["request"])) is Code.RELEASE_TRANSITION


def test_two_persons_accept_and_it_leaves(desk: DeskFiles) -> None:
    request = ask(desk)["request"]
    assert vote(desk, request, "carol@example.org")["state"] == "half"
    assert code_of(lambda: export(desk, request)) is Code.RELEASE_TRANSITION
    assert vote(desk, request, "dan@example.org")["state"] == "accepted"
    report = verify_files(export(desk, request), SIGNER.public_key())
    assert (report.request, report.permit, report.n_accepted) == (request, PERMIT.id, 2)
    assert report.released == "by two persons"
    assert show_request(request, desk=desk)["state"] == "exported"


@pytest.mark.parametrize("user", ["alice@example.org", "bob@example.org", "Alice@Example.org", " bob@example.org", ""])
def test_neither_author_nor_project_decides(desk: DeskFiles, user: str) -> None:
    request = ask(desk)["request"]
    assert code_of(lambda: vote(desk, request, user)) is Code.RELEASE_REVIEWER


def test_one_person_is_not_two(desk: DeskFiles) -> None:
    request = ask(desk)["request"]
    vote(desk, request, "carol@example.org")
    for again in ("carol@example.org", "Carol@example.org "):
        assert code_of(lambda again=again: vote(desk, request, again)) is Code.RELEASE_REVIEWER
    assert code_of(lambda: export(desk, request)) is Code.RELEASE_TRANSITION


def test_one_refusal_is_enough(desk: DeskFiles) -> None:
    request = ask(desk)["request"]
    assert vote(desk, request, "carol@example.org", accept=False, reason="Labels are odd")["state"] == "half"
    assert vote(desk, request, "dan@example.org")["state"] == "refused"
    assert code_of(lambda: export(desk, request)) is Code.RELEASE_TRANSITION
    assert code_of(lambda: vote(desk, request, "eve@example.org")) is Code.RELEASE_TRANSITION


def test_votes_are_blind_until_both_are_in(desk: DeskFiles) -> None:
    request = ask(desk)["request"]
    vote(desk, request, "carol@example.org", reason="First impression")
    assert "First impression" not in json.dumps(show_request(request, desk=desk))
    vote(desk, request, "dan@example.org")
    assert "First impression" in json.dumps(show_request(request, desk=desk))


@pytest.mark.parametrize("name", ["results.csv", "study.yaml", "request.json", "evidence.json"])
def test_what_changed_after_a_vote_never_leaves(desk: DeskFiles, name: str) -> None:
    request = accepted(desk)
    desk.write(request, name, desk.read(request, name) + b" ")
    assert code_of(lambda: export(desk, request)) is Code.RELEASE_ALTERED


def test_an_ended_permit_stops_everything(desk: DeskFiles) -> None:
    request = accepted(desk)
    assert code_of(lambda: ask(desk, check=ended)) is Code.PERMIT_EXPIRED
    assert code_of(lambda: vote(desk, request, "eve@example.org", check=ended)) is Code.PERMIT_EXPIRED
    assert code_of(lambda: export(desk, request, check=ended)) is Code.PERMIT_EXPIRED


def test_purposes_and_reasons_are_words(desk: DeskFiles) -> None:
    assert code_of(lambda: ask(desk, purpose=" ")) is Code.RELEASE_REQUEST
    request = ask(desk)["request"]
    assert code_of(lambda: vote(desk, request, "carol@example.org", reason="")) is Code.RELEASE_REQUEST


def test_unknown_requests(desk: DeskFiles) -> None:
    for request in ("0" * 16, "../keys", ""):
        assert code_of(lambda request=request: show_request(request, desk=desk)) is Code.RELEASE_UNKNOWN


def test_the_desk_is_ciphertext_and_knows_its_key(desk: DeskFiles, tmp_path: Path) -> None:
    request = accepted(desk)
    for path in (tmp_path / "release").rglob("*"):
        if path.is_file():
            assert b"denominator" not in path.read_bytes()
            assert b"alice" not in path.read_bytes()
    other = DeskFiles(tmp_path / "release", SecretKey(KeyName(KeyRole.DESK), b"x" * 32))
    assert code_of(lambda: show_request(request, desk=other)) is Code.STORAGE_BROKEN


def test_small_cells_are_in_no_file_of_the_package(desk: DeskFiles) -> None:
    package = export(desk, accepted(desk))
    table, settings = result_from_csv(package["results.csv"])
    assert {each.values["min_cell_count"] for each in settings} == {"11"}
    hidden = [row for row in table.to_pylist() if row["estimate_value"] == HIDDEN]
    assert hidden
    cells = {cell.key: cell for cell in RESULT.cells}
    n_small = 0
    for row in table.to_pylist():
        cell = cells.get(
            (
                *(row["result_id"], row["group_level"], row["strata_name"], row["strata_level"]),
                *("", "", row["additional_level"]),
            )
        )
        if cell is not None and 0 < cell.n_numerator < 11 and row["variable_name"] == "Outcome":
            assert row["estimate_value"] == HIDDEN
            n_small += 1
    assert n_small
    for name, content in package.items():
        for person in ("carol", "dan@", "bob@"):
            assert person.encode() not in content, name


@pytest.mark.parametrize("name", ["package", "package.zip"])
def test_a_package_is_verified_offline_and_every_change_is_noticed(desk: DeskFiles, tmp_path: Path, name: str) -> None:
    package = export(desk, accepted(desk))
    out = tmp_path / name
    write_package(package, out)
    assert dict(read_package(out)) == dict(package)
    assert verify_package(out, SIGNER.public_key()).as_json()["n_accepted"] == 2
    assert code_of(lambda: verify_package(out, SeedSigner(8).public_key())) is Code.PACKAGE_BROKEN
    assert code_of(lambda: write_package(package, out)) is Code.PACKAGE_BROKEN
    for victim in package:
        for wrong in (package[victim][:-1] + bytes([package[victim][-1] ^ 128]), None):
            broken = {**package, victim: wrong} if wrong else {k: v for k, v in package.items() if k != victim}
            assert code_of(lambda broken=broken: verify_files(broken, SIGNER.public_key())) is Code.PACKAGE_BROKEN
    assert code_of(lambda: verify_files({**package, "more.csv": b""}, SIGNER.public_key())) is Code.PACKAGE_BROKEN


def test_every_byte_of_a_package_file_is_looked_at(desk: DeskFiles, tmp_path: Path) -> None:
    out = tmp_path / "package.zip"
    package = export(desk, accepted(desk))
    write_package(package, out)
    whole, codes = out.read_bytes(), set[Code]()
    for place in range(0, len(whole), len(whole) // 150):
        out.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            verify_package(out, SIGNER.public_key())
        except Refusal as refused:
            codes.add(refused.code)
        else:  # a date in the zip's own list, of which no file is made
            assert dict(read_package(out)) == dict(package)
    assert codes == {Code.PACKAGE_BROKEN}
    for more in (b"MZ" + whole, whole + b"rows", whole[:-2] + b"\x04\x00rows"):
        out.write_bytes(more)
        assert code_of(lambda: verify_package(out, SIGNER.public_key())) is Code.PACKAGE_BROKEN


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"incidence_start_date', b'"=HYPERLINK(1)"'),
        (b'"incidence_start_date', b'"\xef\xbc\x9d1"'),
        (b'"incidence_start_date', b'"@SUM(1)"'),
        (b'"incidence_start_date', b'"-cmd"'),
        (b"\n", b"\r\n"),
        (b"result_id", b"\xef\xbb\xbfresult_id"),
        (b",", b";"),
    ],
)
def test_a_table_that_the_platform_did_not_write_or_a_spreadsheet_would_run_never_leaves(
    desk: DeskFiles, before: bytes, after: bytes
) -> None:
    csv = export(desk, accepted(desk))["results.csv"]
    canonical_table(csv)
    end = csv.index(before)
    wrong = csv[:end] + after + csv[csv.index(b'"', end + 1) + 1 :] if after[:1] == b'"' else csv.replace(before, after)
    assert code_of(lambda: canonical_table(wrong)) is Code.RELEASE_UNTYPED


def test_outside_nobody_learns_which_hidden_cell_was_small(desk: DeskFiles) -> None:
    evidence = json.loads(export(desk, accepted(desk))["evidence.json"])
    assert set(evidence) == {"findings", "summary"}


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_bytes(b"no zip")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link").symlink_to("/etc/hostname")
    for name in ("absent", "text.zip", "folder"):
        assert code_of(lambda name=name: verify_package(tmp_path / name, SIGNER.public_key())) is Code.PACKAGE_BROKEN


def test_a_package_is_an_ro_crate(desk: DeskFiles, tmp_path: Path) -> None:
    package = export(desk, accepted(desk))
    write_package(package, tmp_path / "crate")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own, about its dependencies
        from rocrate.rocrate import ROCrate

        crate = ROCrate(tmp_path / "crate")
    assert {entity.id for entity in crate.data_entities} >= {"results.csv", "study.yaml", "evidence.json", "figure.png"}
    assert "w3id.org/5s-crate" in json.dumps(crate.root_dataset.as_jsonld())


def test_a_package_says_what_the_five_safes_profile_asks_for(desk: DeskFiles) -> None:
    graph = json.loads(export(desk, accepted(desk))["ro-crate-metadata.json"])["@graph"]
    entities = {each["@id"]: each for each in graph}
    assert len(entities) == len(graph)
    root = entities["./"]
    referred = json.dumps(graph).split('{"@id": "')[1:]
    ids = {each.partition('"')[0] for each in referred if each.partition('"')[2].startswith("}")}
    outside = {each for each in ids - entities.keys() if not each.startswith("https://w3id.org/")}
    assert outside == set()
    assert entities[root["sourceOrganization"]["@id"]]["@type"] == "Project"
    assert entities[root["publisher"]["@id"]]["@type"] == "Organization"
    actions = [entities[each["@id"]] for each in root["mentions"]]
    (run,) = (each for each in actions if each["@type"] == "CreateAction")
    assert run["instrument"] == root["mainEntity"]
    assert {each["@id"] for each in run["result"]} == {"results.csv", "figure.svg", "figure.png"}
    checks = {each["additionalType"]["@id"].partition("#")[2]: each for each in actions if each is not run}
    assert set(checks) == {"DisclosureCheck", "SignOff", "GenerateCheckValue"}
    for action in actions:
        assert action["actionStatus"] == "http://schema.org/CompletedActionStatus"
        assert datetime.fromisoformat(action["endTime"]).tzinfo is not None
        assert entities[action["agent"]["@id"]]["name"]
    assert all('{"@id": "./"}' in json.dumps(each["object"]) for each in checks.values())
    assert entities["#enclos"]["identifier"] == "sha256:" + "c" * 64


def test_the_figure_is_a_picture_of_what_is_shown(desk: DeskFiles) -> None:
    figure = export(desk, accepted(desk))["figure.svg"]
    assert figure.startswith(b"<svg")
    assert b"<script" not in figure
    assert b"metadata" not in figure
    assert io.BytesIO(figure).getbuffer().nbytes > 1000


def test_a_description_leaves_as_estimates_do(desk: DeskFiles) -> None:
    people = [Subject("statin", "Female" if at % 2 else "Male", "20 to 64", value=at % 30) for at in range(200)]
    request = accepted(desk, result=description_of(people))
    package = export(desk, request)
    verify_files(package, SIGNER.public_key())
    table, _ = result_from_csv(package["results.csv"])
    shown = {(row["variable_name"], row["estimate_name"]): row["estimate_value"] for row in table.to_pylist()}
    assert shown["Number subjects", "count"] == "100"
    assert shown["Days", "max"] == HIDDEN
