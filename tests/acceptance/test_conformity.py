"""An enclosure is assessed by its commands: probes look, documents count when signed, known, here and in force."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from trestle.oscal.assessment_results import AssessmentResults
from trestle.oscal.catalog import Catalog
from trestle.oscal.component import ComponentDefinition
from trestle.oscal.poam import PlanOfActionAndMilestones
from trestle.oscal.profile import Profile

from enclos.app.conformity.assessing import assess, contradicted_in
from enclos.app.conformity.comparing import compare, diff
from enclos.app.conformity.owners import accept, dismiss, make_owner, sign
from enclos.app.enclosure import Enclosure, create_enclosure
from enclos.app.keys import key_store
from enclos.app.permits import sign as sign_permit
from enclos.app.settings import SignInSection
from enclos.ledger.model import Action, Outcome
from enclos.ledger.rules.acts import acts_of
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import Refusal
from enclos.stores.keys import KeyStore
from enclos.stores.machine.system import Machine
from enclos.stores.statement_files import sign_statement
from factories.enclosure import PASSPHRASE, open_home, permit_text, run_cli

ADA = "Ada Lovelace, security officer"
TODAY = datetime.now(UTC).date()
_MODELS = {
    "catalog": Catalog,
    "profile": Profile,
    "component-definition": ComponentDefinition,
    "assessment-results": AssessmentResults,
    "plan-of-action-and-milestones": PlanOfActionAndMilestones,
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enclosure]:
    """An enclosure with one permit and an accepted owner; its keys lie in a file."""
    folder = tmp_path_factory.mktemp("conformity") / "home"
    create_enclosure(folder, passphrase=PASSPHRASE, buckets=2)
    make_owner(folder.parent / "ada", owner=ADA, passphrase=PASSPHRASE)
    make_owner(folder.parent / "eve", owner=ADA, passphrase=PASSPHRASE)
    with open_home(folder) as enclosure:
        sign_permit(enclosure, permit_text())
        accept(enclosure, folder.parent / "ada" / "owner.json")
        yield enclosure


def statement(
    home: Enclosure, folder: Path, name: str, requirements: str, *, signer: str = "ada", **changed: Any
) -> Path:
    """A statement, signed."""
    values: dict[str, Any] = {
        "type": "doc.risk",
        "title": "Risk analysis",
        "owner": ADA,
        "enclosure": home.ledger.origin,
        "dated": TODAY - timedelta(days=30),
        "expires": TODAY + timedelta(days=300),
    } | changed
    lines = [f"{k} = {v if isinstance(v, date) else json.dumps(v)}" for k, v in values.items()]
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.toml"
    path.write_text("\n".join([*lines, "[requirements]", requirements, ""]))
    keys, name = opened(home.paths.root.parent / signer), KeyName(KeyRole.OWNER)
    sign_statement(path, keys.public(name), lambda message: keys.sign(name, message))
    return path


@cache
def opened(folder: Path) -> KeyStore:
    """An owner's keys, opened once: that takes a second of the processor."""
    return key_store(folder, "keystore", "file", PASSPHRASE, new=False)


def assessed(
    home: Enclosure, *frameworks: str, evidence: Path | None = None, out: Path | None = None
) -> dict[str, Any]:
    """An assessment whose host shows nothing, so that only the enclosure is looked at."""
    bare = home.paths.root.parent / "bare"
    bare.mkdir(exist_ok=True)
    return assess(home, frameworks=frameworks, evidence=evidence, out=out, machine=Machine(bare))


def verdict(answer: dict[str, Any], catalogue: str, id_: str) -> str:
    one = next(each for each in answer["catalogues"] if each["id"] == catalogue)
    return str(next(each["verdict"] for each in one["requirements"] if each["id"] == id_))


def sights(answer: dict[str, Any]) -> dict[str, str]:
    return {each["probe"]: each["sight"] for each in answer["probes"]}


