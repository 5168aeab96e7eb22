"""Each probe of the enclosure sees a thing hold, and sees it fail when somebody breaks it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from enclos.app.backups import back_up
from enclos.app.conformity.backup_probes import backup_probes
from enclos.app.conformity.key_probes import key_probes
from enclos.app.conformity.permit_probes import PermitProbes
from enclos.app.conformity.trace_probes import Traces, trace_probes
from enclos.app.enclosure import Enclosure, create_enclosure
from enclos.app.objections import add_objections
from enclos.app.permits import amend, open_one, permit_key, revoke
from enclos.app.permits import sign as sign_permit
from enclos.app.reviews import review_access
from enclos.conformity.model import Sight
from enclos.conformity.steps import look
from enclos.ledger.model import Action
from enclos.pseudonyms.model import Objector
from factories.enclosure import ALICE, CAROL, PASSPHRASE, open_home, permit_text

HOLDS, FAILS, BLIND = Sight.HOLDS, Sight.FAILS, Sight.BLIND


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enclosure]:
    folder = tmp_path_factory.mktemp("probes") / "home"
    create_enclosure(folder, passphrase=PASSPHRASE, buckets=2)
    with open_home(folder) as enclosure:
        yield enclosure


def seen(home: Enclosure, name: str, *, later: timedelta = timedelta(0)) -> Sight:
    traces = Traces(home, home.ledger.now() + later)
    return look([*trace_probes(traces, [name]), *PermitProbes(traces).looks(), *key_probes(traces)], [name])[name].sight


def test_without_a_permit_nothing_is_shown_of_permits_and_with_one_it_is(home: Enclosure) -> None:
    names = ("app.permit", "app.permit-register", "app.permit-register:fields", "iam.timebox", "iam.list", "iam.leaver")
    assert {seen(home, name) for name in names} == {BLIND}
    sign_permit(home, permit_text(users=(ALICE, CAROL)))
    assert {name for name in names if seen(home, name) is not HOLDS} == {"iam.leaver"}
    amend(home, permit_text(users=(ALICE,)), reason="Carol has left")
    assert seen(home, "iam.leaver") is HOLDS
    file = next((home.paths.permits / "FR-TEST-0001").glob("**/*1*.json"))
    kept = file.read_bytes()
    file.write_bytes(kept.replace(b"A test", b"A ruse"))
    assert seen(home, "app.permit-register") is BLIND
    file.write_bytes(kept)


def test_a_key_that_outlives_its_permit_is_seen(home: Enclosure) -> None:
    sign_permit(home, permit_text("FR-TEST-0002"))
    if not home.keys.exists(permit_key("FR-TEST-0002")):
        home.keys.create(permit_key("FR-TEST-0002"))
    revoke(home, "FR-TEST-0002", reason="it ended")
    assert seen(home, "crypto.tenantkey") is HOLDS
    late = timedelta(days=400)
    assert seen(home, "data.retention") is BLIND
    assert seen(home, "data.retention", later=late) is FAILS
    for permit in ("FR-TEST-0001", "FR-TEST-0002"):  # both are long past their end by then
        home.keys.destroy(permit_key(permit))
    assert seen(home, "data.retention", later=late) is HOLDS
    assert seen(home, "data.erase") is HOLDS


def test_what_lies_with_the_host_is_ciphertext_or_it_is_seen(home: Enclosure) -> None:
    lake = home.paths.lake
    lake.mkdir(exist_ok=True)
    assert seen(home, "crypto.algos") is BLIND
    (lake / "a.parquet").write_bytes(b"PARE and more")
    assert seen(home, "crypto.algos") is HOLDS
    (lake / "b.parquet").write_bytes(b"PAR1 and more")
    assert seen(home, "crypto.algos") is FAILS
    for file in lake.iterdir():
        file.unlink()


def test_the_key_of_the_warehouse_is_tried_on_the_vault(home: Enclosure) -> None:
    with home.vault_engine():
        pass
    assert seen(home, "app.identity-separation") is HOLDS


def test_a_secret_in_a_file_of_settings_is_seen(home: Enclosure) -> None:
    assert seen(home, "vuln.secrets") is HOLDS
    file = home.paths.root / "conformity.toml"
    file.write_text("# password: hunter2\n")
    assert seen(home, "vuln.secrets") is FAILS
    file.unlink()


def test_old_keys_are_seen(home: Enclosure) -> None:
    assert seen(home, "crypto.keyage") is HOLDS
    assert seen(home, "crypto.keyage", later=timedelta(days=1200)) is FAILS


def test_duties_leave_traces_and_their_lack_shows_with_time(home: Enclosure) -> None:
    assert seen(home, "iam.review") is BLIND
    assert seen(home, "iam.review", later=timedelta(days=400)) is FAILS
    review_access(home)
    assert seen(home, "iam.review") is HOLDS
    assert seen(home, "iam.review", later=timedelta(days=400)) is FAILS
    assert seen(home, "log.review") is BLIND
    with home.ledger.intent(Action.LEDGER_REVIEW, home.operator, None, {}):
        pass
    assert seen(home, "log.review") is HOLDS


def test_the_newest_backup_is_read_back_and_what_its_place_altered_is_seen(home: Enclosure, tmp_path: Path) -> None:
    def sights(*places: str, later: timedelta = timedelta(0)) -> dict[str, Sight]:
        probes = backup_probes(home, places, {}, tmp_path, home.ledger.now() + later)
        return {name: found.sight for name, found in look(probes, probes[0].names).items()}

    (tmp_path / "empty").mkdir()
    assert set(sights().values()) == {BLIND}
    assert sights("empty")["bkp.run"] is sights("empty")["bkp.restore"] is FAILS
    back_up(home, str(tmp_path / "kept"))
    good = {"bkp.run": HOLDS, "bkp.run:log-store": HOLDS, "bkp.restore": HOLDS, "bkp.offsite": FAILS}
    assert sights("kept") == sights("empty", "kept") == good
    assert sights("kept", later=timedelta(days=3))["bkp.run"] is FAILS
    for file in (tmp_path / "kept" / "data").rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert sights("kept")["bkp.restore"] is FAILS


def test_objections_hold_as_long_as_their_table_is_there(home: Enclosure) -> None:
    assert seen(home, "app.optout") is BLIND
    add_objections(home, [Objector("snds", "0" * 32)])
    assert seen(home, "app.optout") is HOLDS
    kept = home.paths.objections.read_bytes()
    home.paths.objections.unlink()
    assert seen(home, "app.optout") is BLIND
    home.paths.objections.write_bytes(kept)


def test_retention_is_shown_by_age_and_settings(home: Enclosure) -> None:
    assert seen(home, "log.retention:180") is BLIND
    assert seen(home, "log.retention:180", later=timedelta(days=200)) is HOLDS
    assert seen(home, "log.retention:400", later=timedelta(days=500)) is FAILS
    assert seen(home, "log.retention:30-90", later=timedelta(days=40)) is FAILS
    assert seen(home, "log.retention:180-365", later=timedelta(days=500)) is FAILS


def test_an_altered_ledger_and_one_that_others_read_are_seen(home: Enclosure) -> None:
    assert seen(home, "log.integrity") is seen(home, "log.access") is seen(home, "crypto.sign") is HOLDS
    private = home.paths.ledger / "private"
    kept_out = private.stat().st_mode
    private.chmod(0o755)
    (private / "note").write_text("for nobody else")
    (private / "note").chmod(0o644)
    assert seen(home, "log.access") is FAILS
    (private / "note").unlink()
    private.chmod(kept_out)
    checkpoint: Path = home.paths.ledger / "checkpoint"
    kept, probes = checkpoint.read_bytes(), trace_probes(Traces(home, home.ledger.now()), [])
    checkpoint.write_bytes(kept[:-6] + b"AAAA=\n")
    assert look(probes, ["log.integrity"])["log.integrity"].sight is FAILS
    checkpoint.write_bytes(kept)
    assert seen(home, "log.integrity") is HOLDS


def test_of_what_left_and_of_two_permits_numbers_the_real_thing_is_looked_at(released: Path, tmp_path: Path) -> None:
    with open_home(Path(shutil.copytree(released, tmp_path / "home"))) as left:
        assert seen(left, "app.pseudo") is BLIND
        sign_permit(left, permit_text("FR-TEST-0002", period="{start: 2000-01-01, end: 2030-01-01}", min_count=3))
        open_one(left, "FR-TEST-0002")
        names = ("app.pseudo", "app.export:two-persons", "iam.sod", "crypto.algos", "app.identity-separation")
        assert {name for name in names if seen(left, name) is not HOLDS} == set()
        assert seen(left, "app.catalogue") is FAILS
