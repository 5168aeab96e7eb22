"""Keys: list, rotate, destroy."""

from __future__ import annotations

import typer

from enclos.cli.application import application

key_commands = typer.Typer(help="Keys: list, rotate, destroy; a sender's own.", no_args_is_help=True)
application.add_typer(key_commands, name="keys")
