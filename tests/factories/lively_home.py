"""An enclosure in which something of everything is going on, and people with accounts: what every page has to show."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from enclos.app import applications, releases, studies
from enclos.signin.model import Role
from factories.enclosure import ALICE, CAROL, DAN, open_home, permit_text
from factories.people import local_account
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
    """Forty persons, and something of everything going on."""
    return enlivened(working_home(folder, {PERMIT: (ALICE,), OTHER: ("zoe@example.org",)}), folder, QUICK)


def enlivened(home: Path, folder: Path, text: str) -> Lively:
    """One study released, one with a question of a checker, one just asked for; an application asked, one drafted.

    In: home — an enclosure in which PERMIT is open for ALICE; folder — where what leaves goes; text — a study whose
        result may leave when two persons say so
    """
    with open_home(home) as enclosure:
        authenticators = {who: local_account(enclosure, who, name, [role]) for who, (name, role) in ROLES.items()}
        asked = []
        for year, purpose in ((2021, "For the yearly report"), (2022, "For a paper"), (2023, "For the committee")):
            named = re.sub(r"^study: .*$", rf"\g<0>-{year}", text, flags=re.MULTILINE)
            run = studies.run(enclosure, permit=PERMIT, user=ALICE, text=named)["run"]
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
