"""Secrets from a folder, as service managers hand them out: a file each, named like the variable it stands for."""

from __future__ import annotations

import re
import stat
from collections.abc import MutableMapping
from pathlib import Path

import typer

SECRETS = "ENCLOS_SECRETS"
_NAME = re.compile(r"ENCLOS_[A-Z0-9_]+")


def take_secrets(environment: MutableMapping[str, str]) -> None:
    """Set each variable that the folder ENCLOS_SECRETS has a file for; what is set already stays.

    So no secret stands in a unit file, a manifest, an argument or the environment that a process was started with.
    In: the folder — of systemd's LoadCredential=, of a Kubernetes secret or of podman's; a line feed at
        a file's end is left out
    Refuses: as wrong usage, a folder or file that cannot be read, and a file that others than owner and group can read
    """
    folder = environment.get(SECRETS)
    if not folder:
        return
    try:
        for file in sorted(Path(folder).iterdir()):
            if _NAME.fullmatch(file.name) and not environment.get(file.name):
                if file.stat().st_mode & stat.S_IRWXO:
                    raise typer.BadParameter(f"{SECRETS}: others can use {file.name}; take mode 0400 or 0440")
                environment[file.name] = file.read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError, ValueError):
        raise typer.BadParameter(f"{SECRETS}: a file of the folder, or the folder, cannot be read") from None
