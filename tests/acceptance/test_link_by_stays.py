"""Patients without NIR, by the commands that a person types: link by stays, another threshold, persons that follow."""

from __future__ import annotations

import pytest

from factories.enclosure import call, run_cli


def n_persons(home):
    return run_cli("build", home)["tables"]["person"]


@pytest.mark.slow
def test_a_threshold_decides_anew_and_the_next_build_follows(home, france):
    alone = n_persons(home)
    tried = run_cli("link", home, "--truth", france / "truth")["indirect"]
    assert (tried["applied"], tried["recall"] >= 0.97, tried["precision"] >= 0.995) == (False, True, True)
    assert n_persons(home) == alone
    found = run_cli("link", home, "--indirect", "--truth", france / "truth")
    assert found["direct"]["false_links"] == 0
    indirect = found["indirect"]
    assert indirect["recall"] >= 0.97
    assert indirect["precision"] >= 0.995
    low, high = indirect["recall_interval"]
    assert low <= indirect["recall"] <= high
    assert indirect["compared"]
    assert (home / indirect["chart"]).read_text("utf-8").startswith("<svg")
    assert n_persons(home) < alone
    nobody = run_cli("link", home, "--indirect", "--threshold", "100000")["indirect"]
    assert (nobody["compared"], nobody["linked"]) == (False, 0)


def test_what_cannot_be_is_a_usage_error(empty):
    for wrong in (["--method", "guess", "--indirect"], ["--threshold", "3"], ["--indirect", "--threshold", "nan"]):
        done = call("link", empty, *wrong)
        assert (done.returncode, done.stdout) == (2, "")


def test_without_any_stay_nobody_is_linked(empty):
    for method in ("deterministic", "probabilistic"):
        found = run_cli("link", empty, "--indirect", "--method", method)["indirect"]
        assert (found["patients"], found["linked"], found["success"]) == (0, 0, False)
