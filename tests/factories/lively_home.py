"""An enclosure in which something of everything is going on, and people with accounts: what every page has to show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from enclos.app import applications, releases, studies
from enclos.app.accounts import add_account
from enclos.signin.model import Role
from factories.enclosure import ALICE, CAROL, DAN, open_home, permit_text
from factories.people import PASSWORD
from factories.working_home import QUICK, working_home

BEA, STEW, AUD = "bea@example.org", "stew@example.org", "aud@example.org"
"""The access body, the steward, the auditor."""
ROLES = {
    ALICE: ("Alice Martin", Role.RESEARCHER),
    BEA: ("Bea Durand", Role.ACCESS_BODY),
    CAROL: ("Carol Petit", Role.CHECKER),
    DAN: ("Dan Moreau", Role.CHECKER),
    STEW: ("Stew Leroy", Role.STEWARD),
    AUD: ("Aud Girard", Role.AUDITOR),
}
PERMIT, OTHER = "FR-2026-0042", "FR-2026-0043"


@dataclass(frozen=True)
class Lively:
    """The enclosure's folder, what each person's authenticator reads, and the key that verifies what leaves."""

    home: Path
    authenticators: dict[str, str]
    release_key: str


def lively_home(folder: Path) -> Lively:
    """One study released, one with a question of a checker, one just asked for; a permit that is another's."""
    home = working_home(folder, {PERMIT: (ALICE,), OTHER: ("zoe@example.org",)})
    with open_home(home) as enclosure:
        authenticators = {
            who: str(add_account(enclosure, who, name, [role], PASSWORD)["authenticator"])
            for who, (name, role) in ROLES.items()
        }
        asked = []
        for number, purpose in enumerate(("For the yearly report", "For a paper", "For the steering committee")):
            text = QUICK.replace("study: quick", f"study: bleeding-{number}")
            run = studies.run(enclosure, permit=PERMIT, user=ALICE, text=text)["run"]
            asked.append(releases.request(enclosure, permit=PERMIT, user=ALICE, run=run, purpose=purpose)["request"])
        for user in (CAROL, DAN):
            releases.review(enclosure, asked[0], user=user, accept=True, reason="Counts are fine")
        key = releases.export(enclosure, asked[0], folder / "package.zip")["release_key"]
        releases.ask(enclosure, asked[1], user=CAROL, text="Which ages does the paper need?")
        alice = applications.Hand(ALICE, for_access_body=False)
        drafted = applications.keep_application(enclosure, alice, permit_text("FR-2026-0044"))["application"]
        applications.ask_for(enclosure, alice, drafted)
        applications.keep_application(enclosure, alice, permit_text("FR-2026-0045"))
    return Lively(home, authenticators, key)
