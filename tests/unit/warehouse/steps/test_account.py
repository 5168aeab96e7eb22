from enclos.warehouse.model import Fate
from enclos.warehouse.plans.traps import Trap
from enclos.warehouse.steps.account import Account
from factories.pseudonymised import bench

TRAPS = (Trap("majoration", "", Fate.FILTERED, ""), Trap("no_date", "", Fate.REJECTED, ""))


def test_verdicts_become_fates_and_kept_lines_that_are_not_mapped_cancelled() -> None:
    engine, _ = bench()
    account = Account()
    account.deliver("pha", "snds", 10)
    lines = "(VALUES (0, 4, 3), (0, 2, 0), (1, 3, 0), (2, 1, 0)) AS lines(verdict, n_lines, n_mapped)"
    account.judge(engine, "pha", lines, TRAPS)
    account.map("pha", 3)
    (line,) = account.tables()
    assert line.adds_up
    assert (line.mapped, line.cancelled, line.filtered, line.rejected) == (3, 3, 3, 1)
    assert line.reasons == {"majoration": 3, "no_date": 1}


def test_a_line_that_was_kept_but_reached_no_row_shows() -> None:
    engine, _ = bench()
    account = Account()
    account.deliver("pha", "snds", 2)
    account.judge(engine, "pha", "(VALUES (0, 2, 2)) AS lines(verdict, n_lines, n_mapped)", TRAPS)
    account.map("pha", 1)
    assert not account.tables()[0].adds_up


def test_the_most_frequent_unmapped_code_comes_first() -> None:
    account = Account()
    for code, n_rows in (("A", 1), ("B", 5), ("A", 2)):
        account.unmapped("CIM10", code, n_rows)
    assert [(code.code, code.n_rows) for code in account.codes()] == [("B", 5), ("A", 3)]


def test_what_a_part_told_can_be_added_again() -> None:
    engine, _ = bench()
    piece = Account()
    piece.deliver("pha", "snds", 10)
    lines = "(VALUES (0, 4, 3), (0, 2, 0), (1, 3, 0), (2, 1, 0)) AS lines(verdict, n_lines, n_mapped)"
    piece.judge(engine, "pha", lines, TRAPS)
    piece.map("pha", 3)
    piece.unmapped("CIP13", "A", 2)
    piece.expected["drug_exposure"] = 3
    again = Account()
    again.add(piece.as_text())
    assert (again.tables(), again.codes(), again.expected) == (piece.tables(), piece.codes(), piece.expected)
    again.add(piece.as_text())
    assert again.tables()[0].delivered == 20
