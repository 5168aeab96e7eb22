"""Where things lie in an enclosure (design § 5)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class EnclosurePaths:
    """The folders and files of one enclosure."""

    root: Path

    @property
    def keys(self) -> Path:
        """The file key store, or the registers of the tokens."""
        return self.root / "keys"

    @property
    def vault(self) -> Path:
        """Landed deliveries, link tables, the person map."""
        return self.root / "vault"

    @property
    def vault_database(self) -> Path:
        """The vault's encrypted database."""
        return self.vault / "vault.duckdb"

    @property
    def translation(self) -> Path:
        """Old and new pseudonyms of a source whose key is being rotated, sealed; gone when all are replaced."""
        return self.vault / "translation.sealed"

    @property
    def crossing(self) -> Path:
        """The pseudonymised tables between the wings."""
        return self.root / "crossing"

    @property
    def lake(self) -> Path:
        """Ciphertext Parquet of the OMOP snapshots."""
        return self.root / "lake"

    @property
    def catalog(self) -> Path:
        """The encrypted catalog."""
        return self.root / "catalog.ducklake"

    @property
    def about(self) -> Path:
        """The document about the holdings: what the public is told and no snapshot can know."""
        return self.root / "catalogue.yaml"

    @property
    def published(self) -> Path:
        """The public registers that are served."""
        return self.root / "published"

    @property
    def manifest(self) -> Path:
        """What the lake's objects were when they were stored, sealed."""
        return self.root / "lake.manifest"

    @property
    def permits(self) -> Path:
        """Signed documents, perimeters and runs."""
        return self.root / "permits"

    @property
    def applications(self) -> Path:
        """Applications for permits, sealed."""
        return self.root / "applications"

    @property
    def judged(self) -> Path:
        """What the checks of quality said of snapshots, sealed."""
        return self.root / "quality"

    @property
    def ledger(self) -> Path:
        """Tiles and checkpoints."""
        return self.root / "ledger"

    @property
    def earlier_salts(self) -> Path:
        """Earlier keys of the ledger's digests, sealed; private as the records written ahead are."""
        return self.ledger / "private" / "earlier-salts.sealed"

    @property
    def release(self) -> Path:
        """Requests, evidence, decisions."""
        return self.root / "release"

    @property
    def jobs(self) -> Path:
        """Long work that no permit is needed for: what was asked and what came of it, sealed."""
        return self.root / "jobs"

    @property
    def passwords(self) -> Path:
        """Passwords of programs as their verifiers, sealed."""
        return self.root / "sign-in" / "passwords.sealed"

    @property
    def accounts(self) -> Path:
        """Local accounts and withdrawn tokens, sealed."""
        return self.root / "sign-in" / "accounts.sealed"

    @property
    def objections(self) -> Path:
        """The sealed table of those who objected."""
        return self.root / "rights" / "objections.sealed"

    @property
    def reidentifications(self) -> Path:
        """Requests for re-identification, sealed."""
        return self.root / "rights" / "reidentify"

    @property
    def rights_lock(self) -> Path:
        """Held by whoever changes objections or re-identifications."""
        return self.root / ".rights.lock"

    @property
    def spill(self) -> Path:
        """Encrypted spill files of running engines."""
        return self.root / ".spill"

    @property
    def data_lock(self) -> Path:
        """Held by whoever changes the data; shared by those who read it."""
        return self.root / ".data.lock"

    @property
    def rotation(self) -> Path:
        """Which key is being rotated; while it is there, nothing else is done."""
        return self.root / ".rotation.json"

    @property
    def scope(self) -> Path:
        """To which settings the requirements of hosting apply here."""
        return self.root / "conformity.toml"

    @property
    def conformity(self) -> Path:
        """Statements about the hosting and the documents that they rest on."""
        return self.root / "conformity"

    @property
    def moved(self) -> Path:
        """That the enclosure lives elsewhere now; from then on nothing is done here."""
        return self.root / "moved.json"

    @property
    def ended(self) -> Path:
        """That the enclosure was destroyed, or that its destruction was begun."""
        return self.root / "destroyed.json"

    @property
    def journal(self) -> Path:
        """At the new place of a move that is not ended: what has arrived, sealed."""
        return self.root / ".move.journal"

    @property
    def coming(self) -> Path:
        """At the new place of a move that is not ended: of which enclosure it will be the place."""
        return self.root / ".move.json"

    @property
    def restoring(self) -> Path:
        """While a restoration is not ended; in a new folder it holds what the settings will be."""
        return self.root / ".restore.toml"

    @property
    def move_lock(self) -> Path:
        """Held by whoever moves the enclosure, or makes a backup of it."""
        return self.root / ".move.lock"

    @property
    def certificates(self) -> Path:
        """One signed statement for each destroyed key."""
        return self.root / "keys" / "destroyed"

    @property
    def desk_lock(self) -> Path:
        """Held by whoever changes permits or release requests."""
        return self.root / ".desk.lock"
