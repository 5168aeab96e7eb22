"""What leaves is what the platform made of a checked table: no file of a person's, and no room in its files."""

from __future__ import annotations

import resource
import secrets
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from enclos.contracts.result import HIDDEN, ResultSettings, StudyResult, result_from_csv
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.release.package import SIGNATURE, verify_package
from enclos.release.rules.disclosure import assess
from enclos.stores.release_files import read_package, write_package
from enclos.studies.document import study_from_yaml
from factories.corpus import descriptions, rates
from factories.desk import SIGNER, Desk

SMALL = "120 Male 1960 +30 , 90 Female 1960 +4"
STUDY = "study: town\ncohorts: {bleed: {concepts: [192671], domain: condition}}\n"
STUDY += "analyses: [{incidence: {outcome: bleed}}]\n"


@pytest.mark.parametrize(
    "more",
    ["disclosure: {min_count: 1}", "min_count: 1", "suppress: false", "release: {enabled: false}", "policy: none"],
)
def test_c6_68_no_study_and_no_result_lowers_the_rules(more: str) -> None:
    study_from_yaml(STUDY)
    with pytest.raises(Refusal):
        study_from_yaml(STUDY + more + "\n")
    result = rates(SMALL)
    name, _, value = more.replace("{", "").replace("}", "").rpartition(":")
    said = {"min_cell_count": "1", name.split(":")[-1].strip().lower(): value.strip()}
    settings = tuple(ResultSettings(each.result_id, {**each.values, **said}) for each in result.settings)
    safe = assess(StudyResult(result.table, settings, result.cells), 11).safe
    assert safe is not None
    assert HIDDEN in safe.table["estimate_value"].to_pylist()
    assert {each.values["min_cell_count"] for each in safe.settings} == {"11"}


@pytest.mark.parametrize(
    "content",
    [
        b"Patient_ID,cost\n1,2\n",
        b"\xef\xbb\xbfresult_id,cdm_name\n1,2\n",
        b" patient_id;cost\n1;2\n",
        "Patient_ID,cost\n1,2\n".encode("utf-16"),
        "Prénom,coût\nZoé,2\n".encode("latin-1"),
        b'"two\nlines",b\n1,2\n',
        (",".join(f"c{n}" for n in range(200_000)) + "\n").encode(),
        b'{"patient": 1}\n',
        b"patient 1 fell\npatient 2 fell\n",
        b"",
    ],
)
def test_c7_73_only_a_table_of_the_contract_is_read(content: bytes) -> None:
    with pytest.raises(ValueError):
        result_from_csv(content)


@pytest.mark.parametrize(
    "name",
    ["../../x.csv", "/etc/x.csv", "C:\\x.csv", "a/../../x.csv", "..\\x.csv", "RESULTS.CSV", "%2e%2e/x.csv", "a/"],
)
def test_c7_75_no_name_in_a_package_leads_out_of_it(tmp_path: Path, name: str) -> None:
    out = tmp_path / "package.zip"
    write_package(package(), out)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(name, b"rows")
    with pytest.raises(Refusal) as caught:
        verify_package(read_package(out), SIGNER.public_key())
    assert caught.value.code is Code.PACKAGE_BROKEN
    assert [path.name for path in tmp_path.iterdir()] == ["package.zip"]


def package() -> dict[str, bytes]:
    desk = Desk(11)
    town = "60 statin Female 20-64 =ramp , 60 statin Male 20-64 , 60 statin Female 65-150 , 60 statin Male 65-150 =ramp"
    return desk.release(desk.ask(descriptions(town)))


def test_a_package_that_finds_no_room_leaves_nothing_behind_and_is_written_by_the_same_call(tmp_path: Path) -> None:
    big = {"results.csv": secrets.token_bytes(1 << 16), "study.yaml": b"study: town\n"}
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for out in (tmp_path / "package.zip", tmp_path / "folder"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 14, before[1]))
        try:
            with pytest.raises(Refusal) as caught:
                write_package(big, out)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert caught.value.code is Code.STORAGE_FULL
        assert not [path for path in tmp_path.iterdir() if path.name.startswith(f".{out.name}")]
        write_package(big, out)
        assert read_package(out) == big


def test_c7_76_a_package_holds_what_the_platform_made_and_nothing_else() -> None:
    files = package()
    assert {name.rsplit(".", 1)[-1] for name in files} <= {"csv", "svg", "png", "json", "yaml", "sig"}
    for name, content in files.items():
        for sign in (
            b"<script",
            b"<metadata",
            b"data:",
            b"<foreignObject",
            b"javascript:",
            b"PK\x03\x04",
            b"tEXt",
            b"eXIf",
        ):
            assert sign not in content, name
        if not name.endswith(".png"):
            content.decode("utf-8")
    assert HIDDEN.encode() in files["results.csv"]


@pytest.mark.parametrize(
    "written",
    [
        lambda said: b" " + said,
        lambda said: said + b"\n",
        lambda said: said.replace(b"\n", b"\r\n"),
        lambda said: said[:64] + b"\n" + said[64:],
        lambda said: said[:64] + b" " + said[64:],
        bytes.upper,
        lambda said: said.replace(b"\n", b"00\n"),
        lambda said: said[:-3] + b"\n",
        lambda _: b"",
    ],
)
def test_a_signature_is_written_in_one_way(written: Callable[[bytes], bytes]) -> None:
    files = package()
    signature = files[SIGNATURE]
    for same in (signature, signature.removesuffix(b"\n")):
        verify_package(files | {SIGNATURE: same}, SIGNER.public_key())
    with pytest.raises(Refusal) as caught:
        verify_package(files | {SIGNATURE: written(signature)}, SIGNER.public_key())
    assert caught.value.code is Code.PACKAGE_BROKEN


def test_c7_77_the_same_release_is_the_same_bytes() -> None:
    assert package() == package()
