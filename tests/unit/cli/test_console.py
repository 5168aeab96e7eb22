"""What a person sees of a result: everything by its name, what is long cut with a word about --json."""

from __future__ import annotations

from enclos.cli.console import hint, show


def shown(capsys, result):
    show(result, as_json=False)
    return capsys.readouterr().out.splitlines()


def test_what_lies_inside_a_value_is_further_in(capsys):
    assert shown(capsys, {"kept": {"cells": 0.5, "merged": {"verdict": "pass", "ages": [1, 2]}}, "none": []}) == [
        "kept:",
        "  cells: 0.5",
        "  merged:",
        "    verdict: pass",
        "    ages: 1; 2",
        "none: –",
    ]


def test_a_document_inside_a_value_keeps_its_lines(capsys):
    change = "- incidence:\n    outcome: [bleed]\n"
    assert shown(capsys, {"merged": {"study_change": change}}) == [
        "merged:",
        "  study_change:",
        "    - incidence:",
        "        outcome: [bleed]",
    ]


def test_long_lists_inside_a_value_are_cut(capsys):
    lines = shown(capsys, {"n_rows": {f"T{n}": n for n in range(100)}, "in": {"cells": [{"n": n} for n in range(40)]}})
    assert lines[30:33] == ["  T29: 29", "  … and 70 more: --json has them all", "in:"]
    assert lines[-2:] == ["    - n 29", "    … and 10 more: --json has them all"]


def test_a_hint_is_for_people_only(capsys):
    hint("enclos build home", as_json=False)
    hint("enclos build home", as_json=True)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "next: enclos build home\n")
