"""What makes a delivery acceptable, decision by decision."""

from __future__ import annotations

import pytest

from enclos.contracts.delivered.document import Encoding, Kind, parse_delivery
from enclos.contracts.delivered.tables import delivered_table
from enclos.intake import rules
from enclos.intake.model import Fault, FileFacts, RejectReason
from enclos.lexicon.codes import Code

SHA = "0" * 64


def delivery(kind, *files):
    entries = [
        {"path": f"{i}_{table}.csv", "table": table, "sha256": SHA, "n_rows": 2, "separator": ";"}
        for i, table in enumerate(files)
    ]
    return parse_delivery({"source": "snds", "kind": kind, "files": entries})


def facts(**changes):
    return FileFacts(
        **{"sha256": SHA, "content_sha256": SHA, "whole": True, "n_records": 3, "first_line": b"a", **changes}
    )


def codes(faults):
    return [fault.code for fault in faults]


def test_unknown_tables_missing_and_undeclared_files_are_all_told():
    faults = rules.declared_faults(delivery("snds-ref", "IR_BEN_R", "IR_XXX_R"), ["0_IR_BEN_R.csv", "more.csv"])
    assert codes(faults) == [Code.TABLE_UNKNOWN, Code.FILE_MISSING, Code.FILE_MISSING]
    assert rules.refusal_of(faults).code is Code.TABLE_UNKNOWN


def test_claims_need_their_prestations_and_stays_their_chaining():
    assert codes(rules.declared_faults(delivery("snds-dcir", "ER_PHA_F"), ["0_ER_PHA_F.csv"])) == [Code.TABLE_UNKNOWN]
    stays = delivery("snds-pmsi", "T_MCO19B", "T_MCO19C", "T_MCO20B")
    assert "T_MCO20 tables" in rules.declared_faults(stays, [file.path for file in stays.files])[0].text


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"whole": False}, Code.FILE_TRUNCATED),
        ({"sha256": "1" * 64}, Code.HASH_WRONG),
        ({"n_records": 4}, Code.ROWS_MISCOUNTED),
        ({"mixed_line_ends": True}, Code.FILE_UNREADABLE),
        ({"first_line": b" "}, Code.COLUMNS_WRONG),
    ],
)
def test_each_thing_wrong_with_a_file_has_its_code(change, code):
    file = delivery("snds-ref", "IR_BEN_R").files[0]
    assert codes(rules.content_faults(file, facts())) == []
    assert codes(rules.content_faults(file, facts(**change))) == [code]
    assert codes(rules.content_faults(file, None)) == [Code.FILE_MISSING]


def test_lines_are_not_counted_as_rows_where_quotes_may_hide_line_ends():
    file = delivery("snds-ref", "IR_BEN_R").files[0]
    assert rules.content_faults(file, facts(n_records=9, has_quotes=True)) == []


def test_columns_are_known_complete_and_once():
    table = delivered_table(Kind.SNDS_REF, "IR_BEN_R")
    assert table is not None
    good = ["ben_nir_psa", "BEN_RNG_GEM", "BEN_IDT_ANO", "BEN_SEX_COD", "BEN_NAI_ANN"]
    assert rules.column_faults("f.csv", table, good) == []
    texts = [fault.text for fault in rules.column_faults("f.csv", table, [*good[1:], "Nom de Jean", "BEN_RNG_GEM"])]
    assert any("lacks BEN_NIR_PSA" in text for text in texts)
    assert any("twice (BEN_RNG_GEM)" in text for text in texts)
    assert any("at 5" in text for text in texts)
    assert not any("Jean" in text for text in texts)


def test_headers_are_read_with_their_encoding_separator_and_quotes():
    assert rules.header_of(b'\xef\xbb\xbf"a;b";c\r', Encoding.UTF_8, ";", '"') == ("a;b", "c")
    assert rules.header_of(b'"a"\tb', Encoding.UTF_8, "\t", "") == ('"a"', "b")
    assert rules.header_of(b"\xe9;b", Encoding.ISO_8859_1, ";", '"') == ("é", "b")


def test_the_same_content_twice_in_a_delivery_is_told_but_for_empty_files():
    files = delivery("snds-ref", "IR_BEN_R", "IR_BEN_R", "IR_IMB_R").files
    assert codes(rules.twice_within([(file, facts()) for file in files])) == [Code.FILE_TWICE]
    empty = parse_delivery(
        {
            "source": "snds",
            "kind": "snds-ref",
            "files": [
                {"path": f"{i}.csv", "table": "IR_BEN_R", "sha256": SHA, "n_rows": 0, "separator": ";"} for i in (1, 2)
            ],
        }
    )
    assert rules.twice_within([(file, facts()) for file in empty.files]) == []


def test_rows_behind_skipped_records_move_on():
    assert rules.good_line_shifts([]) == []
    # records 2 and 3 are skipped: after the first read row, numbers run two ahead; record 6 adds one after the third
    assert rules.good_line_shifts([3, 2, 6]) == [(1, 2), (3, 3)]
    assert rules.good_line_shifts([1]) == [(0, 1)]


def test_the_gravest_word_of_the_reader_is_the_reason():
    assert rules.structure_reason(["CAST", "TOO MANY COLUMNS"]) is RejectReason.QUOTING
    assert rules.structure_reason(["MISSING COLUMNS", "INVALID ENCODING"]) is RejectReason.ENCODING
    assert rules.structure_reason(["MISSING COLUMNS"]) is RejectReason.FIELD_COUNT


def test_bytes_prove_an_encoding_or_none():
    assert rules.encoding_of(facts()) is Encoding.UTF_8
    assert rules.encoding_of(facts(is_utf_8=False)) is Encoding.ISO_8859_1
    assert rules.encoding_of(facts(is_utf_8=False, has_c1=True)) is None


def test_many_faults_are_cut_but_counted():
    faults = [Fault(Code.HASH_WRONG, f"file {i}") for i in range(30)]
    assert "10 more faults" in str(rules.refusal_of(faults))
