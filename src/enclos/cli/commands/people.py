"""Who acts: sign in, sign out, local accounts."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from enclos.cli.application import Dir, Json, application, passphrase
from enclos.cli.console import say, show
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.signin.model import Person, Role

if TYPE_CHECKING:
    from enclos.app.enclosure import Enclosure

AccountId = Annotated[str, typer.Argument(metavar="ID", help="The id that permits name, such as an address.")]
Roles = Annotated[list[Role] | None, typer.Option("--role", help="What the person may act as; repeatable.")]

_NEW = "ENCLOS_NEW_PASSWORD"
account_commands = typer.Typer(help="Local accounts, for trying out: add, list, change, remove.", no_args_is_help=True)
application.add_typer(account_commands, name="account")


@account_commands.command("add")
def account_add(
    directory: Dir,
    account: AccountId,
    roles: Roles = None,
    name: Annotated[str, typer.Option("--name", help="The person's name; the id when not given.")] = "",
    *,
    as_json: Json = False,
) -> None:
    """Make a local account; prints a first password, good for choosing one's own, and what an authenticator app reads.

    Example: enclos account add home alice@example.org --role researcher
    """
    from enclos.app.accounts import add_account
    from enclos.app.enclosure import open_enclosure

    with open_enclosure(directory, passphrase) as enclosure:
        show(add_account(enclosure, account, name, roles or []), as_json=as_json)


@account_commands.command("list")
def account_list(directory: Dir, *, as_json: Json = False) -> None:
    """Local accounts and their roles.

    Example: enclos account list home
    """
    from enclos.app.accounts import list_accounts
    from enclos.app.enclosure import open_enclosure

    with open_enclosure(directory, passphrase) as enclosure:
        show(list_accounts(enclosure), as_json=as_json)


@account_commands.command("change")
def account_change(
    directory: Dir,
    account: AccountId,
    roles: Roles = None,
    *,
    new_password: Annotated[bool, typer.Option("--password", help="Give another first password.")] = False,
    new_codes: Annotated[bool, typer.Option("--codes", help="Enrol an authenticator anew.")] = False,
    as_json: Json = False,
) -> None:
    """Give an account other roles, another first password or new codes; one that failures closed opens again.

    Example: enclos account change home alice@example.org --role researcher --role checker
    """
    from enclos.app.accounts import change_account
    from enclos.app.enclosure import open_enclosure

    with open_enclosure(directory, passphrase) as enclosure:
        show(
            change_account(enclosure, account, roles=roles or [], new_password=new_password, new_codes=new_codes),
            as_json=as_json,
        )


@account_commands.command("remove")
def account_remove(directory: Dir, account: AccountId, *, as_json: Json = False) -> None:
    """End an account; its tokens are worth nothing at once.

    Example: enclos account remove home alice@example.org
    """
    from enclos.app.accounts import remove_account
    from enclos.app.enclosure import open_enclosure

    with open_enclosure(directory, passphrase) as enclosure:
        show(remove_account(enclosure, account), as_json=as_json)


@account_commands.command("sign-out")
def account_sign_out(directory: Dir, account: AccountId, *, as_json: Json = False) -> None:
    """Make all tokens of a person worth nothing, of an account or of a provider.

    Example: enclos account sign-out home alice@example.org
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.sign_in import sign_out_everywhere

    with open_enclosure(directory, passphrase) as enclosure:
        show(sign_out_everywhere(enclosure, account), as_json=as_json)


@account_commands.command("forget")
def account_forget(directory: Dir, person: AccountId, *, as_json: Json = False) -> None:
    """Let go of the provider's person who had an id; the next whom the provider verifies under it has it.

    Example: enclos account forget home alice@example.org
    """
    from enclos.app.accounts import forget_person
    from enclos.app.enclosure import open_enclosure

    with open_enclosure(directory, passphrase) as enclosure:
        show(forget_person(enclosure, person), as_json=as_json)


