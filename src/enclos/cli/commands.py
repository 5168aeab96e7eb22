"""The commands of design § 6, each a thin call of ``enclos.app``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from enclos.cli.console import progress_bars, show

application = typer.Typer(
    name="enclos",
    help="A secure processing environment for national health data.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
delivery_commands = typer.Typer(help="Deliveries: declare what a folder holds.", no_args_is_help=True)
permit_commands = typer.Typer(help="Permits: draft, sign, show, open, amend, renew, revoke.", no_args_is_help=True)
release_commands = typer.Typer(
    help="Release: results leave when every check and two people say so.", no_args_is_help=True
)
ledger_commands = typer.Typer(help="Ledger: verify it, look into it, witness it.", no_args_is_help=True)
application.add_typer(delivery_commands, name="delivery")
application.add_typer(permit_commands, name="permit")
application.add_typer(release_commands, name="release")
application.add_typer(ledger_commands, name="ledger")

Dir = Annotated[Path, typer.Argument(metavar="DIR", help="The enclosure's folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
User = Annotated[str, typer.Option("--user", metavar="U", help="Who asks: the id that the permit names.")]
PermitId = Annotated[str, typer.Option("--permit", metavar="P", help="The permit's id.")]


def _passphrase(*, confirm: bool = False) -> str:
    """The key store's passphrase from ENCLOS_PASSPHRASE, or from a prompt on a terminal."""
    given = os.environ.get("ENCLOS_PASSPHRASE")
    if given:
        return given
    if not sys.stdin.isatty():
        raise typer.BadParameter("set ENCLOS_PASSPHRASE: there is no terminal to ask on")
    asked: str = typer.prompt("Passphrase of the key store", hide_input=True, confirmation_prompt=confirm, err=True)
    return asked


@application.command()
def demo(
    persons: Annotated[int, typer.Option("--persons", min=500, help="Persons of the synthetic France.")] = 20_000,
    directory: Annotated[Path, typer.Option("--dir", help="Where the demo lives; a second run begins anew.")] = Path(
        "demo"
    ),
    seed: Annotated[int, typer.Option("--seed")] = 7,
    *,
    as_json: Json = False,
) -> None:
    """The whole story on a synthetic France, and a report with figures.

    Example: enclos demo --persons 20000 --dir demo
    """
    from enclos.app.demo import run_demo

    with progress_bars() as report:
        show(run_demo(directory, n_persons=persons, seed=seed, report=report), as_json=as_json)


@application.command()
def synth(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to make.")],
    persons: Annotated[int, typer.Option("--persons", min=100)],
    years: Annotated[str, typer.Option("--years", metavar="2019-2023")] = "2019-2023",
    seed: Annotated[int, typer.Option("--seed")] = 1,
    *,
    traps: Annotated[bool, typer.Option("--traps/--no-traps", help="Inject what breaks ETLs.")] = True,
    as_json: Json = False,
) -> None:
    """A synthetic France: deliveries in the official layouts, and the truth.

    Example: enclos synth france --persons 20000 --years 2019-2023 --seed 7
    """
    from enclos.synthetic import make_france

    with progress_bars() as report:
        result = make_france(out, persons, _years(years), seed, traps=traps, progress=report)
    show(result, as_json=as_json)


