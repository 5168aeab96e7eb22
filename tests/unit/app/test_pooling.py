"""Pooling refuses what would count persons twice, mix studies, or trust a stranger."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enclos.app.pooling import pool_packages
from enclos.contracts.result import RESULT_COLUMNS, RESULT_SCHEMA, ResultSettings, result_csv
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.release.package import BY_TWO_PERSONS, sealed_package
from enclos.stores.release_files import write_package

GROUP = ("denominator_cohort_name &&& outcome_cohort_name", "denominator_cohort_1 &&& bleed")
FACTS = {"request": "r", "permit": "FR-1", "permit_version": 1, "permit_digest": "d", "purpose": "p", "asked_at": "t",
         "run": "1", "snapshot": 1}  # fmt: skip


class Enclosure:
    """A release key, and the packages that it signs."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()

    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)

    @property
    def key(self) -> str:
        return self.public_key().hex()

    def package(
        self,
        out: Path,
        n_events: str,
        days: str,
        *,
        name: str = "home",
        study: bytes = b"study: s",
        first: str = "2019",
    ) -> Path:
        window = ("incidence_start_date &&& incidence_end_date", f"{first}-01-01 &&& 2020-12-31")
        rows = [
            (1, name, *GROUP, "overall", "overall", variable, None, estimate, "numeric", value, *window)
            for variable, estimate, value in (
                ("Denominator", "person_days", days),
                ("Outcome", "outcome_count", n_events),
            )
        ]
        table = pa.table(
            dict(zip(RESULT_COLUMNS, map(list, zip(*rows, strict=True)), strict=True)), schema=RESULT_SCHEMA
        )
        told = {"result_type": "incidence", "package_name": "enclos", "package_version": "1", "min_cell_count": name}
        content = "c"
        votes = [{"reviewer": number, "accept": True, "at": "t", "content": content} for number in (1, 2)]
        files = {
            "results.csv": result_csv(table, [ResultSettings(1, {**told, "denominator_start_date": f"{first}-01-01"})]),
            "study.yaml": study,
            "decisions.json": json.dumps({"decisions": votes}).encode(),
            "ledger-proof.json": b"{}",
        }
        package = sealed_package(
            files,
            FACTS,
            content=content,
            released=BY_TWO_PERSONS,
            exported_at=datetime(2026, 11, 1, tzinfo=UTC),
            signer=self,
        )
        write_package(package, out)
        return out


def refused(*arguments: object) -> Code:
    with pytest.raises(Refusal) as found:
        pool_packages(*arguments)  # type: ignore[arg-type]
    return found.value.code


def test_rates_over_all_days_are_pooled_though_data_begin_on_different_days(tmp_path: Path) -> None:
    north, south = Enclosure(), Enclosure()
    packages = [
        north.package(tmp_path / "n", "30", "365250"),
        south.package(tmp_path / "s.zip", "10", "36525", first="2018"),
    ]
    found = pool_packages(packages, [south.key, north.key], tmp_path / "out")
    assert [site["site"] for site in found["sites"]] == ["home 1", "home 2"]
    assert [site["release_key"] for site in found["sites"]] == [north.key, south.key]
    (question,) = found["questions"]
    values = {(line["site"], line["method"]): line["value"] for line in question["lines"]}
    assert values["home 1", "site"] == pytest.approx(3000, rel=1e-6)
    assert values["pooled", "likelihood profiles"] == pytest.approx(40 / 1100 * 1e5, rel=1e-5)
    assert question["outcome_cohort_name"] == "bleed"


def test_a_number_that_one_site_withholds_is_not_pooled(tmp_path: Path) -> None:
    north, south = Enclosure(), Enclosure()
    packages = [north.package(tmp_path / "n", "30", "365250"), south.package(tmp_path / "s", "-", "-")]
    assert refused(packages, [south.key, north.key], tmp_path / "out") is Code.POOL_SITES
    assert not (tmp_path / "out").exists()


def test_two_packages_of_one_enclosure_two_studies_or_one_package_are_not_pooled(tmp_path: Path) -> None:
    north, south = Enclosure(), Enclosure()
    one = north.package(tmp_path / "n", "30", "365250")
    same = north.package(tmp_path / "again", "30", "365250", name="other")
    other = south.package(tmp_path / "s", "10", "36525", study=b"study: another")
    keys = [north.key, south.key]
    assert refused([one, same], keys, tmp_path / "out") is Code.POOL_SITES
    assert refused([one, other], keys, tmp_path / "out") is Code.POOL_SITES
    assert refused([one], keys, tmp_path / "out") is Code.POOL_SITES


def test_a_package_is_trusted_by_a_key_that_is_given_and_no_other(tmp_path: Path) -> None:
    north, south = Enclosure(), Enclosure()
    packages = [north.package(tmp_path / "n", "30", "365250"), south.package(tmp_path / "s", "10", "36525")]
    assert refused(packages, [north.key, Enclosure().key], tmp_path / "out") is Code.PACKAGE_BROKEN
    assert refused(packages, [north.key, "no key"], tmp_path / "out") is Code.PACKAGE_BROKEN
    assert refused(packages, [], tmp_path / "out") is Code.PACKAGE_BROKEN
    (tmp_path / "s" / "results.csv").write_bytes(b"altered")
    assert refused(packages, [north.key, south.key], tmp_path / "out") is Code.PACKAGE_BROKEN
