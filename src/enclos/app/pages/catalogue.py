"""The page that tells people what the enclosure holds."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.app.pages.catalogue_words import FRENCH_CATALOGUE
from enclos.app.pages.page import template_of
from enclos.app.pages.register import public_style
from enclos.app.pages.words import Language, Words
from enclos.holdings.document import About
from enclos.holdings.model import Figures, Quality
from enclos.holdings.rules.saying import said_of_counts, said_of_quality, said_of_sample
from enclos.holdings.vocabularies import concept

_NAMES = {Language.EN: "English", Language.FR: "Français"}
_ONE_FOR_ALL = ("index.html", "en.html", "fr.html")


def catalogue_page(
    about: About, figures: Figures, quality: Quality | None, files: Sequence[str], sample: str, language: Language
) -> str:
    """The description in one language: no script, no request.

    In: files — what lies beside the page; sample — the digest of the sample
    """
    words = Words(language, FRENCH_CATALOGUE)
    other = Language.EN if language is Language.FR else Language.FR

    def label(scheme: str, codes: Sequence[str]) -> str:
        return ("; " if language is Language.EN else " ; ").join(
            getattr(concept(scheme, code), language.value) for code in codes
        )

    return template_of("catalogue").render(
        language=language.value,
        other=other.value,
        other_name=_NAMES[other],
        words=words,
        style=public_style(),
        about=about,
        say=lambda said: getattr(said, language.value),
        label=label,
        figures=figures,
        number=lambda value: words.number(float(value)),
        counts=said_of_counts(figures),
        quality=None if quality is None else said_of_quality(quality),
        told_of_sample=said_of_sample(),
        sample=sample,
        tables=[table for table in figures.tables if table.n_persons is not None],
        files=[name for name in files if name not in _ONE_FOR_ALL],
    )
