"""The words: refusals, verdicts, spans, ids, keys."""

from __future__ import annotations

import pickle
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.codes import Branch, Code
from enclos.lexicon.ids import MAX_PERSONS, ORDINALS_PER_PERSON, compose, ordinal_of, person_of
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import NotAllowed, NotAsPromised, NotSafe, refusal
from enclos.lexicon.spans import Span, span_from_inclusive
from enclos.lexicon.verdicts import Verdict, worst


@pytest.mark.parametrize("code", list(Code))
def test_every_code_makes_a_refusal_of_its_branch_with_its_exit_number(code):
    refused = refusal(code, "Something was refused.", "Do something.")
    expected = {
        Branch.NOT_ALLOWED: (NotAllowed, 3),
        Branch.NOT_AS_PROMISED: (NotAsPromised, 4),
        Branch.NOT_SAFE: (NotSafe, 5),
    }
    kind, exit_code = expected[code.branch]
    assert type(refused) is kind
    assert refused.exit_code == exit_code
    assert code.id in str(refused)
    assert code.rule in str(refused)
    assert str(refused).endswith("Next: Do something.")


def test_codes_are_unique():
    assert len({code.id for code in Code}) == len(Code)


def test_the_worst_verdict_wins_and_no_check_at_all_refuses():
    assert worst([Verdict.PASS, Verdict.REVIEW]) is Verdict.REVIEW
    assert worst([Verdict.PASS, Verdict.REFUSE, Verdict.REVIEW]) is Verdict.REFUSE
    assert worst([Verdict.PASS]) is Verdict.PASS
    assert worst([]) is Verdict.REFUSE


def test_an_omop_row_of_one_day_lasts_one_day():
    assert span_from_inclusive(date(2020, 2, 28), date(2020, 2, 28)).n_days == 1
    assert span_from_inclusive(date(2020, 2, 28), date(2020, 3, 1)).n_days == 3


def test_a_span_cannot_end_before_it_starts():
    with pytest.raises(ValueError):
        Span(date(2020, 1, 2), date(2020, 1, 1))


DAYS = st.dates(date(2019, 1, 1), date(2020, 12, 31))
SPANS = st.tuples(DAYS, DAYS).map(lambda pair: Span(min(pair), max(pair)))


@given(SPANS, SPANS)
def test_cutting_keeps_exactly_the_common_days(one, other):
    common = one.cut(other)
    days = set(range(one.start_on.toordinal(), one.end_on.toordinal()))
    days &= set(range(other.start_on.toordinal(), other.end_on.toordinal()))
    assert (common.n_days if common else 0) == len(days)
    assert other.cut(one) == common


@given(st.integers(0, MAX_PERSONS - 1), st.integers(0, ORDINALS_PER_PERSON - 1))
def test_row_ids_compose_and_come_apart_within_63_bits(person, ordinal):
    row = compose(person, ordinal)
    assert 0 <= row < 2**63
    assert (person_of(row), ordinal_of(row)) == (person, ordinal)


@pytest.mark.parametrize(("person", "ordinal"), [(-1, 0), (MAX_PERSONS, 0), (0, -1), (0, ORDINALS_PER_PERSON)])
def test_row_ids_out_of_range_are_refused(person, ordinal):
    with pytest.raises(ValueError):
        compose(person, ordinal)


def test_a_key_never_shows_itself():
    secret = bytes(range(32))
    key = SecretKey(KeyName(KeyRole.PERMIT, "FR-1"), secret)
    shown = f"{key!r} {key} {[key]}"
    assert "permit/FR-1" in shown
    assert secret.hex() not in shown
    assert key.reveal_base64() not in shown
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(ValueError):
        SecretKey(KeyName(KeyRole.VAULT), b"short")


def test_canonical_json_sorts_and_spaces_as_rfc_8785_shows():
    document = {
        "literals": [None, True, False],
        "numbers": [333333333.33333329, 1e30, 4.5, 2e-3],
        "string": "€$\u000f\nA'B",
    }
    expected = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002],"string":"€$\\u000f\\nA\'B"}'
    )
    assert canonical_bytes(document).decode("utf-8") == expected
