"""A whole enclosure leaves its host: the same there, readable nowhere else, and nothing lost however it is stopped."""

from __future__ import annotations

import json
import os
import shutil
from itertools import groupby
from pathlib import Path

import pytest

from enclos.app import releases, studies
from enclos.app.accounts import add_account, list_accounts
from enclos.app.carrying import Journal
from enclos.app.certificates import verify_certificate
from enclos.app.enclosure import create_enclosure
from enclos.app.hosting import verify_hosting
from enclos.app.keys import unrecorded
from enclos.app.ledger import verify, witness
from enclos.app.move_target import read_target
from enclos.app.moving import compare_studies, move_enclosure, published_studies
from enclos.app.places import lake_objects
from enclos.app.rotation import list_keys
from enclos.app.snapshots import build_omop
from enclos.ledger.model import Action
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import Refusal
from enclos.signin.model import Role
from factories.dying import dies_at
from factories.enclosure import ALICE, PASSPHRASE, open_home, refused, run_cli
from factories.postgres import postgres
from factories.released_home import PERMIT, STUDY, rows_of
from factories.s3_servers import ceph, swift

ANOTHER = "another passphrase"


@pytest.fixture(scope="module")
def original(released) -> Path:
    return released


@pytest.fixture
def home(original, tmp_path) -> Path:
    """A copy that a test may move away."""
    return Path(shutil.copytree(original, tmp_path / "home"))


def target_file(folder: Path, name: str = "there", **more: object) -> Path:
    lines = [f"{key} = {json.dumps(value)}" for key, value in {"path": name, **more}.items()]
    path = folder / f"{name}.toml"
    path.write_text("[enclosure]\n" + "\n".join(lines) + "\n")
    return path


def moved(home: Path, target: Path, passphrase: str = PASSPHRASE, to: str = PASSPHRASE):
    return move_enclosure(home, read_target(target, home), passphrase=passphrase, target_passphrase=to)


def code_of(attempt) -> Code:
    with pytest.raises(Refusal) as caught:
        attempt()
    return caught.value.code


def ledger_key(home: Path) -> str:
    with open_home(home) as enclosure:
        keys = list_keys(enclosure)["keys"]
    return next(key["public_key"] for key in keys if key["role"] == "ledger" and key["in_use"])


