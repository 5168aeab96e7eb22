"""The description of the holdings: HealthDCAT-AP for machines, pages for people, and a sample made of nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.pages.catalogue import catalogue_page
from enclos.app.pages.register import index_page
from enclos.app.pages.words import Language
from enclos.app.progress import Report, silent
from enclos.holdings.document import About, draft_about, read_about
from enclos.holdings.model import Figures, PublicFile, Quality
from enclos.holdings.rules.describing import COLUMNS, TABLES, describe
from enclos.holdings.rules.sample import AgeShare, IllnessShare, make_sample
from enclos.holdings.rules.saying import columns_csv, tables_csv
from enclos.holdings.rules.writing import as_json_ld, as_turtle
from enclos.holdings.steps import Part, read_figures
from enclos.ledger.model import Action, Outcome
from enclos.ledger.rules.acts import acts_of
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.stores.files import fill_folder, is_free_or, replaced_folder, storage_border
from enclos.stores.lake import LakeSnapshot
from enclos.synthetic.references import conditions, pyramid, rows

MARK = "catalogue.ttl"
"""What tells a description's folder from another."""


@dataclass(frozen=True, slots=True)
class Described:
    """The files of a description by their place, their digest, and what the command answers."""

    files: Mapping[str, bytes]
    digest: str
    answer: Mapping[str, Any]


def draft() -> str:
    """The document about the holdings to fill in, as YAML with comments."""
    return draft_about()


def publish_catalogue(
    enclosure: Enclosure, out: Path | None = None, about: Path | None = None, *, report: Report = silent
) -> dict[str, Any]:
    """Describe the newest snapshot; write the description as static files when a place is given.

    In:  about — the document of what no snapshot can know; ``catalogue.yaml`` of the enclosure when not given
    Out: catalogue.ttl, catalogue.jsonld; dataset.ttl, dataset.jsonld (without the catalogue, for HealthData@EU);
         en.html, fr.html, index.html; analytics/; sample/. The same bytes for the same snapshot and document.
    Refuses: CATALOGUE_DOCUMENT, CATALOGUE_TOO_FEW, CATALOGUE_PLACE; LAKE_EMPTY; ENCLOSURE_BUSY while a build runs.
    Source: Regulation (EU) 2025/327, Art. 77.
    """
    if out is not None:
        with storage_border("the description"):
            is_free = is_free_or(out, MARK)
        if not is_free:
            raise refusal(
                Code.CATALOGUE_PLACE,
                "The place holds something that is no description.",
                "Name a new or an empty folder.",
            )
    described = describe_holdings(enclosure, about, report)
    if out is not None:
        with replaced_folder(out, "the description") as made:
            fill_folder(made, described.files)
    return {"out": None if out is None else str(out), **described.answer}


def describe_holdings(enclosure: Enclosure, about: Path | None = None, report: Report = silent) -> Described:
    """The description of the newest snapshot; the ledger has its digest before anybody sees it."""
    with enclosure.ledger.intent(Action.CATALOGUE, enclosure.operator) as ticket:
        stated = read_about(_text_of(about or enclosure.paths.about))
        figures = _figures(enclosure, report)
        quality = _quality(enclosure, figures.snapshot)
        files, sample = _files(stated, figures, quality)
        digest = sha256_hex(canonical_bytes({name: sha256_hex(text) for name, text in sorted(files.items())}))
        ticket.facts.update({"snapshot": figures.snapshot, "content": digest, "sample": sample})
    answer = {
        "snapshot": figures.snapshot,
        "persons_at_least": figures.n_persons,
        "records_at_least": figures.n_records,
        "ages": None if figures.min_age is None else [figures.min_age, figures.max_age],
        "period": None if figures.starts_on is None else [str(figures.starts_on), str(figures.ends_on)],
        "vocabularies": list(figures.vocabularies),
        "review_by": str(stated.review_by),
        "quality": None if quality is None else {"passed": quality.n_passed, "failed": quality.n_failed},
        "content": digest,
        "sample": sample,
        "files": sorted(files),
    }
    return Described(files, digest, answer)