@application.command()
def login(
    directory: Dir,
    account: Annotated[str, typer.Option("--account", metavar="ID", help="Sign in with a local account.")] = "",
    *,
    device: Annotated[bool, typer.Option("--device", help="Sign in with a browser on another device.")] = False,
    as_json: Json = False,
) -> None:
    """Sign in, and keep a token that says so for an hour at most.

    With the provider of the enclosure's settings: by a browser on this machine, or on another one with --device. With a
    local account: its password comes from ENCLOS_PASSWORD, its code from ENCLOS_CODE, or both from prompts; in the
    place of a first password ENCLOS_NEW_PASSWORD, or a prompt, gives one's own.

    Example: enclos login home --device
    """
    from enclos.app.accounts import TRYING_OUT
    from enclos.app.enclosure import open_enclosure
    from enclos.app.sign_in import sign_in_by_browser, sign_in_by_device
    from enclos.stores.token_files import keep_token

    if account and device:
        raise typer.BadParameter("--device is for the provider, --account for a local account")
    with open_enclosure(directory, passphrase) as enclosure:
        if account:
            person, token = _by_account(enclosure, account)
            say(TRYING_OUT)
        elif device:
            person, token = sign_in_by_device(
                enclosure, lambda address, code: say(f"Open {address} on any device and type in {code}")
            )
        else:
            person, token = sign_in_by_browser(enclosure, _open)
        file = keep_token(enclosure.settings.ledger.origin, token)
    show({**person.as_json(), "file": str(file)}, as_json=as_json)


def _by_account(enclosure: Enclosure, account: str) -> tuple[Person, str]:
    """Sign in with a local account; who has a first password is asked for their own."""
    from enclos.app.sign_in import sign_in_locally

    code = _asked("ENCLOS_CODE", "Code", hidden=False)
    password, new = _asked("ENCLOS_PASSWORD", "Password"), os.environ.get(_NEW, "")
    try:
        return sign_in_locally(enclosure, account, password, code, new=new)
    except Refusal as refused:
        if refused.code is not Code.SIGN_IN_FIRST or not sys.stdin.isatty():
            raise
    say("This password is a first one: choose your own.")
    new = _asked(_NEW, "New password", confirm=True)
    code = _asked("ENCLOS_CODE", "Code", hidden=False)
    return sign_in_locally(enclosure, account, password, code, new=new)


def _open(address: str) -> None:
    """Have the machine's browser open an address, which is also printed: there may be none."""
    import webbrowser

    say(f"Sign in with your browser: {address}")
    if sys.stderr.isatty():
        webbrowser.open(address)


@application.command()
def token(directory: Dir) -> None:
    """Print the token of who is signed in, which programs may send as a bearer token; PostgreSQL's need `password`.

    Example: enclos token home
    """
    from enclos.app.settings import read_settings
    from enclos.stores.token_files import kept_token

    sys.stdout.write(kept_token(read_settings(directory).ledger.origin) + "\n")


@application.command()
def whoami(directory: Dir, *, as_json: Json = False) -> None:
    """Who is signed in, in which roles, until when.

    Example: enclos whoami home
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.sign_in import person_of
    from enclos.stores.token_files import kept_token

    with open_enclosure(directory, passphrase) as enclosure:
        show(person_of(enclosure, kept_token(enclosure.settings.ledger.origin)).as_json(), as_json=as_json)


@application.command("sign-ins")
def sign_ins(directory: Dir, *, as_json: Json = False) -> None:
    """Your sign-ins that go on, in the portal and on the command line.

    Example: enclos sign-ins home
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.sign_in import person_of, sign_ins
    from enclos.stores.token_files import kept_token

    with open_enclosure(directory, passphrase) as enclosure:
        person = person_of(enclosure, kept_token(enclosure.settings.ledger.origin))
        show(sign_ins(enclosure, person), as_json=as_json)


@application.command()
def logout(
    directory: Dir,
    *,
    others: Annotated[
        bool, typer.Option("--others", help="End all your other sign-ins, and stay in this one.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Sign out: the token is worth nothing from now on, and is forgotten here.

    With --others this sign-in goes on and all the others end; it must be ten minutes old at most.

    Example: enclos logout home
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.app.sign_in import end_sign_ins, person_of, sign_out
    from enclos.stores.token_files import forget_token, kept_token

    with open_enclosure(directory, passphrase) as enclosure:
        origin = enclosure.settings.ledger.origin
        kept = kept_token(origin)
        if others:
            show(end_sign_ins(enclosure, person_of(enclosure, kept)), as_json=as_json)
            return
        forget_token(origin)
        show(sign_out(enclosure, kept), as_json=as_json)


def _asked(variable: str, prompt: str, *, hidden: bool = True, confirm: bool = False) -> str:
    given = os.environ.get(variable)
    if given:
        return given
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"set {variable}: there is no terminal to ask on")
    asked: str = typer.prompt(prompt, hide_input=hidden, confirmation_prompt=confirm, err=True)
    return asked