def keeps_its_word(before: dict, home: Path, answer: dict, package: Path, release_key: str) -> None:
    """What must hold of an enclosure at its new place, wherever that is."""
    assert rows_of(home) == before
    with open_home(home) as enclosure:
        assert verify_hosting(enclosure)["strangers"] == []
        run = answer["studies"][0]
        again = studies.rerun(enclosure, permit=PERMIT, user=ALICE, run_id=run)
        assert (again["same"], again["same_persons"], again["n_rows"]) == (True, True, 51)
        entries = [entry for _, entry in enclosure.ledger.entries(0)]
        ended = [key for key in list_keys(enclosure)["keys"] if key["destroyed_at"]]
        assert {key["key"] for key in ended} <= set(answer["keys"])
    said = [entry.facts["what"] for entry in entries if entry.action is Action.MOVE and "what" in entry.facts]
    steps = [what for what, _ in groupby(said)]  # one that was killed is said once more
    assert steps == ["leave", "arrive"] * (len(steps) // 2) and entries[0].action is Action.INIT
    assert releases.verify(package, release_key)["released"] == "by two persons"
    proof = verify_certificate(Path(answer["certificate"]), ledger_key(home))
    assert proof["opens"] == [] and [key["key"] for key in proof["keys"]] == answer["keys"]
    assert proof["studies"] == answer["studies"] == [run]


@pytest.fixture(scope="module")
def release_key(original) -> str:
    with open_home(original) as enclosure:
        return unrecorded(enclosure.keys).public(KeyName(KeyRole.RELEASE)).hex()


def test_all_of_it_moves_and_nothing_opens_at_the_old_place(original, home, tmp_path, release_key):
    with open_home(home) as enclosure:
        add_account(enclosure, "carol@example.org", "Carol", [next(iter(Role))])
    (home / "conformity" / "evidence").mkdir(parents=True)
    (home / "conformity" / "evidence" / "statement.json").write_text("{}")
    before, files = rows_of(home), {path.relative_to(home): path.read_bytes() for path in home.rglob("*.parquet")}
    witness(str(home), tmp_path / "witness", name="example.org/w")
    answer = moved(home, target_file(tmp_path), to=ANOTHER)
    there = tmp_path / "there"
    # whatever kind of file there is comes along, or is known to be of no use there: app/parts.py lists them
    come, left = ({str(each.relative_to(at)) for each in at.rglob("*") if each.is_file()} for at in (there, home))
    assert {name for name in left - come if not is_left(name)} == set()
    assert answer["objects"] == len(list((original / "lake").rglob("*.parquet"))) > 0
    assert answer["downtime_seconds"] < 60
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("factories.enclosure.PASSPHRASE", ANOTHER)
        keeps_its_word(before, there, answer, original.parent / "package.zip", release_key)
        with open_home(there) as enclosure:
            assert [each["account"] for each in list_accounts(enclosure)["accounts"]] == ["carol@example.org"]
            assert build_omop(enclosure, full=True)["snapshot"] == 2
            assert lake_objects(enclosure.paths, enclosure.settings.storage).remove_half_written() == 0
    # every byte of rows is another, though as many
    for name, content in files.items():
        assert name.parts[0] == "crossing" or (there / name).read_bytes() != content
        assert name.parts[0] == "crossing" or (there / name).stat().st_size == len(content)
    # the witness goes on from what it saw at the old place, with the key that was handed over
    key = (there / "ledger" / "ledger.vkey").read_text().strip()
    assert witness(str(there), tmp_path / "witness", key=key)["size"] == verify(there, key=key)["size"]
    # the old place: nothing is done, nothing opens
    assert refused("snapshots", home)[:2] == (3, "ENC-16")
    assert code_of(lambda: moved(home, target_file(tmp_path), to=ANOTHER)) is Code.ENCLOSURE_MOVED
    stored = json.loads((home / "keys" / "keystore.json").read_text())["keys"]
    assert all("wrapped" not in entry for name, entry in stored.items() if name != "check")
    assert Path(answer["certificate"]).read_bytes() == next((home / "keys" / "destroyed").glob("move-*")).read_bytes()


def is_left(name: str) -> bool:
    """Locks, what only a process needs, tiles of a smaller tree, and what says that the enclosure is elsewhere."""
    of_a_process = name.startswith(("ledger/private/", "ledger/tile/")) and "/salts/" not in name
    return of_a_process or name == "moved.json" or any(part.startswith(".") for part in Path(name).parts)


MOMENTS = [
    ("enclos.app.carrying:put_and_read_back", 5),
    ("enclos.app.carrying:FileCarrier._carry", 10),
    ("enclos.app.moving:_compare", 1),
    ("enclos.app.moving:_carry_last", 1),
    ("enclos.app.moving:_hand_over", 1),
    ("enclos.app.moving:keep_earlier", 1),
    ("enclos.app.moving:arrive", 1),
    ("enclos.app.arriving:_found_at", 1),
    ("enclos.app.arriving:_destroy_all", 1),
    ("enclos.app.arriving:certify_move", 1),
]
ONE_AFTER_ANOTHER = [MOMENTS[0], MOMENTS[4], MOMENTS[8]]


@pytest.mark.slow
@pytest.mark.parametrize(
    "moments",
    [
        pytest.param(ONE_AFTER_ANOTHER, id="one after another"),
        *(pytest.param([each], id=each[0]) for each in MOMENTS),
    ],
)
def test_killed_at_any_moment_it_goes_on(moments, original, home, tmp_path, release_key):
    before, target = rows_of(home), target_file(tmp_path)
    for function, number in moments:
        dies_at(function, number, "move", home, "--to", target)
        answers = [place for place in (home, tmp_path / "there") if (place / "enclos.toml").exists()]
        answers = [place for place in answers if not (place / "moved.json").exists()]
        assert len(answers) <= 1, "two enclosures would answer"
    answer = run_cli("move", home, "--to", target)
    keeps_its_word(before, tmp_path / "there", answer, original.parent / "package.zip", release_key)
    assert verify(tmp_path / "there")["n_open"] == 0


def test_a_comparison_that_was_killed_goes_on(home, tmp_path):
    """Of two runs, none of which has left; the next process reads what the one before had written down."""
    shutil.rmtree(home / "release")
    key, heard = SecretKey(KeyName(KeyRole.CATALOG), os.urandom(32)), []

    def killed_after(n_studies: int):
        def report(step: str, *_told: object) -> None:
            heard.extend({step} - set(heard))
            if len(heard) > n_studies:
                raise KeyboardInterrupt

        return report

    with open_home(home) as enclosure:
        studies.run(enclosure, permit=PERMIT, user=ALICE, text=STUDY.replace("study: ages", "study: others"))
        runs = [run for _, run in published_studies(enclosure)]
        assert len(runs) == 2
        with pytest.raises(KeyboardInterrupt):
            compare_studies(enclosure, enclosure, Journal(tmp_path / "journal", key), 1, killed_after(1))
        first, _ = heard
        heard.clear()
        journal = Journal(tmp_path / "journal", key)
        assert journal.studies == runs[:1]
        assert compare_studies(enclosure, enclosure, journal, 1, killed_after(1)) == runs
        assert len(heard) == 1 and heard != [first]
        heard.clear()
        with pytest.raises(KeyboardInterrupt):  # another build: all of it is compared anew
            compare_studies(enclosure, enclosure, Journal(tmp_path / "journal", key), 2, killed_after(0))
        assert heard == [first]


def test_what_is_in_the_way_is_said_and_the_enclosure_goes_on(original, home, tmp_path):
    target = target_file(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "something").write_text("x")
    assert code_of(lambda: moved(home, target)) is Code.ENCLOSURE_EXISTS
    assert code_of(lambda: moved(home, target_file(tmp_path, "home/inside"))) is Code.ENCLOSURE_EXISTS
    assert code_of(lambda: moved(home, target_file(tmp_path, "new"), passphrase="wrong")) is Code.PASSPHRASE_WRONG
    for broken in ({"colour": "blue"}, {"keys": "elsewhere"}, {"storage": "ftp://x"}, {"bandwidth_mb_per_second": 0}):
        wanted = Code.STORAGE_URL if "storage" in broken else Code.SETTINGS_BROKEN
        assert code_of(lambda broken=broken: moved(home, target_file(tmp_path, "new", **broken))) is wanted
    create_enclosure(tmp_path / "other", passphrase=PASSPHRASE)
    assert code_of(lambda: moved(home, target_file(tmp_path, "other"))) is Code.ENCLOSURE_EXISTS
    # a host that altered an object does not get the alteration carried along
    name = max((home / "lake").rglob("*.parquet"), key=lambda path: path.stat().st_size)
    content = bytearray(name.read_bytes())
    content[len(content) // 2] ^= 1
    name.write_bytes(content)
    assert code_of(lambda: moved(home, target_file(tmp_path, "new"))) is Code.STORAGE_ALTERED
    with open_home(home) as enclosure:
        assert [entry.code for _, entry in enclosure.ledger.entries(0)][-1] == Code.STORAGE_ALTERED.id
    # another enclosure does not take over what this one began there
    assert code_of(lambda: moved(tmp_path / "other", target_file(tmp_path, "new"))) is Code.ENCLOSURE_EXISTS


@pytest.mark.slow
def test_bandwidth_is_what_was_asked_for(home, tmp_path):
    size = sum(path.stat().st_size for path in home.rglob("*") if path.suffix in {".parquet", ".sealed", ".duckdb"})
    answer = moved(home, target_file(tmp_path, bandwidth_mb_per_second=size / 1e6 / 4))
    assert answer["seconds"] > 3


@pytest.fixture(scope="module")
def hosts():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.mark.slow
@pytest.mark.system("radosgw")
@pytest.mark.system("swift-proxy")
@pytest.mark.system("postgresql")
@pytest.mark.xdist_group("s3")
def test_from_a_folder_to_ceph_to_swift_and_back(original, home, tmp_path, hosts, release_key):
    """Each host in turn, with the catalog in a file and in a database, both ways."""
    before, package = rows_of(home), original.parent / "package.zip"
    database = postgres()
    for name, value in database.environment.items():
        hosts.setenv(name, value)
    ring = [(ceph(), True), (swift(), False), (ceph(), False), (swift(), True), (None, True), (None, False)]
    for number, (server, in_database) in enumerate(ring):
        more = {}
        if server:
            bucket = server.bucket()
            more["storage"] = server.url(bucket)
        if in_database:
            more["catalog"] = database.url(database.database())
        name = f"place-{number}"
        for variable, value in (server.environment if server else {}).items():
            hosts.setenv(variable.replace("ENCLOS_", "ENCLOS_TARGET_"), value)
        answer = moved(home, target_file(tmp_path, name, **more))
        home = tmp_path / name
        for variable, value in (server.environment if server else {}).items():
            hosts.setenv(variable, value)
        keeps_its_word(before, home, answer, package, release_key)
        before = rows_of(home)
