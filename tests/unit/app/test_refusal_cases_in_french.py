"""What a refusal says of its case is in French for what people meet by the portal's forms, and never half in French."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from enclos.app.pages.cases import case_in_french, french_cases
from enclos.app.pages.rooms.frame import Frame, said_of
from enclos.app.pages.rooms.words_frame import FRENCH_FRAME
from enclos.app.pages.typography import FIXED, NARROW
from enclos.app.pages.words import Language, Words
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.permits.document import read_permit
from enclos.release.model import RequestEvent, RequestState
from enclos.release.rules.life import next_state
from enclos.studies.document import study_from_yaml
from enclos.views.sql.rules.reading import Granted, read_query
from factories.enclosure import permit_text

SOURCES = Path(__file__).resolve().parents[3] / "src" / "enclos"
ENGLISH = {"the", "is", "of", "and", "are", "with", "its", "that", "must", "not", "which"}
MET = (
    *("permits/rules/life.py", "permits/rules/applying.py", "permits/steps.py"),
    *("permits/document/fields.py", "permits/document/values.py", "permits/document/tree.py"),
    *("permits/document/population.py", "app/applications.py", "app/permits.py", "app/monthly.py"),
    *("views/sql/rules/reading.py", "views/sql/rules/lists.py", "views/sql/rules/engine_tree.py"),
    *("views/sql/rules/aggregates.py", "views/sql/rules/tabled/table.py", "views/sql/rules/tabled/columns.py"),
    *("views/sql/rules/tabled/keys.py", "views/sql/rules/tabled/margins.py", "views/sql/rules/tabled/measures.py"),
    *("views/sql/rules/tabled/statement.py", "app/sql.py", "app/turns.py"),
    *("studies/document/reading.py", "studies/document/values.py", "studies/document/study.py"),
    *("studies/document/cohorts.py", "studies/document/rates.py", "studies/steps/vocabulary.py", "app/drafts.py"),
    *("studies/utilisation/document.py", "studies/survival/document.py"),
    *("app/looks.py", "app/probing.py", "release/rules/life.py", "release/steps/requests.py"),
    *("release/steps/judging.py", "portal/rooms/research/statements.py", "portal/rooms/research/permits.py"),
    *("portal/forms.py", "portal/desk.py", "portal/pace.py"),
)
"""The modules that refuse what comes by the portal's forms: permits and applications, SQL, studies, releases."""
SAYS = {"refusal": 1, "refused": 0, "_refused": 0, "not_tabled": 0, "fault": 1, "_not_ours": 0, "unreadable": 0}
SAYS |= {"PydanticCustomError": 1}
"""The calls that say a case, each with the place of its text."""
OF_PARTS = {"must be {}", "cannot be used: {}"}
"""Of the first each form has a line; what a definition cannot be used for is said in Circe's terms, in English."""
OF_PYDANTIC = "input should |list should |value should |dictionary should |items? after |items?, not|valid "