def test_probes_look_at_the_enclosure_and_say_when_there_is_nothing_to_see(home: Enclosure) -> None:
    seen = sights(assessed(home, "secnumcloud", "tehdas2", "ehds", "cnil-eds"))
    holds = ("app.permit", "app.permit-register:fields", "iam.timebox", "log.integrity", "app.audit", "net.egress")
    assert {seen[probe] for probe in holds} == {"holds"}
    blind = ("log.retention:365", "data.retention", "app.optout", "app.pseudo", "data.erase", "disk.enc", "iam.lockout")
    assert {seen[probe] for probe in blind} == {"blind"}
    assert seen["crypto.kms"] == seen["iam.mfa"] == "fails"


def test_where_sign_in_is_required_a_provider_s_word_without_a_second_factor_must_be_refused(home: Enclosure) -> None:
    def sight(**sign_in: Any) -> str:
        settings = home.settings.model_copy(update={"sign_in": SignInSection(required=True, **sign_in)})
        return sights(assessed(replace(home, settings=settings), "tehdas2"))["iam.mfa"]

    provider = {"issuer": "https://id.example", "client": "enclos", "roles": ("researcher=researcher",)}
    assert sight() == "blind"
    assert sight(**provider) == "holds"
    assert sight(**provider, amr=(), without_second_factor_for_trying_out=True) == "fails"


@pytest.mark.parametrize(
    ("declared", "sight"),
    [("", "blind"), ('{here = "FR"}', "holds"), ('{here = "US"}', "fails"), ('{s3 = "FR"}', "blind")],
)
def test_data_lie_where_every_host_is_declared_to_be_in_europe(home: Enclosure, declared: str, sight: str) -> None:
    file = home.paths.root / "conformity.toml"
    file.write_text(f"places = {declared}\n" if declared else "")
    assert sights(assessed(home, "ec"))["data.location"] == sight
    file.unlink()


def test_retention_is_bound_by_each_framework_and_a_young_ledger_says_when_it_can_show_it(home: Enclosure) -> None:
    answer = assessed(home, "cnil-mr007", "cnil-eds", "ehds")
    ready = {each["probe"]: each["ready_on"] for each in answer["probes"] if each["probe"].startswith("log.retention")}
    assert ready == {
        "log.retention:180-1095": (TODAY + timedelta(days=180)).isoformat(),
        "log.retention:180-365": (TODAY + timedelta(days=180)).isoformat(),
        "log.retention:365": (TODAY + timedelta(days=365)).isoformat(),
    }


def test_a_document_counts_when_signed_by_an_accepted_owner_about_this_enclosure_in_force(
    home: Enclosure, tmp_path: Path
) -> None:
    wanted = '"hds-2.0" = ["EXI 02"]'
    isms: dict[str, Any] = {"type": "doc.isms"}
    cases = {
        "met": isms,
        "expired": isms | {"dated": TODAY - timedelta(days=400), "expires": TODAY},
        "early": isms | {"dated": TODAY + timedelta(days=1)},
        "elsewhere": isms | {"enclosure": "enclos.example/other"},
        "type": {"type": "doc.risk"},
        "eve": isms | {"signer": "eve"},
        "name": isms | {"owner": "Somebody else"},
    }
    for name, changed in cases.items():
        folder = tmp_path / name
        statement(home, folder, "isms", wanted, **changed)
        expected = "met" if name == "met" else "not demonstrated"
        assert verdict(assessed(home, "hds", evidence=folder), "hds-2.0", "EXI 02") == expected, name
    signed = tmp_path / "met" / "isms.toml"
    signed.write_text(signed.read_text().replace("EXI 02", "EXI 03"))
    answer = assessed(home, "hds", evidence=signed.parent)
    assert verdict(answer, "hds-2.0", "EXI 03") == "not demonstrated"
    assert [each["standing"] for each in answer["documents"]] == ["unsigned"]
    sign(home.paths.root.parent / "ada", signed, passphrase=PASSPHRASE)
    assert assessed(home, "hds", evidence=signed.parent)["documents"][0]["standing"] == "in force"