def write_sample(out: Path) -> dict[str, Any]:
    """Write the sample alone: needs no enclosure, no key and no data.

    Out: a CSV file by table; the digest of all, as every description names it.
    Refuses: CATALOGUE_PLACE when the place is not new or empty.
    """
    files = sample_files()
    with storage_border("the sample"):
        is_free = is_free_or(out, "person.csv")
    if not is_free:
        raise refusal(Code.CATALOGUE_PLACE, "The place holds something else.", "Name a new or an empty folder.")
    with replaced_folder(out, "the sample") as made:
        fill_folder(made, files)
    return {"out": str(out), "sample": sample_digest(files), "files": [vars_of(file) for file in _listed(files)]}


def sample_files() -> dict[str, bytes]:
    """The sample's files by name, from what Enclos itself publishes."""
    ages = [AgeShare(group.age_from, group.age_to, group.share, group.female_share) for group in pyramid()]
    known = {row["key"]: int(row["concept_id"]) for row in rows("public_concepts.csv") if row["use"] == "condition"}
    illnesses = []
    for condition in conditions():
        code = max(condition.motives, key=lambda motive: motive[1])[0] if condition.motives else ""
        if code:
            found = next((known[code[:n]] for n in range(len(code), 2, -1) if code[:n] in known), 0)
            illnesses.append(IllnessShare(code, found, condition.prevalence, condition.male_to_female))
    return {f"{table}.csv": text for table, text in make_sample(ages, illnesses).items()}


def sample_digest(files: Mapping[str, bytes]) -> str:
    """The digest of the sample: of its files' digests by name, canonically written."""
    return sha256_hex(canonical_bytes({name: sha256_hex(text) for name, text in sorted(files.items())}))


def vars_of(file: PublicFile) -> dict[str, Any]:
    """A public file as JSON."""
    return {"name": file.name, "sha256": file.sha256, "n_rows": file.n_rows}


def _listed(files: Mapping[str, bytes], under: str = "") -> list[PublicFile]:
    return [PublicFile(under + name, sha256_hex(text), text.count(b"\n") - 1) for name, text in files.items()]


def _text_of(about: Path) -> str:
    try:
        return about.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise refusal(
            Code.CATALOGUE_DOCUMENT,
            "There is no document about the holdings that can be read.",
            "Fill in `enclos catalogue DIR --draft` and keep it as DIR/catalogue.yaml, or name one with --about.",
        ) from None


def _figures(enclosure: Enclosure, report: Report) -> Figures:
    with enclosure.reading_data(), enclosure.engine() as engine:
        lake = enclosure.lake(engine)
        chosen = lake.snapshot()
        note = next(note for note in lake.snapshots() if note.id == chosen.id)
        return read_figures(
            engine,
            partial(_place, chosen),
            snapshot=chosen.id,
            built_on=note.built_at.date(),
            floor=enclosure.floor,
            buckets=chosen.buckets,
            progress=report,
        )


def _place(snapshot: LakeSnapshot, table: str, part: Part) -> str | None:
    if table not in snapshot.tables:
        return None
    place = snapshot.relation(table)
    listed = ", ".join(str(bucket) for bucket in part)
    return f"(SELECT * FROM {place} WHERE bucket IN ({listed}))" if part else place


def _quality(enclosure: Enclosure, snapshot: int) -> Quality | None:
    """What the last checks of the snapshot said, as the ledger has it; None when it was never judged."""
    judged = [
        act
        for act in acts_of(enclosure.ledger.entries())
        if act.action is Action.QUALITY and act.outcome is Outcome.DONE and act.facts.get("snapshot") == snapshot
    ]
    if not judged:
        return None
    last = judged[-1]
    return Quality(str(last.facts["cdm"]), last.number("checks"), last.number("passed"), last.number("failed"))


def _files(about: About, figures: Figures, quality: Quality | None) -> tuple[dict[str, bytes], str]:
    sample = sample_files()
    analytics = {TABLES: tables_csv(figures), COLUMNS: columns_csv(figures)}
    alone, whole = describe(about, figures, quality, _listed(analytics), _listed(sample, "sample/"))
    files = {
        MARK: as_turtle(whole),
        "catalogue.jsonld": as_json_ld(whole),
        "dataset.ttl": as_turtle(alone),
        "dataset.jsonld": as_json_ld(alone),
        **analytics,
        "index.html": index_page("Health data catalogue", "Catalogue de données de santé").encode(),
        **{f"sample/{name}": text for name, text in sample.items()},
    }
    digest = sample_digest(sample)
    for language in Language:
        page = catalogue_page(about, figures, quality, sorted([*files, "en.html", "fr.html"]), digest, language)
        files[f"{language.value}.html"] = page.encode("utf-8")
    return files, digest
