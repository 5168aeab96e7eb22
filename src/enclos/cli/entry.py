"""The door: parse, run, and turn every way it can end into an exit code."""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from typing import NoReturn

import typer
from typer.exceptions import Abort, TyperException

from enclos.cli import commands as _every_command  # noqa: F401 - importing them registers them
from enclos.cli.application import application
from enclos.cli.console import say
from enclos.cli.examples import unwrapped
from enclos.cli.secret_files import take_secrets
from enclos.lexicon.refusals import BUG_EXIT, USAGE_EXIT, Refusal

_TRACE_VARIABLE = "ENCLOS_UNSAFE_TRACE"
_ALGEBRA_THREADS = "OPENBLAS_NUM_THREADS"
"""Read when numpy is first imported. OpenBLAS' threads wait by turning: with one, a lasso takes a third of the time."""


def run(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in arguments
    os.environ.setdefault(_ALGEBRA_THREADS, "1")
    try:
        take_secrets(os.environ)
        code = unwrapped(typer.main.get_command(application)).main(
            args=arguments, prog_name="enclos", standalone_mode=False
        )
        sys.exit(code if isinstance(code, int) else 0)
    except Abort:
        say("stopped")
        sys.exit(130)
    except TyperException as error:
        _show_usage(error)
        sys.exit(USAGE_EXIT)
    except Refusal as refused:
        _tell(refused, as_json=as_json)
        sys.exit(refused.exit_code)
    except KeyboardInterrupt:
        say("stopped")
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - the last border: a bug's text may quote data, so only its kind is shown
        if os.environ.get(_TRACE_VARIABLE):
            traceback.print_exc()
        say(
            f"This is a bug in Enclos ({type(error).__name__}); nothing was released. "
            "Please report the command and the version."
        )
        sys.exit(BUG_EXIT)


def leave(code: int) -> NoReturn:
    """End the process with a code, once all is written.

    Without taking down the libraries: a thread of Arrow's that still ends then can abort the process after its result.
    """
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = code or BUG_EXIT
    os._exit(code)


def _show_usage(error: TyperException) -> None:
    show = getattr(error, "show", None)  # usage errors know their command's usage line
    show() if show else say(error.format_message())


def _tell(refused: Refusal, *, as_json: bool) -> None:
    if as_json:
        document = {
            "refused": {
                "code": refused.code.id,
                "branch": refused.code.branch.value,
                "what": refused.what,
                "rule": refused.rule,
                "next": refused.next_step,
            }
        }
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    say(f"Refused: {refused.what}")
    say(f"  rule {refused.code.id}: {refused.rule}")
    if refused.next_step:
        say(f"  next: {refused.next_step}")