def test_what_a_statement_vouches_for_must_lie_beside_it_as_it_was(home: Enclosure, tmp_path: Path) -> None:
    (tmp_path / "isms.pdf").write_bytes(b"our management system")
    digest = hashlib.sha256(b"our management system").hexdigest()
    path = statement(home, tmp_path, "isms", '"hds-2.0" = ["EXI 02"]', type="doc.isms", file="isms.pdf", sha256=digest)
    assert verdict(assessed(home, "hds", evidence=tmp_path), "hds-2.0", "EXI 02") == "met"
    (tmp_path / "isms.pdf").write_bytes(b"another one")
    answer = assessed(home, "hds", evidence=tmp_path)
    assert verdict(answer, "hds-2.0", "EXI 02") == "not demonstrated"
    assert [each["standing"] for each in answer["documents"]] == ["file missing or altered"]
    with pytest.raises(Refusal) as refused:
        sign(home.paths.root.parent / "ada", path, passphrase=PASSPHRASE)
    assert refused.value.code is Code.STATEMENT_BROKEN


def test_a_host_that_lies_in_documents_is_contradicted_by_probes(home: Enclosure, tmp_path: Path) -> None:
    """It declares that keys are under the customer's control; they lie in a file."""
    wanted = '"ec-cloud-sovereignty-1.2.1" = ["SOV-3"]'
    statement(home, tmp_path, "keys", wanted, type="doc.location", title="Keys are in a module")
    statement(home, tmp_path, "none", wanted, type="doc.location", claim="not applicable", reason="we have no keys")
    answer = assessed(home, "ec", evidence=tmp_path)
    assert verdict(answer, "ec-cloud-sovereignty-1.2.1", "SOV-3") == "not met"
    assert contradicted_in(answer) == ["ec-cloud-sovereignty-1.2.1 SOV-3"]


def test_what_does_not_apply_needs_a_signed_reason(home: Enclosure, tmp_path: Path) -> None:
    statement(
        home, tmp_path, "none", '"secnumcloud-3.2" = ["10.2.b"]', claim="not applicable", reason="no IPsec, no SSH"
    )
    answer = assessed(home, "secnumcloud", evidence=tmp_path)
    assert verdict(answer, "secnumcloud-3.2", "10.2.b") == "not applicable"
    assert verdict(assessed(home, "secnumcloud"), "secnumcloud-3.2", "10.2.b") == "not demonstrated"


@pytest.mark.parametrize(
    "text",
    ["not toml", 'type = "doc.risk"\n', 'type = "risk"\ntitle = "t"\nowner = "o"\nenclosure = "e"\n[requirements]\n'],
)
def test_a_statement_that_cannot_be_read_is_never_passed_over(home: Enclosure, tmp_path: Path, text: str) -> None:
    (tmp_path / "broken.toml").write_text(text)
    with pytest.raises(Refusal) as refused:
        assessed(home, "hds", evidence=tmp_path)
    assert refused.value.code is Code.STATEMENT_BROKEN
    with pytest.raises(Refusal):
        assessed(home, "hds", evidence=tmp_path / "no such folder")


def test_numbers_that_no_catalogue_has_are_told(home: Enclosure, tmp_path: Path) -> None:
    statement(home, tmp_path, "slip", '"hds-2.0" = ["EXI 99", "EXI 02"]\n"iso" = ["1"]', type="doc.isms")
    assert assessed(home, "hds", evidence=tmp_path)["unknown"] == ["hds-2.0 EXI 99", "iso 1"]


def test_every_assessment_stands_in_the_ledger_with_the_digest_of_what_it_said(home: Enclosure) -> None:
    assessed(home, "hds")
    act = [each for each in acts_of(home.ledger.entries()) if each.action is Action.CONFORMITY][-1]
    assert (act.outcome, act.facts["what"], act.facts["catalogues"]) == (Outcome.DONE, "assess", ["hds-2.0"])
    assert len(str(act.facts["digest"])) == 64
    assert sights(assessed(home, "tehdas2"))["app.self-audit"] == "holds"


def test_a_dismissed_owner_counts_no_more(home: Enclosure, tmp_path: Path) -> None:
    grace = home.paths.root.parent / "grace"
    make_owner(grace, owner="Grace", passphrase=PASSPHRASE)
    accept(home, grace / "owner.json")
    statement(home, tmp_path, "isms", '"hds-2.0" = ["EXI 02"]', type="doc.isms", owner="Grace", signer="grace")
    assert verdict(assessed(home, "hds", evidence=tmp_path), "hds-2.0", "EXI 02") == "met"
    assert dismiss(home, grace / "owner.json")["dismissed"]
    answer = assessed(home, "hds", evidence=tmp_path)
    assert (verdict(answer, "hds-2.0", "EXI 02"), answer["documents"][0]["standing"]) == (
        "not demonstrated",
        "owner unknown",
    )


