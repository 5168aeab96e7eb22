"""A file is made for who takes it, and for nobody else."""

from __future__ import annotations

from pathlib import Path

from enclos.app.handed import Keep, hand_over, page_to, pages, place_of_page, takes, written_to
from enclos.app.pages.words import Language


def test_only_what_is_taken_is_made_and_each_where_it_was_told(tmp_path: Path) -> None:
    made: list[str] = []

    def page_in(language: Language) -> str:
        made.append(language)
        return f"é {language}"

    def results() -> bytes:
        made.append("results")
        return b"{}"

    files = {"results.json": results, **pages(page_in)}
    page, elsewhere = tmp_path / "a" / "rapport.html", tmp_path / "r.json"
    kept: dict[str, bytes] = {}
    others = ["results", "en", "fr"]
    keeps: list[tuple[Keep | None, list[str], str | None]] = [
        (None, [], None),
        (written_to({"results.json": None, **page_to(None, "fr")}), [], None),
        (written_to({"results.json": elsewhere}), ["results"], None),
        (written_to({"results.json": None, **page_to(page, "fr")}), ["fr"], str(page)),
        (kept.__setitem__, others, None),
    ]
    for keep, wanted, place in keeps:
        made.clear()
        hand_over(keep, files)
        assert (made, place_of_page(keep), takes(keep, "results.json")) == (wanted, place, "results" in wanted)
    assert (elsewhere.read_bytes(), page.read_text(encoding="utf-8")) == (b"{}", "é fr")
    assert kept == {"results.json": b"{}", "page-en.html": "é en".encode(), "page-fr.html": "é fr".encode()}
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["r.json", "rapport.html"]
