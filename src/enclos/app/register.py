"""The public register: every permit and every release, each with the proof that it stands in the ledger."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from enclos.app.catalogue import describe_holdings
from enclos.app.enclosure import Enclosure
from enclos.app.pages.register import index_page, register_page
from enclos.app.pages.statements import Desks, statement_pages
from enclos.app.pages.words import Language
from enclos.app.permits import all_versions
from enclos.app.proofs import entries_with_proofs, proved_entries
from enclos.ledger.model import Action, Entry, Outcome
from enclos.ledger.rules.acts import Act, acts_of
from enclos.ledger.rules.notes import verifying_key
from enclos.ledger.steps import Ledger
from enclos.lexicon.canonical import canonical_bytes, sha256_hex
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.permits.document import json_from_permit
from enclos.permits.document.fields import text_from_instant
from enclos.permits.model import SignedPermit, State
from enclos.permits.rules.access import ended_at, results_by
from enclos.permits.rules.life import state_at
from enclos.stores.files import fill_folder, is_free_or, remove_tree, replaced_folder, storage_border
from enclos.stores.ledger_files import LedgerFiles

CONTENT, PROOFS, LEDGER, CATALOGUE = "register.json", "proofs.json", "ledger", "catalogue"
_SIGNINGS = frozenset({Action.PERMIT_SIGN, Action.PERMIT_AMEND, Action.PERMIT_RENEW, Action.PERMIT_REVOKE})
_USES = frozenset({Action.STUDY, Action.SQL, Action.COHORT})
TOLD = _SIGNINGS | {Action.PERMIT_OPEN, Action.STUDY, Action.RELEASE_EXPORT}
"""What a register says more than the number of, when it was done. Of a request it says how long its export took, once
there is one."""
_READ = TOLD | _USES | {Action.RELEASE_REQUEST}
_SECONDS_A_DAY = 86_400
_LETTERS_OF_DAY = 10
"""Of an instant, ``2026-11-29T…``."""


def export_register(
    enclosure: Enclosure, out: Path, *, catalogue: bool = False, about: Path | None = None
) -> dict[str, Any]:
    """Write the public register as static files, and into the ledger what it says.

    In:  catalogue — put the description of the holdings into ``catalogue/`` and link it (its address is that place);
         about — the document for it, when it is not the enclosure's
    Out: the folder: ``index.html``, ``en.html``, ``fr.html`` (no request, one script that checks the proofs in the
        reader's browser); ``opt-out-….html``, how to say no, and ``accessibility-….html``; ``register.json``, what the
        register says, whose digest is in the ledger; ``proofs.json``; ``ledger/``, the published ledger, by which
        anyone can see that nothing was left out.
    Never: names a person; tells what was refused.
    Refuses: REGISTER_PLACE when the place holds something that is no register; what a description is refused for.
    Source: Regulation (EU) 2025/327, Art. 57(1)(j), 61(4).
    """
    _check_place(out)
    return _export(enclosure, out, ActsRead(enclosure.ledger), catalogue=catalogue, about=about)


def _export(enclosure: Enclosure, out: Path, read: ActsRead, *, catalogue: bool, about: Path | None) -> dict[str, Any]:
    described = describe_holdings(enclosure, about) if catalogue else None
    now = enclosure.ledger.now()
    ticket = enclosure.ledger.intent(Action.REGISTER, enclosure.operator)
    with ticket:
        content = _content(enclosure, read.acts(), now)
        content["catalogue"] = None if described is None else described.digest
        text = canonical_bytes(content)
        ticket.facts.update({"content": sha256_hex(text), "n_permits": len(content["permits"])})
    own = next(index for index, entry in enclosure.ledger.entries(ticket.index) if entry.intent == ticket.index)
    proofs = entries_with_proofs(enclosure, [ticket.index, own, *entries_named(content)], read.entries)
    files = {CONTENT: text, PROOFS: json.dumps(proofs, indent=1).encode(), "index.html": index_page().encode()}
    for language in Language:
        files[f"{language.value}.html"] = register_page(content, text, proofs, language).encode("utf-8")
    files |= {name: page.encode("utf-8") for name, page in statement_pages(content, desks_of(enclosure)).items()}
    if described is not None:
        files |= {f"{CATALOGUE}/{name}": text for name, text in described.files.items()}
    _put(out, files, enclosure.paths.ledger)
    return {
        "out": str(out),
        "n_permits": len(content["permits"]),
        "n_releases": sum(len(permit["releases"]) for permit in content["permits"]),
        "entries": [ticket.index, own],
        "content": sha256_hex(text),
    }


def renew_register(enclosure: Enclosure, place: Path, *, catalogue: bool = False, about: Path | None = None) -> bool:
    """Write the register anew below a folder, if it is a day old or would say something else; uses alone wait a day.

    Of the ledger only what came since the last register is read, unless something is among it that a register tells:
    then it is read once.
    In:  place — the folder whose ``current`` leads to the newest register
    Out: whether it was written; the one before stays for who is reading it.
    Refuses: as export_register; ``current`` stays what it was.
    """
    current = place / "current"
    with storage_border("the register"):
        before = current.resolve()
        told = json.loads((before / CONTENT).read_bytes()) if current.exists() else None
        for leftover in place.resolve().glob("register-*"):
            if leftover != before:
                remove_tree(leftover)
    read = ActsRead(enclosure.ledger)
    if told is not None:
        if (told["catalogue"] is not None) == catalogue and not _is_news(enclosure, told, before / PROOFS):
            return False
        content = _content(enclosure, read.acts(), enclosure.ledger.now())
        if _lasting(content) == _lasting(told) and catalogue == (told["catalogue"] is not None):
            return False
    name = f"register-{secrets.token_hex(8)}"
    _export(enclosure, place / name, read, catalogue=catalogue, about=about)
    with storage_border("the register"):
        link = place / ".current"
        link.unlink(missing_ok=True)
        link.symlink_to(name)
        link.replace(current)
    return True


def desks_of(enclosure: Enclosure) -> Desks:
    """Whom the public turns to, as the settings name them."""
    chosen = enclosure.settings.public
    return Desks(chosen.contact, [(source, desk.who, desk.where) for source, desk in sorted(chosen.desks.items())])


def _is_news(enclosure: Enclosure, told: Mapping[str, Any], proofs: Path) -> bool:
    """Whether something happened since a register was made that it may tell; a permit's end is such a thing.

    In: told — what it said; proofs — its file of them, of which the first is of the intent to make it
    """
    ledger = enclosure.ledger
    now = text_from_instant(ledger.now())
    if (
        now[:_LETTERS_OF_DAY] != told["made_at"][:_LETTERS_OF_DAY]
        or told["enclosure"] != enclosure.settings.enclosure.name
    ):
        return True
    if any(told["made_at"] < permit["valid_until"] <= now for permit in told["permits"]):
        return True
    try:
        document = json.loads(proofs.read_bytes())
        own = {**document, "entries": document["entries"][:1]}
        (began,) = proved_entries(own, verifying_key(ledger.origin, ledger.public_key))
    except (
        Refusal,
        OSError,
        ValueError,
        KeyError,
        TypeError,
    ):  # altered, or of a key that is in use no more
        return True
    have_results = {permit["permit"] for permit in told["permits"] if permit["days"]["sign_to_result"] is not None}
    done = (entry for _, entry in ledger.entries(began) if entry.outcome is Outcome.DONE and entry.action in TOLD)
    return any(entry.action is not Action.STUDY or entry.permit not in have_results for entry in done)


def _lasting(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a register says, without what changes by every use; of when it was made, the day."""
    permits = [{**permit, "n_uses": None} for permit in content["permits"]]
    return {**content, "permits": permits, "made_at": content["made_at"][:_LETTERS_OF_DAY], "catalogue": None}


def _content(enclosure: Enclosure, acts: Sequence[Act], now: datetime) -> dict[str, Any]:
    permits = [permit_row(chain, acts, now) for chain in all_versions(enclosure)]
    return {
        "v": 1,
        "enclosure": enclosure.settings.enclosure.name,
        "ledger": enclosure.ledger.origin,
        "made_at": text_from_instant(now),
        "permits": sorted(permits, key=lambda permit: (permit["valid_from"], permit["permit"]), reverse=True),
        "days": {
            "sign_to_open": _days(permit["days"]["sign_to_open"] for permit in permits),
            "sign_to_result": _days(permit["days"]["sign_to_result"] for permit in permits),
            "request_to_export": _days(one["days"] for permit in permits for one in permit["releases"]),
        },
    }


class ActsRead:
    """What the ledger says of permits and their use: it is read once, and then only what is new.

    In: also — other actions that are asked for
    """

    def __init__(self, ledger: Ledger, also: AbstractSet[Action] = frozenset()) -> None:
        self._ledger = ledger
        self._actions = _READ | also
        self._n_read = 0
        self.entries: dict[int, Entry] = {}
        """The entries that the acts are of, by index: for their proofs."""

    def acts(self) -> list[Act]:
        """What was done until now, in the order in which it ended."""
        for index, entry in self._ledger.entries(self._n_read):
            self._n_read = index + 1
            if entry.action in self._actions:
                self.entries[index] = entry
        return [act for act in acts_of(self.entries.items()) if act.outcome is Outcome.DONE]


def permit_row(chain: Sequence[SignedPermit], acts: Sequence[Act], now: datetime) -> dict[str, Any]:
    """What the public may know of a permit, with the ledger entries that say so.

    In: chain — all its versions, oldest first; acts — what was done
    """
    newest = chain[-1]
    own = [act for act in acts if act.permit == newest.permit.id]
    document = json_from_permit(newest.permit)
    releases = _releases(own)
    has_ended = state_at(newest, now) in {State.REVOKED, State.EXPIRED}
    due = results_by(newest)
    return {
        "permit": newest.permit.id,
        "holder": newest.permit.holder.organisation,
        "purpose": {"article": newest.permit.purpose.article, "text": newest.permit.purpose.text},
        "legal_basis": newest.permit.legal_basis,
        "data": document["data"],
        "access": document["access"],
        "opt_out": document["opt_out"],
        "state": state_at(newest, now).value,
        "valid_from": text_from_instant(chain[0].permit.valid_from),
        "valid_until": text_from_instant(newest.permit.valid_until),
        "ended_at": text_from_instant(ended_at(newest)) if has_ended else None,
        "versions": _versions(chain, own),
        "n_users": len(newest.permit.user_ids),
        "n_uses": sum(act.action in _USES for act in own),
        "releases": releases,
        "results_by": due.isoformat() if has_ended else None,
        "results": "made" if releases else "late" if has_ended and now.date() > due else "due" if has_ended else "open",
        "days": {
            "sign_to_open": _between(own, {Action.PERMIT_SIGN}, {Action.PERMIT_OPEN}),
            "sign_to_result": _between(own, {Action.PERMIT_SIGN}, {Action.STUDY}),
        },
    }


def _versions(chain: Sequence[SignedPermit], own: Sequence[Act]) -> list[dict[str, Any]]:
    signings = {act.facts.get("version"): act for act in own if act.action in _SIGNINGS}
    return [
        {
            "version": signed.version,
            "state": signed.state.value,
            "from": text_from_instant(signed.active_from),
            "digest": signed.digest,
            "entries": entries_of(signings.get(signed.version)),
        }
        for signed in chain
    ]


def _releases(own: Sequence[Act]) -> list[dict[str, Any]]:
    asked, found = dict[Any, Act](), []
    for act in own:
        request = act.facts.get("request")
        if act.action is Action.RELEASE_REQUEST:
            asked[request] = act
        elif act.action is Action.RELEASE_EXPORT:
            days = (act.at - asked[request].at).total_seconds() / _SECONDS_A_DAY if request in asked else None
            found.append(
                {
                    "request": request,
                    "exported_at": text_from_instant(act.at),
                    "days": None if days is None else f"{days:.2f}",
                    "entries": entries_of(act),
                }
            )
    return found


def entries_of(act: Act | None) -> list[int]:
    """The indices of the intent and of its outcome."""
    return [] if act is None else [act.index] if act.ended is None else [act.index, act.ended]


def _between(own: Sequence[Act], first: set[Action], then: set[Action]) -> str | None:
    """Days from the first act of one kind to the first of another after it."""
    begun = min((act.at for act in own if act.action in first), default=None)
    if begun is None:
        return None
    ended = min((act.ended_at or act.at for act in own if act.action in then and act.at >= begun), default=None)
    return None if ended is None else f"{(ended - begun).total_seconds() / _SECONDS_A_DAY:.2f}"


def _days(values: Iterable[str | None]) -> dict[str, Any]:
    known = [float(value) for value in values if value is not None]
    return {"n": len(known), "median": f"{median(known):.2f}" if known else None}


def entries_named(content: Mapping[str, Any]) -> list[int]:
    """The entries that the rows of permits speak of."""
    rows = (one for permit in content["permits"] for one in (*permit["versions"], *permit["releases"]))
    return sorted({entry for row in rows for entry in row["entries"]})


def _check_place(out: Path) -> None:
    with storage_border("the register"):
        is_free = is_free_or(out, CONTENT)
    if not is_free:
        raise refusal(
            Code.REGISTER_PLACE, "The place holds something that is no register.", "Name a new or an empty folder."
        )


def _put(out: Path, files: Mapping[str, bytes], ledger: Path) -> None:
    with replaced_folder(out, "the register") as made:
        fill_folder(made, files)
        with LedgerFiles(ledger).lock():
            shutil.copytree(ledger, made / LEDGER, ignore=shutil.ignore_patterns("private"))