def template_of(node: ast.expr) -> str | None:
    """A text with empty braces for its values; None for what is no text."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(each.value if isinstance(each, ast.Constant) else "{}" for each in node.values)
    return None


def said_in(module: str) -> Iterator[str]:
    """The cases that a module says."""
    for node in ast.walk(ast.parse((SOURCES / module).read_text(encoding="utf-8"))):
        said: list[ast.expr] = []
        if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):  # where, what, and of which kind
            said = node.value.elts[1:2]
        elif isinstance(node, ast.Call):
            at = SAYS.get(getattr(node.func, "id", getattr(node.func, "attr", "")), len(node.args))
            said = node.args[at : at + 1]
        yield from (text for each in said if (text := template_of(each)) is not None)


def bare(text: str) -> str:
    """A line's English with empty braces, and without the place that a document's fault begins with."""
    return re.sub(r"\{\d[*;]?\}", "{}", text).removeprefix("{}: ")


@cache
def known() -> frozenset[str]:
    return frozenset(bare(english) for english, _ in french_cases())


@pytest.mark.parametrize("module", MET)
def test_every_case_that_the_portal_s_forms_meet_has_a_french_line(module: str) -> None:
    """A new sentence needs a line in src/enclos/app/pages/refusal_cases_fr.tsv: English and French, a tab between."""
    said = set(said_in(module))
    # with what is put before or behind a sentence (its line) it has a line of its own
    lacking = {
        each for each in said if not {each, bare(each), each.removesuffix("{}"), each.removeprefix("{}")} & known()
    }
    assert said, "the module says no case: is it still the one?"
    assert lacking <= OF_PARTS, lacking


def test_every_line_is_of_a_text_that_somewhere_is_said() -> None:
    texts = [
        each.value
        for path in SOURCES.rglob("*.py")
        for each in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    ]
    everything = "\n".join([*texts, (SOURCES / "views/sql/refused.csv").read_text(encoding="utf-8")])
    joints = r"\{\d[*;]?\}|(?= \((?:line|indent))|(?=: did you)|(?=; these can)"
    for english, _ in french_cases():
        for part in re.split(joints, re.sub(r"\{\d\}: must be ", "", english)):
            if not re.match(OF_PYDANTIC, part.strip(" ,'").lower()):
                assert part.strip(" :") in everything, (english, part)


def test_no_english_is_said_twice_and_no_french_says_what_its_english_does_not() -> None:
    lines = french_cases()
    assert len({english for english, _ in lines}) == len(lines)
    for english, french in lines:
        assert french and "\t" not in french, english
        slots = re.findall(r"\{(\d)[*;]?\}", english)
        assert slots == [str(number + 1) for number in range(len(slots))], english
        assert set(re.findall(r"\{(\d)\}", french)) <= set(slots), english
        # names of options, and what is SQL, are the same in both
        words = set(re.findall(r"[a-z]+", re.sub(r"`[^`]*`|\{[^}]*\}|\w+_\w+|age de", "", french)))
        assert french == english or not ENGLISH & words, french


def refused_by(act: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


def with_plain_spaces(french: str) -> str:
    """A text as tables have it: those spaces that no line breaks at are others on pages."""
    return french.replace(NARROW, " ").replace(FIXED, " ")


def sql(text: str) -> Refusal:
    tables = {"person": {"person_id": "BIGINT", "year_of_birth": "INTEGER"}}
    return refused_by(lambda: read_query(text, Granted(tables)))


def of_permit(text: str) -> Refusal:
    return refused_by(lambda: read_permit(text, min_count_floor=11))


def of_study(analysis: str) -> Refusal:
    cohort = "a: {domain: drug, concepts: [1, 1]}"
    return refused_by(lambda: study_from_yaml(f"study: s\ncohorts:\n  {cohort}\nanalyses:\n  - {analysis}\n"))


MADE: dict[str, Callable[[], Refusal]] = {
    r"L'étude n'est pas valable : ligne 5, analyses\[0\]\.incidence\.outcome : 1 élément au moins est attendu, et "
    r"non 0\.": lambda: of_study("incidence: {outcome: []}"),
    r"Le document de l'autorisation contient 2 erreurs : ligne \d+ : legal_basis : manque ; ligne \d+ : legal_bases : "
    r"champ inconnu ; les champs connus sont permit, .*\.": lambda: of_permit(
        permit_text().replace("legal_basis:", "legal_bases:")
    ),
    r"Le document de l'autorisation contient une erreur : ligne \d+ : disclosure\.min_count : est inférieur au "
    r"seuil de cet enclos, 11\.": lambda: of_permit(permit_text(min_count=3)),
    r"La requête contient la fonction random, qui n'est pas permise\.": lambda: sql("SELECT random() FROM person"),
    r"La requête contient une colonne qu'aucune table de la requête ne possède \(ligne 1, colonne 8\)\.": lambda: sql(
        "SELECT nobody FROM person"
    ),
    r"La requête lit une table que cette autorisation n'ouvre pas\.": lambda: sql("SELECT * FROM death"),
    r"L'étude n'est pas valable : ligne 3, cohorts\.a\.concepts : un concept est donné deux fois ; ligne 5, "
    r"analyses\[0\]\.incidence\.outcome\[0\] : aucune cohorte ne porte ce nom\.": lambda: of_study(
        "incidence: {outcome: b}"
    ),
    r"L'étude n'est pas valable : ligne 5, analyses\[0\]\.incidence\.sex\[0\] : les valeurs possibles sont 'both', "
    r"'male' ou 'female'\.": lambda: of_study("incidence: {outcome: a, sex: other}"),
    r"Une demande mise en quarantaine ne peut pas être acceptée\.": lambda: refused_by(
        lambda: next_state(RequestState.QUARANTINED, RequestEvent.ACCEPT)
    ),
}
"""Refusals as they are made, by their French."""


@pytest.mark.parametrize("expected", MADE)
def test_a_refusal_as_it_is_made_is_said_in_french(expected: str) -> None:
    refused = MADE[expected]()
    french = case_in_french(refused.what)
    assert french is not None, refused.what
    assert re.fullmatch(expected, with_plain_spaces(french)), french


def test_a_french_page_says_the_case_first_then_what_to_do_then_the_rule() -> None:
    refused = sql("SELECT random() FROM person")
    page = Frame("home", Words(Language.FR, FRENCH_FRAME), "/research").page(
        "refused", "Refused", {"refused": said_of(refused)}
    )
    case = "La requête contient la fonction random, qui n&#39;est pas permise."
    assert page.index(case) < page.index("Utilisez un choix stable d&#39;après person_id.") < page.index("SQL-01")
    assert "The query holds" not in page and 'class="note" lang="en"' not in page
    english = Frame("home", Words(Language.EN, FRENCH_FRAME), "/research").page(
        "refused", "Refused", {"refused": said_of(refused)}
    )
    assert "The query holds the function random" in english and "La requête" not in english


def test_what_is_next_stays_beneath_in_english_where_it_has_no_french() -> None:
    said = said_of(refusal(Code.PERMIT_REVOKED, "Permit <b>X</b> was revoked.", "Ask so and so."))
    page = Frame("home", Words(Language.FR, FRENCH_FRAME), "/research").page("refused", "Refused", {"refused": said})
    assert "L&#39;autorisation &lt;b&gt;X&lt;/b&gt; a été révoquée." in page
    assert '<p class="note" lang="en">Ask so and so.</p>' in page
    assert "Adressez-vous à l&#39;organisme d&#39;accès." in page


@pytest.mark.parametrize(
    "text",
    [
        "The query holds something new.",
        "The permit document has 2 faults: line 3: is odd; line 4: x: is missing.",
        "A permit that is asleep cannot amend.",
        "Use your head.",
        "input should be a valid dictionary",
        "",
        f"Permit {'x' * 5000} has expired.",
    ],
)
def test_what_has_no_french_in_a_part_has_none_at_all(text: str) -> None:
    assert case_in_french(text) is None
