"""What long work there is: each a call of the function behind the command of the same name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.handed import Keep
from enclos.app.progress import Report
from enclos.signin.model import Role

Given = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What a piece of work is done with.

    In: also — to be asked whenever the right is checked: it raises when the person ended the work; keep — takes what
        the command writes to files
    """

    enclosure: Enclosure
    user: str
    permit: str
    given: Given
    report: Report
    also: Callable[[], object]
    keep: Keep


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of work: the roles that may ask for it, whether it needs a permit that lists them, and what does it."""

    roles: tuple[Role, ...]
    needs_permit: bool
    act: Callable[[Told], dict[str, Any]]


def _spread(told: Told) -> dict[str, Any]:
    """Who looks at buckets: no more processes than there are cores, or than the host itself would begin."""
    asked, most = told.given.get("workers"), max(os.cpu_count() or 1, told.enclosure.settings.engine.workers)
    return {"workers": None if asked is None else min(int(asked), most), "on": str(told.given.get("on", ""))}


def _study(told: Told) -> dict[str, Any]:
    from enclos.app.studies import run

    return run(
        told.enclosure,
        permit=told.permit,
        user=told.user,
        text=told.given["text"],
        **_spread(told),
        report=told.report,
        also=told.also,
    )


def _rerun(told: Told) -> dict[str, Any]:
    from enclos.app.studies import rerun

    run_id = str(told.given["run"])
    return rerun(
        told.enclosure,
        permit=told.permit,
        user=told.user,
        run_id=run_id,
        **_spread(told),
        report=told.report,
        also=told.also,
    )


def _cohort(told: Told) -> dict[str, Any]:
    from enclos.app.cohorts import count

    return count(
        told.enclosure,
        permit=told.permit,
        user=told.user,
        texts=dict(told.given["definitions"]),
        save=bool(told.given.get("save", False)),
        inclusion=bool(told.given.get("inclusion", False)),
        **_spread(told),
        report=told.report,
        also=told.also,
    )


def _dictionary(told: Told) -> dict[str, Any]:
    from enclos.app.dictionary import count

    return count(told.enclosure, permit=told.permit, user=told.user, report=told.report, also=told.also)


def _sql_keep(told: Told) -> dict[str, Any]:
    from enclos.app.tables import keep_answer

    told.report("sql", 0.0)
    return keep_answer(
        told.enclosure, permit=told.permit, user=told.user, text=str(told.given["query"]), also=told.also
    )


def _table(told: Told) -> dict[str, Any]:
    from enclos.app.tables import keep_job

    rows, form = str(told.given["rows"]).encode("utf-8"), str(told.given["form"])
    return keep_job(told.enclosure, permit=told.permit, user=told.user, rows=rows, form=form)


def _permit_open(told: Told) -> dict[str, Any]:
    from enclos.app.permits import open_one

    return open_one(told.enclosure, str(told.given["permit"]), by=told.user)


def _ingest(told: Told) -> dict[str, Any]:
    from enclos.app.deliveries import ingest_deliveries

    inbox = told.enclosure.paths.root / "inbox"
    folders = [inbox / Path(name).name for name in told.given["deliveries"]]
    return ingest_deliveries(told.enclosure, folders, report=told.report)


def _link(told: Told) -> dict[str, Any]:
    from enclos.app.persons import link_persons
    from enclos.linkage.model import Method

    given = told.given
    indirect = Method(given.get("method")) if given.get("indirect") else None
    return link_persons(told.enclosure, indirect=indirect, threshold=given.get("threshold"), report=told.report)


def _build(told: Told) -> dict[str, Any]:
    from enclos.app.snapshots import build_omop

    given = told.given
    return build_omop(
        told.enclosure,
        account=bool(given.get("account", False)),
        duration=given.get("duration"),
        full=bool(given.get("full", False)),
        **_spread(told),
        report=told.report,
    )


def _quality(told: Told) -> dict[str, Any]:
    from enclos.app.quality import CDM_VERSION, judge_quality

    given = told.given
    return judge_quality(
        told.enclosure,
        snapshot=given.get("snapshot"),
        against=given.get("against"),
        cdm_version=given.get("cdm", CDM_VERSION),
        keep=told.keep,
        report=told.report,
    )


def _profile(told: Told) -> dict[str, Any]:
    from enclos.app.profile import profile_snapshot

    return profile_snapshot(told.enclosure, snapshot=told.given.get("snapshot"), keep=told.keep, report=told.report)


def _catalogue(told: Told) -> dict[str, Any]:
    from enclos.app.catalogue import describe_holdings

    described = describe_holdings(told.enclosure, report=told.report)
    for name, content in described.files.items():
        told.keep(name.replace("/", "-"), content)
    return dict(described.answer)


def _hosting(told: Told) -> dict[str, Any]:
    from enclos.app.hosting import verify_hosting

    return verify_hosting(told.enclosure, report=told.report)


def _conformity(told: Told) -> dict[str, Any]:
    from enclos.app.conformity.assessing import assess

    frameworks = list(told.given.get("frameworks", ()))
    return assess(told.enclosure, frameworks=frameworks, keep=told.keep, report=told.report)


def _ledger_verify(told: Told) -> dict[str, Any]:
    from enclos.app.ledger import verify

    told.report("ledger", 0.0)
    return verify(told.enclosure.paths.root, key=str(told.given.get("key", "")))


def _ledger_review(told: Told) -> dict[str, Any]:
    from enclos.app.monthly import review_month

    told.report("ledger", 0.0)
    return review_month(told.enclosure, told.given.get("month"), keep=told.keep)


_RESEARCHERS, _STEWARDS = (Role.RESEARCHER,), (Role.STEWARD,)
WORKS: Mapping[str, Work] = {
    "study": Work(_RESEARCHERS, True, _study),
    "rerun": Work(_RESEARCHERS, True, _rerun),
    "cohort": Work(_RESEARCHERS, True, _cohort),
    "dictionary": Work(_RESEARCHERS, True, _dictionary),
    "sql-keep": Work(_RESEARCHERS, True, _sql_keep),
    "table": Work(_RESEARCHERS, True, _table),
    "permit-open": Work((Role.ACCESS_BODY,), False, _permit_open),
    "ingest": Work(_STEWARDS, False, _ingest),
    "link": Work(_STEWARDS, False, _link),
    "build": Work(_STEWARDS, False, _build),
    "quality": Work(_STEWARDS, False, _quality),
    "profile": Work(_STEWARDS, False, _profile),
    "hosting-verify": Work(_STEWARDS, False, _hosting),
    "catalogue": Work(_STEWARDS, False, _catalogue),
    "conformity": Work((Role.STEWARD, Role.AUDITOR), False, _conformity),
    "ledger-verify": Work((Role.AUDITOR,), False, _ledger_verify),
    "ledger-review": Work((Role.AUDITOR, Role.ACCESS_BODY), False, _ledger_review),
}
