"""What an enclosure's folder holds beside lake, catalog, keys and ledger: each file with how it is sealed, and by what.

Rotation, move, backup and restore read this one list, so that a kind of file that is added is added here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from enclos.app.paths import EnclosurePaths
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.stores.accounts import CONTEXT as ACCOUNTS_CONTEXT
from enclos.stores.application_files import application_context
from enclos.stores.crossing import UNITS_CONTEXT, UNITS_FILE
from enclos.stores.judged_files import judged_context
from enclos.stores.keys import KeyStore
from enclos.stores.objection_files import CONTEXT as OBJECTIONS_CONTEXT
from enclos.stores.passwords import CONTEXT as PASSWORDS_CONTEXT
from enclos.stores.perimeter_file import PERIMETER_CONTEXT, PERIMETER_FILE
from enclos.stores.reidentification_files import context_of

_VAULT, _CROSSING, _DESK = KeyName(KeyRole.VAULT), KeyName(KeyRole.CROSSING), KeyName(KeyRole.DESK)
_ACCOUNTS = KeyName(KeyRole.ACCOUNTS)
_OBJECTIONS = KeyName(KeyRole.OBJECTIONS)
_OF_PERMITS = ("runs/*/*.sealed", "sql/*.sealed", "cohorts/*.sealed", "released/*.sealed", "jobs/*.sealed")


class Form(Enum):
    """How a file is sealed."""

    PLAIN = "plain"
    """Not at all: it is signed or public."""
    SEALED = "sealed"
    """As a whole, bound to its context."""
    ROWS = "rows"
    """As encrypted Parquet."""
    DATABASE = "database"
    """As an encrypted DuckDB file."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of an enclosure: its place in the folder, its form, and the keys of which one seals it."""

    path: Path
    form: Form
    keys: Sequence[KeyName] = ()
    context: str = ""
    is_of_the_data: bool = False
    """Whether it belongs to a state of the data, which an older backup may bring back, or to what was decided since."""


def desk_contexts(paths: EnclosurePaths) -> dict[Path, str]:
    """What the desk's key seals, each file with its context."""
    contexts = {
        path: f"release/{path.parent.name}/{path.name.removesuffix('.sealed')}"
        for path in paths.release.glob("*/*.sealed")
    }
    contexts |= {path: context_of(path) for path in paths.reidentifications.glob("*.sealed")}
    contexts |= {path: application_context(path) for path in paths.applications.glob("*.sealed")}
    contexts |= {path: f"jobs/{path.name.removesuffix('.sealed')}" for path in paths.jobs.rglob("*.sealed")}
    return contexts | {path: judged_context(path) for path in paths.judged.glob("*.sealed")}


def permit_contexts(paths: EnclosurePaths, permit: str) -> dict[Path, str]:
    """What a permit's key seals, each file with its context."""
    root = paths.permits / permit
    found = (path for pattern in _OF_PERMITS for path in root.glob(pattern) if not path.parent.name.startswith("."))
    contexts = {path: f"{path.parent.name}/{path.name.removesuffix('.sealed')}" for path in found}
    return contexts | dict.fromkeys(root.glob(PERIMETER_FILE), PERIMETER_CONTEXT)


def accounts_contexts(paths: EnclosurePaths) -> dict[Path, str]:
    """What the accounts' key seals, each file with its context."""
    sealed = {paths.accounts: ACCOUNTS_CONTEXT, paths.passwords: PASSWORDS_CONTEXT}
    return {path: context for path, context in sealed.items() if path.exists()}


def units_contexts(paths: EnclosurePaths) -> dict[Path, str]:
    """The sealed list of what crossed."""
    return dict.fromkeys(paths.crossing.glob(UNITS_FILE), UNITS_CONTEXT)


def parts_of(paths: EnclosurePaths, keys: KeyStore) -> Iterator[Part]:
    """Every file that counts, in no order; of a permit whose key is destroyed only the signed versions.

    Empty: what is not listed here is of no use elsewhere: locks, spill files, what a killed process left.
    """
    yield from _of_the_vault(paths, keys)
    for path in _visible(paths.crossing.rglob("*.parquet"), paths.root):
        yield Part(path, Form.ROWS, (_CROSSING,), is_of_the_data=True)
    for path, context in units_contexts(paths).items():
        yield Part(path, Form.SEALED, (_CROSSING,), context, is_of_the_data=True)
    for path, context in desk_contexts(paths).items():
        yield Part(path, Form.SEALED, (_DESK,), context)
    for path, context in accounts_contexts(paths).items():
        yield Part(path, Form.SEALED, (_ACCOUNTS,), context)
    if paths.objections.exists():
        yield Part(paths.objections, Form.SEALED, (_OBJECTIONS,), OBJECTIONS_CONTEXT)
    for name in _living(keys, KeyRole.PERMIT):
        for path, context in permit_contexts(paths, name.subject).items():
            yield Part(path, Form.SEALED, (name,), context, is_of_the_data=path.name == PERIMETER_FILE)
    yield from _in_clear(paths)


def _of_the_vault(paths: EnclosurePaths, keys: KeyStore) -> Iterator[Part]:
    landed = [_VAULT, *(name for name in _living(keys, KeyRole.VAULT) if name.subject)]
    if paths.vault_database.exists():
        yield Part(paths.vault_database, Form.DATABASE, (_VAULT,), is_of_the_data=True)
    for path in _visible((paths.vault / "landed").rglob("*.parquet"), paths.root):
        yield Part(path, Form.ROWS, landed, is_of_the_data=True)


def _in_clear(paths: EnclosurePaths) -> Iterator[Part]:
    """What is signed, public, or said of the enclosure by its owner."""
    found = [*paths.permits.glob("*/*.json"), *paths.certificates.glob("*.json"), *paths.published.rglob("*")]
    found += paths.conformity.rglob("*")
    found += [path for path in (paths.about, paths.scope) if path.exists()]
    for path in _visible(found, paths.root):
        if path.is_file():
            yield Part(path, Form.PLAIN)


def _living(keys: KeyStore, role: KeyRole) -> list[KeyName]:
    return [entry.name.of_generation(0) for entry in keys.entries() if entry.is_current and entry.name.role is role]


def _visible(found: Iterator[Path] | Sequence[Path], root: Path) -> Iterator[Path]:
    """Without what is being written, which begins with a dot."""
    return (path for path in found if not any(part.startswith(".") for part in path.relative_to(root).parts))
