"""A folder that is no delivery is told apart from what somebody may have meant."""

from __future__ import annotations

import pytest

from enclos.stores.delivered import DeliveredFolder


@pytest.mark.parametrize(
    ("name", "what", "following"),
    [
        ("absent", "There is no folder absent here.", "Look at its path; a delivery is a folder."),
        ("rows.csv", "rows.csv is a file.", "Name the folder of the delivery."),
        ("all", "The folder all holds deliveries and is none.", "Name each of them: all/*"),
        ("plain", "The folder plain has no delivery.json.", "Write one with `enclos delivery make`."),
    ],
)
def test_what_is_wrong_with_a_folder_and_what_was_meant(tmp_path, name, what, following):
    (tmp_path / "rows.csv").write_text("a\n1\n", encoding="utf-8")
    (tmp_path / "plain").mkdir()
    (tmp_path / "all" / "one").mkdir(parents=True)
    (tmp_path / "all" / "one" / "delivery.json").write_text("{}", encoding="utf-8")
    folder = DeliveredFolder(tmp_path / name)
    assert folder.why_undeclared() == (what, following)