def _years(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    try:
        span = int(first), int(last or first)
    except ValueError:
        raise typer.BadParameter("years are written 2019-2023") from None
    if not 2009 <= span[0] <= span[1] <= 2099:
        raise typer.BadParameter("years are written 2019-2023, from 2009 on")
    return span


@application.command()
def init(
    directory: Dir,
    buckets: Annotated[int, typer.Option("--buckets", min=1, max=4096, help="Partitions by person.")] = 16,
    min_count_floor: Annotated[
        int, typer.Option("--min-count-floor", min=1, help="No permit may release fewer persons in a cell.")
    ] = 11,
    name: Annotated[str, typer.Option("--name", help="Name of the data source in results.")] = "",
    *,
    as_json: Json = False,
) -> None:
    """Make an empty enclosure with its keys and its ledger.

    Example: ENCLOS_PASSPHRASE=… enclos init france
    """
    from enclos.app.enclosure import create_enclosure

    result = create_enclosure(
        directory,
        passphrase=_passphrase(confirm=True),
        buckets=buckets,
        min_count_floor=min_count_floor,
        name=name or directory.resolve().name,
    )
    show(result, as_json=as_json)


@delivery_commands.command("make")
def delivery_make(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that holds the files.")],
    kind: Annotated[
        str, typer.Option("--kind", metavar="K", help="snds-dcir, snds-pmsi, snds-ref, fhir-bulk, omop, …")
    ],
    source: Annotated[str, typer.Option("--source", metavar="S", help="The sender's id.")],
    *,
    as_json: Json = False,
) -> None:
    """Write delivery.json beside files that have none.

    Example: enclos delivery make gibleed --kind omop --source gibleed
    """
    from enclos.app.deliveries import make_delivery

    show(make_delivery(folder, kind=kind, source=source), as_json=as_json)


@application.command()
def ingest(
    directory: Dir,
    deliveries: Annotated[list[Path], typer.Argument(metavar="DELIVERY…", help="Folders with a delivery.json.")],
    *,
    as_json: Json = False,
) -> None:
    """Verify deliveries and land them unchanged and encrypted; rejects are kept with their reasons.

    Example: enclos ingest france deliveries/*
    """
    from enclos.app.deliveries import ingest_deliveries
    from enclos.app.enclosure import open_enclosure

    with open_enclosure(directory, _passphrase()) as enclosure, progress_bars() as report:
        show(ingest_deliveries(enclosure, deliveries, report=report), as_json=as_json)


@application.command()
def link(
    directory: Dir,
    truth: Annotated[Path | None, typer.Option("--truth", metavar="DIR", help="truth/ of a synthetic France.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Decide which records belong to one person; temporary ids are destroyed afterwards.

    Example: enclos link france --truth france-data/truth
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.persons import link_persons

    with open_enclosure(directory, _passphrase()) as enclosure, progress_bars() as report:
        show(link_persons(enclosure, truth=truth, report=report), as_json=as_json)


@application.command()
def build(
    directory: Dir,
    *,
    account: Annotated[bool, typer.Option("--account", help="What became of every delivered row.")] = False,
    as_json: Json = False,
) -> None:
    """Make a new OMOP snapshot of everything that landed.

    Example: enclos build france --account
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.snapshots import build_omop

    with open_enclosure(directory, _passphrase()) as enclosure, progress_bars() as report:
        show(build_omop(enclosure, account=account, report=report), as_json=as_json)


@application.command()
def snapshots(directory: Dir, *, as_json: Json = False) -> None:
    """List the OMOP snapshots of an enclosure.

    Example: enclos snapshots france
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.snapshots import list_snapshots

    with open_enclosure(directory, _passphrase()) as enclosure:
        show(list_snapshots(enclosure), as_json=as_json)


@application.command()
def quality(
    directory: Dir,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write DataQualityDashboard's results JSON there.")
    ] = None,
    snapshot: Annotated[int | None, typer.Option("--snapshot", help="The newest when not given.")] = None,
    against: Annotated[int | None, typer.Option("--against", help="Tell what moved since this snapshot.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Judge a snapshot by the published checks and the French figures.

    Example: enclos quality france --out quality.json
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.quality import judge_quality

    with open_enclosure(directory, _passphrase()) as enclosure, progress_bars() as report:
        result = judge_quality(enclosure, snapshot=snapshot, against=against, out=out, report=report)
    show(result, as_json=as_json)


@permit_commands.command("draft")
def permit_draft(
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write there instead of printing.")
    ] = None,
) -> None:
    """A permit to fill in.

    Example: enclos permit draft -o permit.yaml
    """
    from enclos.app.permits import draft

    text = draft()
    if out is None:
        sys.stdout.write(text)
    else:
        if out.exists():
            raise typer.BadParameter(f"{out.name} exists already; name another file")
        out.write_text(text, encoding="utf-8")


@permit_commands.command("sign")
def permit_sign(
    directory: Dir, file: Annotated[Path, typer.Argument(metavar="FILE")], *, as_json: Json = False
) -> None:
    """Sign a permit as the access body.

    Example: enclos permit sign france permit.yaml
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.permits import sign

    with open_enclosure(directory, _passphrase()) as enclosure:
        show(sign(enclosure, _text_of(file)), as_json=as_json)


@permit_commands.command("amend")
def permit_amend(
    directory: Dir,
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    reason: Annotated[str, typer.Option("--reason")],
    *,
    as_json: Json = False,
) -> None:
    """Replace a permit by a new version.

    Example: enclos permit amend france permit.yaml --reason "one more user"
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.permits import amend

    with open_enclosure(directory, _passphrase()) as enclosure:
        show(amend(enclosure, _text_of(file), reason=reason), as_json=as_json)


@permit_commands.command("renew")
def permit_renew(
    directory: Dir,
    permit: Annotated[str, typer.Argument(metavar="PERMIT")],
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="The new end, YYYY-MM-DD (UTC).")],
    reason: Annotated[str, typer.Option("--reason")],
    *,
    as_json: Json = False,
) -> None:
    """Prolong a permit within the limits of its legal basis.

    Example: enclos permit renew france FR-2026-0042 --until 2030-11-01 --reason "follow-up"
    """
    from datetime import UTC, datetime

    from enclos.app.enclosure import open_enclosure
    from enclos.app.permits import renew

    try:
        end = datetime.fromisoformat(until)
    except ValueError:
        raise typer.BadParameter("--until is a date, YYYY-MM-DD") from None
    with open_enclosure(directory, _passphrase()) as enclosure:
        show(
            renew(enclosure, permit, until=end if end.tzinfo else end.replace(tzinfo=UTC), reason=reason),
            as_json=as_json,
        )


@permit_commands.command("revoke")
def permit_revoke(
    directory: Dir,
    permit: Annotated[str, typer.Argument(metavar="PERMIT")],
    reason: Annotated[str, typer.Option("--reason")],
    *,
    as_json: Json = False,
) -> None:
    """End a permit now.

    Example: enclos permit revoke france FR-2026-0042 --reason "holder asked"
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.permits import revoke

    with open_enclosure(directory, _passphrase()) as enclosure:
        show(revoke(enclosure, permit, reason=reason), as_json=as_json)


@permit_commands.command("list")
def permit_list(directory: Dir, *, as_json: Json = False) -> None:
    """All permits with their state.

    Example: enclos permit list france
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.permits import list_all

    with open_enclosure(directory, _passphrase()) as enclosure:
        show(list_all(enclosure), as_json=as_json)


@permit_commands.command("show")
def permit_show(
    directory: Dir, permit: Annotated[str, typer.Argument(metavar="PERMIT")], *, as_json: Json = False
) -> None:
    """One permit, its versions and its state.

    Example: enclos permit show france FR-2026-0042
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.permits import show_one

    with open_enclosure(directory, _passphrase()) as enclosure:
        show(show_one(enclosure, permit), as_json=as_json)


@permit_commands.command("open")
def permit_open(
    directory: Dir, permit: Annotated[str, typer.Argument(metavar="PERMIT")], *, as_json: Json = False
) -> None:
    """Write the permit's perimeter; no health row is copied.

    Example: enclos permit open france FR-2026-0042
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.permits import open_one

    with open_enclosure(directory, _passphrase()) as enclosure:
        show(open_one(enclosure, permit), as_json=as_json)


@application.command()
def study(
    directory: Dir,
    file: Annotated[Path, typer.Argument(metavar="STUDY.yaml")],
    permit: PermitId,
    user: User,
    *,
    as_json: Json = False,
) -> None:
    """Run a study on a permit's view; its results stay inside until released.

    Example: enclos study france study.yaml --permit FR-2026-0042 --user alice@example.org
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.studies import run

    with open_enclosure(directory, _passphrase()) as enclosure, progress_bars() as report:
        show(run(enclosure, permit=permit, user=user, text=_text_of(file), report=report), as_json=as_json)


@release_commands.command("request")
def release_request(
    directory: Dir,
    permit: PermitId,
    user: User,
    run: Annotated[str, typer.Option("--run", metavar="RUN")],
    purpose: Annotated[str, typer.Option("--purpose", metavar="TEXT")],
    *,
    as_json: Json = False,
) -> None:
    """Ask for a result to leave; the machine answers at once.

    Example: enclos release request france --permit FR-2026-0042 --user alice@example.org --run RUN --purpose "paper"
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.releases import request

    with open_enclosure(directory, _passphrase()) as enclosure:
        show(request(enclosure, permit=permit, user=user, run=run, purpose=purpose), as_json=as_json)


@release_commands.command("check")
def release_check(
    directory: Dir, request: Annotated[str, typer.Argument(metavar="REQUEST")], *, as_json: Json = False
) -> None:
    """The machine's evidence on a request.

    Example: enclos release check france REQUEST
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.releases import evidence

    with open_enclosure(directory, _passphrase()) as enclosure:
        show(evidence(enclosure, request), as_json=as_json)


@release_commands.command("show")
def release_show(
    directory: Dir, request: Annotated[str, typer.Argument(metavar="REQUEST")], *, as_json: Json = False
) -> None:
    """One request with its state and votes.

    Example: enclos release show france REQUEST
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.releases import show_one

    with open_enclosure(directory, _passphrase()) as enclosure:
        show(show_one(enclosure, request), as_json=as_json)


@release_commands.command("review")
def release_review(
    directory: Dir,
    request: Annotated[str, typer.Argument(metavar="REQUEST")],
    user: User,
    accept: Annotated[bool, typer.Option("--accept/--refuse")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT")],
    *,
    as_json: Json = False,
) -> None:
    """Vote on a request; two different persons, neither of the project, must accept.

    Example: enclos release review france REQUEST --user carol@example.org --accept --reason "counts and context fit"
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.releases import review

    with open_enclosure(directory, _passphrase()) as enclosure:
        show(review(enclosure, request, user=user, accept=accept, reason=reason), as_json=as_json)


@release_commands.command("export")
def release_export(
    directory: Dir,
    request: Annotated[str, typer.Argument(metavar="REQUEST")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A folder, or a file ending in .zip.")],
    *,
    as_json: Json = False,
) -> None:
    """Write the accepted result as a signed RO-Crate.

    Example: enclos release export france REQUEST package.zip
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.releases import export

    with open_enclosure(directory, _passphrase()) as enclosure:
        show(export(enclosure, request, out), as_json=as_json)


@release_commands.command("list")
def release_list(directory: Dir, *, as_json: Json = False) -> None:
    """All requests with their states.

    Example: enclos release list france
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.releases import list_all

    with open_enclosure(directory, _passphrase()) as enclosure:
        show(list_all(enclosure), as_json=as_json)


@release_commands.command("verify")
def release_verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A package: folder or .zip.")],
    key: Annotated[
        str, typer.Option("--key", metavar="HEX", help="The release key that you trust (64 hex digits).")
    ] = "",
    *,
    as_json: Json = False,
) -> None:
    """Check a package with nothing but its files and a public key.

    Example: enclos release verify package.zip --key 3f2a…
    """
    from enclos.app.releases import verify

    show(verify(file, key), as_json=as_json)


@ledger_commands.command("verify")
def ledger_verify(
    directory: Dir,
    key: Annotated[str, typer.Option("--key", metavar="VKEY", help="The verifying key that you trust, one line.")] = "",
    witness: Annotated[Path | None, typer.Option("--witness", metavar="DIR", help="A witness's memory.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Prove that nothing in the ledger was altered, lost or reordered; needs no passphrase.

    Example: enclos ledger verify france --witness /media/witness
    """
    from enclos.app.ledger import verify

    show(verify(directory, key=key, witnessed=witness), as_json=as_json)


@ledger_commands.command("show")
def ledger_show(
    directory: Dir,
    last: Annotated[int, typer.Option("--last", min=1, help="How many entries.")] = 20,
    *,
    as_json: Json = False,
) -> None:
    """The last entries of the ledger.

    Example: enclos ledger show france --last 50
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.ledger import show_last

    with open_enclosure(directory, _passphrase()) as enclosure:
        show(show_last(enclosure, last), as_json=as_json)


@ledger_commands.command("witness")
def ledger_witness(
    directory: Dir,
    state: Annotated[Path, typer.Option("--state", metavar="DIR", help="The witness's own memory, elsewhere.")],
    key: Annotated[str, typer.Option("--key", metavar="VKEY", help="The verifying key that you trust, one line.")] = "",
    *,
    as_json: Json = False,
) -> None:
    """Remember the checkpoint, and refuse a ledger that does not contain the one remembered.

    Example: enclos ledger witness france --state /media/witness
    """
    from enclos.app.ledger import witness

    show(witness(directory, state, key=key), as_json=as_json)


def _text_of(file: Path) -> str:
    """The text of a file that a person named."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise typer.BadParameter(f"{file.name} cannot be read as UTF-8 text") from None
