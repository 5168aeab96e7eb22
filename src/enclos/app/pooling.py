"""Several enclosures together: what their released packages say, pooled by anyone, without an enclosure or a right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enclos.app.releases import trusted_key
from enclos.contracts.result import result_csv, result_from_csv
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.release.model import Package, PackageReport
from enclos.release.package import MANIFEST, verify_package
from enclos.stores.release_files import read_package, write_package
from enclos.studies.calibration.rules.sites import Answer, Question, answers
from enclos.studies.calibration.rules.together import as_json, pool, pooled_result
from enclos.studies.figures.pooled import pooled_figures
from enclos.studies.figures.style import svg_beneath


@dataclass(frozen=True, slots=True)
class _Site:
    """One enclosure's package, verified."""

    name: str
    key: str
    report: PackageReport
    package: Package

    @property
    def study(self) -> str:
        return sha256_hex(self.package["study.yaml"])

    def facts(self) -> dict[str, Any]:
        """What was read of the site, so that its ledger can be asked for the same export."""
        return {
            "site": self.name,
            "release_key": self.key,
            "request": self.report.request,
            "permit": self.report.permit,
            "exported_at": self.report.exported_at,
            "n_estimates": self.report.n_estimates,
            "manifest": sha256_hex(self.package[MANIFEST]),
            "ledger_proof": sha256_hex(self.package["ledger-proof.json"]),
        }


def pool_packages(packages: Sequence[Path], keys: Sequence[str], out: Path) -> dict[str, Any]:
    """Pool the estimates of several enclosures' packages, and write the result with its forest plot.

    In:      keys — the release keys that are trusted; each package is signed by one, and no two by the same
    Out:     sites (what was read of each), questions (each with one line a site and a method), out;
             OUT holds pooled.csv, forest.svg, pooling.json
    Refuses: PACKAGE_BROKEN; POOL_SITES for fewer than two enclosures, two packages of one, two studies, or nothing that
             two of them answer
    """
    trusted = [trusted_key(key) for key in keys]
    sites = [_read(path, trusted) for path in packages]
    _check(sites)
    told: dict[str, Mapping[Question, Answer]] = {
        name: answers(*result_from_csv(site.package["results.csv"]))
        for name, site in zip(_names(sites), sites, strict=True)
    }
    forests = pool(told)
    if not forests:
        raise _refused("No question is answered by two of the packages: numbers that are withheld cannot be pooled.")
    result = pooled_result(forests)
    questions = [as_json(forest) for forest in forests]
    facts = [{**site.facts(), "site": name} for name, site in zip(told, sites, strict=True)]
    files = {
        "pooled.csv": result_csv(result.table, result.settings),
        "forest.svg": svg_beneath(pooled_figures(forests)).encode("utf-8"),
        "pooling.json": canonical_bytes({"study": sites[0].study, "sites": facts}),
    }
    write_package(files, out)
    return {"out": str(out), "study": sites[0].study, "sites": facts, "questions": questions}


def _read(path: Path, trusted: Sequence[bytes]) -> _Site:
    package = read_package(path)
    for key in trusted:
        try:
            report = verify_package(package, key)
        except Refusal:
            continue
        names = result_from_csv(package["results.csv"])[0]["cdm_name"].unique().to_pylist()
        return _Site(names[0] if names else report.permit, key.hex(), report, package)
    raise refusal(
        Code.PACKAGE_BROKEN,
        "A package is not what was released, or is signed by none of the keys given.",
        "Check it alone with enclos release verify, and give the release key of each enclosure with --key.",
    )


def _check(sites: Sequence[_Site]) -> None:
    if len(sites) < 2:
        raise _refused("One package is nothing to pool.")
    if len({site.key for site in sites}) < len(sites):
        raise _refused("Two packages are of one enclosure: its persons would count twice.")
    if len({site.study for site in sites}) > 1:
        raise _refused("The packages are of different studies.")


def _names(sites: Sequence[_Site]) -> list[str]:
    """The names of the sites; a number tells those of one name apart."""
    names = [site.name for site in sites]
    return [
        name if names.count(name) == 1 else f"{name} {names[: at + 1].count(name)}" for at, name in enumerate(names)
    ]


def _refused(why: str) -> Refusal:
    return refusal(Code.POOL_SITES, why, "Give one package of each enclosure, released of the same study file.")
