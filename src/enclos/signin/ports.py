"""What sign-in needs: a place for its book, a keeper of passwords, a signer, and the keys of a provider."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from enclos.signin.model import Book


class Books(Protocol):
    """Where the book is kept."""

    def read(self) -> Book:
        """The book as it stands; an empty one when there is none."""

    def changing(self) -> AbstractContextManager[Page]:
        """The book, alone; what the page holds at the end is kept, whole or not at all."""


class Page:
    """The book in the hands of who changes it."""

    def __init__(self, book: Book) -> None:
        self.book = book


class Passwords(Protocol):
    """Keeps passwords as slow hashes."""

    def kept(self, password: str) -> str:
        """The hash to keep."""

    def is_right(self, password: str, kept: str | None) -> bool:
        """Whether the password is the kept one; takes as long when nothing is kept, and is then false."""

    def is_used(self, password: str) -> bool:
        """Whether it is on the list of those that many have used."""


class Signer(Protocol):
    """One Ed25519 key."""

    def public_key(self) -> bytes:
        """The public key (32 bytes)."""

    def sign(self, message: bytes) -> bytes:
        """The signature of the message (64 bytes)."""


class ProviderKeys(Protocol):
    """The public keys of a provider, as it publishes them."""

    def keys(self, *, anew: bool = False) -> Mapping[str, Any]:
        """The key set (RFC 7517); asked for anew when a token names an unknown key, and not more often than bounded."""
