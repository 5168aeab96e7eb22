"""Every refusal has its French line, and French pages say it before the English detail."""

from __future__ import annotations

import re

import pytest

from enclos.app.pages.refusals import RULES_IN_FRENCH, french_refusals, in_french
from enclos.app.pages.rooms.frame import Frame, said_of
from enclos.app.pages.rooms.words_frame import FRENCH_FRAME
from enclos.app.pages.typography import source_in_french
from enclos.app.pages.words import Language, Words
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.release.model import Rule

ENGLISH = {"the", "is", "of", "and", "are", "with", "its"}


def test_every_code_has_a_line_and_no_line_is_without_a_code() -> None:
    """A new code needs a line in src/enclos/app/pages/refusals_fr.tsv: code, rule and next step between tabs."""
    assert french_refusals().keys() == {code.id for code in Code}


@pytest.mark.parametrize("code", Code)
def test_a_line_says_in_french_a_rule_and_what_to_do(code: Code) -> None:
    told = in_french(code.id)
    assert told is not None
    for sentence in (told.rule, told.next):
        assert re.fullmatch(r"(?:[A-ZÀÉÊ]|enclos\.toml|delivery\.json|conformity\.toml).{8,}\.", sentence), sentence
        assert not ENGLISH & set(re.findall(r"\w+", sentence.lower())), sentence
    assert told.source == source_in_french(code.rule.partition(" [")[2].removesuffix("]"))


def test_no_two_codes_say_the_same_rule() -> None:
    rules = [told.rule for told in french_refusals().values()]
    assert len(set(rules)) == len(rules)


@pytest.mark.parametrize("language", Language)
def test_a_refusal_is_said_in_the_reader_s_language_with_its_detail_in_english(language: Language) -> None:
    said = said_of(refusal(Code.PERMIT_EXPIRED, "This permit <ended>.", "Ask for more time."))
    page = Frame("home", Words(language, FRENCH_FRAME), "/research").page("refused", "Refused", {"refused": said})
    french = "Une autorisation se termine à son dernier instant."
    assert ("This permit &lt;ended&gt;." in page, "PRM-07" in page) == (True, True)
    source = "EHDS Art. 68(12)" if language is Language.EN else "règlement EEDS, art.\u00a068(12)"
    assert source in page
    assert (french in page) == (language is Language.FR)
    if language is Language.FR:
        detail = re.search(r'<p class="note" lang="en">([^<]*)</p>', page)
        assert detail and detail[1] == "This permit &lt;ended&gt;. Ask for more time."
        assert page.index(french) < page.index("Ask for more time.")


def test_every_rule_of_release_has_a_french_sentence() -> None:
    """A new rule needs one in src/enclos/app/pages/refusals.py."""
    assert RULES_IN_FRENCH.keys() == {rule.value for rule in Rule}


def test_a_code_of_another_version_is_said_in_english() -> None:
    said = {"what": "Something.", "code": "XXX-99", "rule": "a rule [a book]", "next": "Go on."}
    frame = Frame("home", Words(Language.FR, FRENCH_FRAME), "/research")
    assert '<strong lang="en">Something.</strong>' in frame.page("refused", "Refused", {"refused": said})
