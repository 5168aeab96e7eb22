"""Pictures as they leave: written anew from what they show, without anything that is not drawn."""

from __future__ import annotations

import re
import struct
import zlib
from xml.etree import ElementTree as ET

_SVG = "http://www.w3.org/2000/svg"
_TAGS = frozenset(
    {
        *("svg", "g", "defs", "clipPath", "title", "desc", "linearGradient", "radialGradient", "stop"),
        *("path", "line", "rect", "circle", "ellipse", "polygon", "polyline", "text", "tspan"),
    }
)
"""What draws; images, scripts, links, foreign objects and metadata do not."""
_ATTRIBUTES = frozenset(
    {
        *("id", "class", "role", "version", "viewBox", "width", "height", "x", "y", "x1", "x2", "y1", "y2", "dx", "dy"),
        *("r", "rx", "ry", "cx", "cy", "fx", "fy", "d", "points", "transform", "opacity", "display", "visibility"),
        *("fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray"),
        *("stroke-dashoffset", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "clip-path", "clip-rule"),
        *("font-family", "font-size", "font-weight", "font-style", "text-anchor", "dominant-baseline", "offset"),
        *("stop-color", "stop-opacity", "gradientUnits", "gradientTransform", "pointer-events", "style"),
        *("aria-hidden", "aria-label", "aria-roledescription"),
    }
)
_REACHES_OUT = re.compile(r"url\(\s*[^#\s]|javascript:|@import|expression\(|data:", re.IGNORECASE)
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_PNG = b"\x89PNG\r\n\x1a\n"
_HEAD = 8


def clean_svg(data: bytes) -> bytes:
    """The drawing of an SVG, written anew: comments, instructions and metadata are gone.

    Refuses: ValueError for what is no SVG, or draws with anything but the shapes and texts of a list.
    """
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise ValueError("a drawing declares no document type and no entity")
    try:
        root = ET.fromstring(data)  # noqa: S314 - no entity can be declared
    except ET.ParseError:
        raise ValueError("this is not a drawing") from None
    if root.tag != f"{{{_SVG}}}svg":
        raise ValueError("this is not a drawing")
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{{{_SVG}}}metadata":
                parent.remove(child)
    for element in root.iter():
        namespace, _, name = str(element.tag).rpartition("}")
        wrong = [key for key, value in element.attrib.items() if key not in _ATTRIBUTES or _REACHES_OUT.search(value)]
        if namespace != f"{{{_SVG}" or name not in _TAGS or wrong:
            raise ValueError("a drawing is made of shapes and texts")
    ET.register_namespace("", _SVG)
    drawing: bytes = ET.tostring(root, encoding="utf-8")
    return drawing


def clean_png(data: bytes) -> bytes:
    """The pixels of a PNG, packed anew: every other chunk, and whatever follows the end, is gone.

    Refuses: ValueError for what is no whole PNG.
    """
    if not data.startswith(_PNG):
        raise ValueError("this is not a picture")
    kept: dict[bytes, bytes] = {}
    at = len(_PNG)
    while b"IEND" not in kept:
        head, end = data[at : at + _HEAD], 0
        if len(head) == _HEAD:
            size, kind = struct.unpack(">I4s", head)
            end = at + _HEAD + size + 4
        if (
            not end
            or end > len(data)
            or zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big")
        ):
            raise ValueError("this picture is not whole")
        if kind in _CRITICAL:
            kept[kind] = kept.get(kind, b"") + data[at + _HEAD : end - 4]
        at = end
    try:
        pixels = zlib.decompress(kept[b"IDAT"])
    except (KeyError, zlib.error):
        raise ValueError("this picture is not whole") from None
    kept[b"IDAT"] = zlib.compress(pixels, 9)
    return _PNG + b"".join(_chunk(kind, kept[kind]) for kind in _CRITICAL if kind in kept)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", zlib.crc32(kind + content))
