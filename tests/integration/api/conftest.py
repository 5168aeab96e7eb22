"""One enclosure behind REST for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from enclos.app.sign_in import token_for
from enclos.portal.api.examples import PERMIT
from enclos.signin.model import Role
from factories.api import BOB, ERIN, FAY, GUS, Api, signed_in
from factories.enclosure import ALICE, CAROL, DAN, open_home
from factories.portal import portal_of
from factories.working_home import working_home


@pytest.fixture(scope="package")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    permits = {"FR-1": (ALICE,), "FR-2": (BOB,), PERMIT: (ALICE,)}
    home = working_home(tmp_path_factory.mktemp("api"), permits)
    roles = {ALICE: Role.RESEARCHER, BOB: Role.RESEARCHER, CAROL: Role.CHECKER, GUS: Role.CHECKER, DAN: Role.AUDITOR}
    roles |= {ERIN: Role.STEWARD, FAY: Role.ACCESS_BODY}
    with portal_of(home) as portal, pytest.MonkeyPatch.context() as patch:
        patch.setattr("enclos.portal.pace._AT_ONCE", 1e9)  # tests ask faster than people may
        with open_home(home) as enclosure:
            now = enclosure.ledger.now()
            tokens = {who: token_for(enclosure, signed_in(who, role, now)) for who, role in roles.items()}
        yield Api(portal.root, tokens, portal)
