"""The inventory of cryptography in docs/keys.md: complete, and of nothing that is not there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from enclos.lexicon.keys import KeyRole

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "enclos"
KEYS = (ROOT / "docs" / "keys.md").read_text(encoding="utf-8")
LIBRARIES = {"cryptography", "hmac", "ssl", "joserfc", "argon2", "pkcs11"}
EXCEPTIONS = {"cryptography.exceptions"}
"""Names of what goes wrong: whoever catches them calls a place of the inventory."""
HASHES = {"blake2b", "blake2s", "sha1", "md5", "sha512", "pbkdf2_hmac", "scrypt"}


def uses(tree: ast.AST) -> set[str]:
    """The libraries, and hash functions other than SHA-256, that a file asks for."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module not in EXCEPTIONS:
            found |= {node.module.partition(".")[0]} | {each.name for each in node.names} & HASHES
        elif isinstance(node, ast.Attribute) and node.attr in HASHES:
            found.add(node.attr)
    return found & (LIBRARIES | HASHES)


def test_every_place_that_uses_cryptography_is_in_the_inventory() -> None:
    missing = {
        place: found
        for path in sorted(SOURCE.rglob("*.py"))
        if (found := uses(ast.parse(path.read_text(encoding="utf-8"))))
        and f"`{(place := path.relative_to(SOURCE).as_posix())}`" not in KEYS
    }
    assert missing == {}


def test_every_place_and_key_that_the_inventory_names_is_there() -> None:
    inventory = KEYS[KEYS.index("## Inventory of cryptography") : KEYS.index("## Use in the ledger")]
    named = set(re.findall(r"`([a-z_]+/[a-z_/]+(?:\.py)?)`", inventory))
    assert len(named) > 30
    assert {each for each in named if not (SOURCE / each).exists()} == set()
    assert {role.value for role in KeyRole} == set(re.findall(r"^\| `([a-z-]+)` \|", KEYS, re.MULTILINE))


def test_every_certificate_that_a_command_takes_is_in_the_inventory() -> None:
    commands = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    taken = {
        command.split()[1]
        for command, text in re.findall(r"^## `(enclos [^`]+)`\n(.*?)(?=^## |\Z)", commands, re.MULTILINE | re.DOTALL)
        if re.search(r"`--[a-z-]+ PEM`", text)
    }
    assert taken == {"serve", "gateway"}
    assert "`enclos serve --certificate PEM --key PEM`" in KEYS
    assert "`enclos gateway --tls-cert PEM --tls-key PEM`" in KEYS
