"""What finds English on French pages finds it, and nothing else."""

from __future__ import annotations

import pytest

from factories.french_text import French, english_in


@pytest.mark.parametrize(
    "page",
    [
        "<p>Starting population</p>",
        "<button>Ne pas <b>which</b></button>",
        "<svg role=img aria-label='Persons of the source'></svg>",
        "<p lang=en>Said</p><p>This is not <code>x</code></p>",
        "<div lang=en><br><p>a</p></div><input placeholder='when empty'>",
    ],
)
def test_english_is_found_in_texts_and_in_what_is_read_out(page: str) -> None:
    assert len(english_in(page)) == 1


@pytest.mark.parametrize(
    "page",
    [
        "<p>Une autorisation ; on en a pour un an</p>",
        "<p lang=en>This is not French</p>",
        "<table><tr><td lang=en>Starting <b>population</b></td><td>fin</td></tr></table>",
        "<pre>the</pre><code>is</code><textarea>not</textarea><option>which</option><script>of</script>",
        "<p>release.look, my-own-name, the_column, is@example.org, docs/of.md</p>",
        "<p>Finalité : For the committee</p>",
    ],
)
def test_french_codes_and_what_is_marked_or_given_are_not(page: str) -> None:
    assert english_in(page, ["For the committee"]) == []


def test_links_are_read_whatever_language_they_are_in() -> None:
    assert French("<a href='/a' lang=en>English</a><a>no</a><a href='/b'>b</a>").links == ["/a", "/b"]
