"""Every reference result beside the checkout is read by a test or a bench, or it is said here why not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from shared_data import shared

ROOT = Path(__file__).resolve().parents[2]
READS = re.compile(r'\.csv\.gz|"oracle"|factories\.cohortmethod')
"""What the text of a file has that reads reference results, or that names them for one that does."""
ENDING = re.compile(r"\.(csv|txt)\.gz$")
UNREAD = {
    "cm_analysisRef": "names of kinds of covariates",
    "cm_covariateRef": "names of covariates",
    "cm_numbers": "printed; what is equalled stands in tests/acceptance/test_cohortmethod_parity.py",
    "cm_ps_model": "its variance was found by cross-validation, whose folds are drawn",
    "cyclops_cox_coef_cv": "its variance was found by cross-validation, whose folds are drawn",
    "cyclops_lr_coef_cv": "its variance was found by cross-validation, whose folds are drawn",
    "cyclops_numbers": "printed; what is equalled stands in tests/integration/test_regression_against_cyclops.py",
    "cyclops_pr_coef_cv": "its variance was found by cross-validation, whose folds are drawn",
    "cyclops_ps50k_coef_cv": "its variance was found by cross-validation, whose folds are drawn",
    "cyclops_ps50k_coef_var0.05": "the peer stops before it converges; how far off it is, bench/regression.py tells",
    "ec_cohortMethod": "its thirty rows stand in tests/unit/studies/calibration/test_peer.py",
    "ec_numbers": "printed; what is equalled stands in tests/unit/studies/calibration/test_peer.py",
    "sccs_eraRef": "names of eras",
    "sccs_numbers": "printed; what is equalled stands in tests/acceptance/test_sccs_parity.py",
}


def strings() -> Iterator[ast.Constant | ast.JoinedStr]:
    """The strings of all files that read reference results."""
    for top in ("tests", "bench"):
        for file in sorted((ROOT / top).rglob("*.py")):
            text = file.read_text(encoding="utf-8")
            if file == Path(__file__) or not READS.search(text):
                continue
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
                    yield node


def words_and_patterns() -> tuple[set[str], set[str], list[re.Pattern[str]]]:
    """The words in strings, those that are a whole string, and for strings that are filled in, what they can become."""
    words: set[str] = set()
    alone: set[str] = set()
    patterns: set[str] = set()
    for node in strings():
        if isinstance(node, ast.Constant):
            found = {ENDING.sub("", word) for word in re.split(r"[^\w.]+", str(node.value))}
            words |= found
            if len(found) == 1:
                alone |= found
            continue
        parts = [ENDING.sub("", str(each.value)) if isinstance(each, ast.Constant) else None for each in node.values]
        if any(part and re.search("[a-z]{2}", part) for part in parts):
            patterns.add("".join(r"([\w.]+)" if part is None else re.escape(part) for part in parts))
    return words, alone, [re.compile(each) for each in sorted(patterns)]


WORDS, ALONE, PATTERNS = words_and_patterns()


def is_filled_in(name: str, depth: int = 2) -> bool:
    """Whether a string becomes the name when it is filled in with others, which may be filled in themselves."""
    matches = [match for each in PATTERNS if (match := each.fullmatch(name))] if depth else []
    return any(all(part in ALONE or is_filled_in(part, depth - 1) for part in match.groups()) for match in matches)


def is_named(name: str) -> bool:
    """Whether a name is written out, or made of what is."""
    return name in WORDS or is_filled_in(name)


def test_a_name_that_nobody_writes_is_not_named() -> None:
    assert is_named("cm_studypop")
    assert is_named("cyclops_lr_coef_laplace_var0.1")
    assert not is_named("cm_nobody")
    assert not is_named("du_nobody_gap30")


def test_every_reference_result_is_read_or_said_not_to_be() -> None:
    folder = shared("oracle")
    there = {ENDING.sub("", file.name) for file in folder.rglob("*.gz")} if folder else set(UNREAD)
    assert {name for name in there if not is_named(name)} == UNREAD.keys()
