"""A picture that leaves draws, and carries nothing else."""

import struct
import zlib

import pytest

from enclos.app.report.charts import flow_of_rows
from enclos.release.pictures import clean_png, clean_svg
from enclos.studies.figures.style import STYLE, svg_beneath

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">{}</svg>'


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        "<foreignObject/>",
        '<image xlink:href="data:image/png;base64,AAAA"/>',
        '<a xlink:href="https://example.org"><text>1</text></a>',
        '<rect onload="alert(1)"/>',
        '<rect style="fill:url(https://example.org/x)"/>',
        '<rect fill="url( http://example.org)"/>',
        '<style>@import "https://example.org"</style>',
        '<use href="#a"/>',
        '<x:rows xmlns:x="urn:rows">1,2,3</x:rows>',
        '<rect data-rows="1,2,3"/>',
        "<animate/>",
    ],
)
def test_what_does_not_draw_is_refused(inside: str) -> None:
    with pytest.raises(ValueError, match="shapes"):
        clean_svg(SVG.format(inside).encode())


@pytest.mark.parametrize(
    "data", [b"", b"<html/>", b"\x89PNG", b"<svg/>", b"<!DOCTYPE svg [<!ENTITY a 'b'>]><svg>&a;</svg>"]
)
def test_what_is_no_drawing_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"drawing"):
        clean_svg(data)


def test_comments_instructions_and_metadata_are_gone_and_the_drawing_stays() -> None:
    told = "<!-- rows --><?rows 1?><metadata><rows>1</rows></metadata>"
    inside = told + '<g><rect x="1" fill="url(#a)"/><text>7 &lt; 9</text></g>'
    cleaned = clean_svg(SVG.format(inside).encode())
    assert b"rows" not in cleaned
    assert b"7 &lt; 9" in cleaned
    assert b'fill="url(#a)"' in cleaned
    assert clean_svg(cleaned) == cleaned


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", zlib.crc32(kind + content))


HEAD = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
PIXELS = zlib.compress(b"\x00\x7f", 1)
PLAIN = b"\x89PNG\r\n\x1a\n" + HEAD + chunk(b"IDAT", PIXELS) + chunk(b"IEND", b"")


def test_a_drawing_has_the_same_style_where_it_leaves_and_in_a_report() -> None:
    """It follows its page, and a name in a wider font than it was measured in is not cut off."""
    assert "overflow:visible" in STYLE
    assert STYLE.encode() in clean_svg(svg_beneath([]).encode())
    assert STYLE in flow_of_rows([{"table": "stay", "delivered": 3, "mapped": 2, "rejected": 1}])


def test_a_picture_keeps_its_pixels_and_loses_what_else_it_carries() -> None:
    more = chunk(b"tEXt", b"rows\x001,2,3") + chunk(b"eXIf", b"rows") + chunk(b"iCCP", b"rows")
    parts = chunk(b"IDAT", PIXELS[:4]) + chunk(b"IDAT", PIXELS[4:])
    stuffed = b"\x89PNG\r\n\x1a\n" + HEAD + more + parts + chunk(b"IEND", b"") + b"PK\x03\x04 rows"
    cleaned = clean_png(stuffed)
    assert b"rows" not in cleaned
    assert cleaned == clean_png(PLAIN) == clean_png(cleaned)


@pytest.mark.parametrize(
    "data", [b"", b"<svg/>", PLAIN[:-6], PLAIN[:20], PLAIN.replace(b"IDAT", b"IDAX"), PLAIN[:30] + b"\x09" + PLAIN[31:]]
)
def test_what_is_no_whole_picture_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="picture"):
        clean_png(data)
