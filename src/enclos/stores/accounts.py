"""The sealed book of local accounts, and passwords as Argon2id hashes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.keys import SecretKey
from enclos.signin.model import Account, Book, Failures, Place, Role, SignIn
from enclos.signin.ports import Page
from enclos.stores import used_passwords
from enclos.stores.files import lock_in_turn, storage_border, write_atomically
from enclos.stores.sealed import seal, unseal

CONTEXT = "enclos accounts"
_WHAT = "the accounts"


class SealedBooks:
    """The book in one sealed file that its owner alone reads (0600).

    Refuses: STORAGE_BROKEN when it is altered, STORAGE_FULL; ENCLOSURE_BUSY when others hold it for long.
    """

    def __init__(self, path: Path, key: SecretKey) -> None:
        self._path = path
        self._key = key

    def __repr__(self) -> str:
        return "SealedBooks()"

    def read(self) -> Book:
        """The book as it stands; an empty one when there is none."""
        with storage_border(_WHAT):
            try:
                sealed = self._path.read_bytes()
            except FileNotFoundError:
                return Book()
        return _book(json.loads(unseal(self._key, sealed, CONTEXT)))

    @contextmanager
    def changing(self) -> Iterator[Page]:
        """The book, alone; what the page holds at the end is kept, unless a refusal passes through."""
        with lock_in_turn(lock_of(self._path)):
            page = Page(self.read())
            before = page.book
            yield page
            if page.book is not before:
                self.write(page.book)

    def write(self, book: Book) -> None:
        """Put a book in the place of the one before; the caller holds it alone."""
        write_atomically(self._path, seal(self._key, canonical_bytes(_document(book)), CONTEXT), _WHAT)


def lock_of(path: Path) -> Path:
    """What is held by who changes the book."""
    return path.with_name(".lock")


class Argon2Passwords:
    """Passwords as Argon2id hashes. Source: RFC 9106 § 4, second choice of parameters: 64 MiB, three passes."""

    _turns = BoundedSemaphore(2)
    """So that many who try at once take no more memory than two, 128 MiB."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)
        self._nobody: str | None = None

    def kept(self, password: str) -> str:
        """The hash to keep, with a salt of its own."""
        with self._turns:
            return self._hasher.hash(password)

    def is_right(self, password: str, kept: str | None) -> bool:
        """Whether the password is the kept one; takes as long when nothing is kept, and is then false."""
        if kept is None:
            self._nobody = self._nobody or self.kept("")
        try:
            with self._turns:
                return self._hasher.verify(kept or str(self._nobody), password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False

    def is_used(self, password: str) -> bool:
        """Whether it is on the list of those that many have used."""
        return used_passwords.is_used(password)


def _document(book: Book) -> dict[str, Any]:
    return {
        "accounts": {
            each.id: {
                "name": each.name,
                "roles": sorted(role.value for role in each.roles),
                "password": each.password,
                "totp": base64.b64encode(each.totp).decode("ascii"),
                "last_step": each.last_step,
                "tokens_after": each.tokens_after.isoformat(),
                "first_until": each.first_until.isoformat() if each.first_until else None,
            }
            for each in book.accounts.values()
        },
        "failures": {name: [each.n, each.last_at.isoformat()] for name, each in book.failures.items()},
        "withdrawn": {token: until.isoformat() for token, until in book.withdrawn.items()},
        "signed_out": {subject: at.isoformat() for subject, at in book.signed_out.items()},
        "places": {digest: [each.account, each.until.isoformat()] for digest, each in book.places.items()},
        "sign_ins": {
            token: [each.subject, each.at.isoformat(), each.until.isoformat(), each.via]
            for token, each in book.sign_ins.items()
        },
        "bound": dict(book.bound),
        "left": {digest: at.isoformat() for digest, at in book.left.items()},
    }


def _book(document: dict[str, Any]) -> Book:
    """The book; one that an older version wrote lacks what that did not know."""
    return Book(
        {
            account_id: Account(
                account_id,
                each["name"],
                frozenset(Role(role) for role in each["roles"]),
                each["password"],
                base64.b64decode(each["totp"]),
                each["last_step"],
                datetime.fromisoformat(each["tokens_after"]),
                datetime.fromisoformat(each["first_until"]) if each.get("first_until") else None,
            )
            for account_id, each in document["accounts"].items()
        },
        {name: Failures(n, datetime.fromisoformat(at)) for name, (n, at) in document["failures"].items()},
        {token: datetime.fromisoformat(until) for token, until in document["withdrawn"].items()},
        {subject: datetime.fromisoformat(at) for subject, at in document["signed_out"].items()},
        {
            digest: Place(account, datetime.fromisoformat(until))
            for digest, (account, until) in document.get("places", {}).items()
        },
        {
            token: SignIn(subject, datetime.fromisoformat(at), datetime.fromisoformat(until), via)
            for token, (subject, at, until, via) in document.get("sign_ins", {}).items()
        },
        document.get("bound", {}),
        {digest: datetime.fromisoformat(at) for digest, at in document.get("left", {}).items()},
    )