def test_what_is_written_is_valid_oscal_a_page_that_runs_nothing_and_a_table(home: Enclosure, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    statement(home, evidence, "isms", '"hds-2.0" = ["EXI 02"]', type="doc.isms", title="<script>alert(1)</script>")
    out = tmp_path / "out"
    answer = assessed(home, "hds", "anssi-tls", "anssi-bp028", evidence=evidence, out=out)
    kinds = set()
    for file in (out / "oscal").iterdir():
        ((kind, content),) = json.loads(file.read_text()).items()
        _MODELS[kind].model_validate(content)
        kinds.add(kind)
    assert kinds == set(_MODELS)
    results = json.loads((out / "oscal" / "assessment-results.json").read_text())["assessment-results"]["results"][0]
    ids = [each["target"]["target-id"] for each in results["findings"]]
    assert len(ids) == len(set(ids)) == 37 + 45 + 80
    satisfied = [each["title"] for each in results["findings"] if each["target"]["status"]["state"] == "satisfied"]
    assert "EXI 02: met" in satisfied
    page = (out / "report.html").read_text()
    assert not any(word in page for word in ("<script", "<iframe", "<link", "src=", "javascript:"))
    assert "&lt;script&gt;" in page
    rows = list(csv.DictReader(io.StringIO((out / "report.csv").read_text())))
    assert len(rows) == len(ids)
    assert json.loads((out / "assessment.json").read_text())["catalogues"] == answer["catalogues"]
    with pytest.raises(Refusal) as refused:
        assessed(home, "hds", out=evidence)
    assert refused.value.code is Code.CONFORMITY_PLACE


def test_hosts_stand_side_by_side_and_a_difference_is_stable(home: Enclosure, tmp_path: Path) -> None:
    evidence, one, two, three = (tmp_path / name for name in ("evidence", "one", "two", "three"))
    assessed(home, "hds", "ec", out=one)
    statement(home, evidence, "isms", '"hds-2.0" = ["EXI 02"]', type="doc.isms")
    assessed(home, "hds", "ec", evidence=evidence, out=two)
    assessed(home, "hds", evidence=evidence, out=three)
    files = [folder / "assessment.json" for folder in (one, two, three)]
    assert diff(files[0], files[0])["changes"] == []
    changes = diff(files[0], files[1])["changes"]
    assert [(each["id"], each["before"], each["after"]) for each in changes] == [("EXI 02", "not demonstrated", "met")]
    assert len(diff(files[1], files[2])["changes"]) == 8
    picture = tmp_path / "hosts.svg"
    rows = compare(files, picture=picture)["rows"]
    assert [(row["rank"], row["score"] > 0) for row in rows[:3]] == [(1, True), (1, True), (3, False)]
    assert [row["rank"] for row in rows[3:]] == [1, 1, None]
    assert picture.read_text().startswith("<svg")
    picture.write_text("{}")
    with pytest.raises(Refusal) as refused:
        compare([files[0], picture])
    assert refused.value.code is Code.ASSESSMENT_FILE


def test_the_command_gives_scores_and_refuses_a_framework_that_is_not_carried(home: Enclosure) -> None:
    answer = run_cli("conformity", "assess", home.paths.root, "--framework", "hds", "--catalogue", "anssi-tls")
    assert [each["id"] for each in answer["catalogues"]] == ["hds-2.0", "anssi-tls"]
    for one in answer["catalogues"]:
        assert 0 <= one["score"] <= 1 and one["floor_reached"] is False
        counts = [one[word] for word in ("met", "not_met", "not_demonstrated", "not_applicable")]
        assert sum(counts) == len(one["requirements"])
    with pytest.raises(Refusal) as refused:
        assessed(home, "nope")
    assert refused.value.code is Code.FRAMEWORK_UNKNOWN
