"""conformity.toml: what an assessment looks at that no enclosure can know by itself."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.stores.machine.tls import Endpoint

SCOPE_FILE = "conformity.toml"


class Scope(BaseModel):
    """The file as a whole; paths are taken from its folder.

    ``endpoints``: ``host:port`` of everything that is reached by TLS; ``ports``: which may listen on the machine;
    ``places``: the country of each host, ``here`` for this machine; ``backups``: folders or
    URLs of buckets that `enclos backup` was given; ``sbom``: a CycloneDX file; ``vulnerabilities``: a
    folder of OSV files.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoints: tuple[str, ...] = ()
    ports: tuple[int, ...] | None = None
    places: dict[str, str] = Field(default_factory=dict)
    backups: tuple[str, ...] = ()
    sbom: Path | None = None
    vulnerabilities: Path | None = None
    folder: Path = Field(default=Path(), exclude=True)

    def at(self, path: Path | None) -> Path | None:
        """A path of the file, seen from its folder."""
        return None if path is None else self.folder / path

    def reached(self) -> list[Endpoint]:
        """The endpoints. Refuses: ValueError when one has no port."""
        found = []
        for text in self.endpoints:
            host, _, port = text.rpartition(":")
            found.append(Endpoint(host.strip("[]"), int(port)))
            if not host:
                raise ValueError("an endpoint is host:port")
        return found


def read_scope(folder: Path) -> Scope:
    """What the enclosure's folder says; nothing where it has no such file.

    Refuses: CONFORMITY_SCOPE.
    """
    path = folder / SCOPE_FILE
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        scope = Scope.model_validate({**values, "folder": folder})
        scope.reached()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError, ValueError):
        raise refusal(
            Code.CONFORMITY_SCOPE,
            f"{SCOPE_FILE} cannot be read as endpoints (host:port), ports, places, backups, sbom, vulnerabilities.",
            "Repair it: docs/conformity.md has an example.",
        ) from None
    return scope
