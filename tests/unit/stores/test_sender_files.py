"""A sender's CSV: what cannot be read is named by its line, never by its text."""

from pathlib import Path

import pytest

from enclos.lexicon.refusals import Refusal
from enclos.stores.sender_files import SenderCsv


def test_a_row_that_is_not_one_is_named_by_its_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "stays.csv"
    path.write_text("nir;sex\n" + "1;2\n" * 700 + "secret-value\n" + "1;2\n" * 50)
    with pytest.raises(Refusal) as refused:
        list(SenderCsv(path).batches())
    assert "Line 702" in str(refused.value)
    assert "secret-value" not in str(refused.value)
    assert refused.value.__cause__ is None
