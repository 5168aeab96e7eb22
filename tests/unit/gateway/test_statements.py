"""Statements are cut where PostgreSQL cuts them, and values stand in them as literals."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclos.gateway.statements import filled, literal, n_parameters, statements_of
from enclos.gateway.tokens import tokens_of
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal


def cut(text: str) -> list[str]:
    return ["".join(token.text for token in part).strip() for part in statements_of(text)]


def test_only_a_semicolon_that_is_said_ends_a_statement() -> None:
    assert cut("SELECT 1; SELECT ';' ; -- a; b\n ;/* ; /* ; */ */; SELECT \";\"") == [
        "SELECT 1",
        "SELECT ';'",
        'SELECT ";"',
    ]
    assert cut("SELECT 'it''s;', E'a\\';b', $x$;$x$, $$;$$;SELECT 2") == [
        "SELECT 'it''s;', E'a\\';b', $x$;$x$, $$;$$",
        "SELECT 2",
    ]
    assert cut(" ; -- nothing") == []


@given(st.text(alphabet="ab$1;'\"\\/*- \nE.:é", max_size=40))
def test_pieces_are_the_whole_text(text: str) -> None:
    assert "".join(token.text for token in tokens_of(text)) == text


def test_parameters_are_filled_in_where_they_are_parameters() -> None:
    (tokens,) = statements_of("SELECT $1, '$1', \"$1\", $$ $1 $$, x$1, $2 -- $3")
    assert n_parameters(tokens) == 2
    assert filled(tokens, [7, "it's"]) == "SELECT 7, '$1', \"$1\", $$ $1 $$, x$1, 'it''s' -- $3".replace("x$1", "x7")
    with pytest.raises(Refusal) as caught:
        filled(tokens, [7])
    assert caught.value.code is Code.GATE_PARAMETER


def test_the_schema_goes_and_other_names_stay() -> None:
    (tokens,) = statements_of('SELECT public.person.person_id, a.public FROM public.person, "public"."death" d, public')
    assert filled(tokens, []) == 'SELECT person.person_id, a.public FROM person, "death" d, public'


@pytest.mark.parametrize(
    ("value", "written"),
    [
        *((None, "NULL"), (True, "TRUE"), (5, "5"), (-5, "(-5)"), (0.5, "CAST('0.5' AS DOUBLE)")),
        *((float("nan"), "CAST('nan' AS DOUBLE)"), (Decimal("-1.50"), "(-1.50)"), (Decimal("1E+3"), "1000")),
        *((date(2020, 1, 2), "DATE '2020-01-02'"), ("a'; DROP", "'a''; DROP'"), ([1, None], "[1, NULL]")),
        (datetime(2020, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))), "TIMESTAMP '2020-01-02 01:04:05'"),
        (timedelta(days=-1, seconds=2), "INTERVAL '-1 days 2000000 microseconds'"),
        (datetime(2020, 1, 2, tzinfo=UTC), "TIMESTAMP '2020-01-02 00:00:00'"),
    ],
)
def test_literals(value: object, written: str) -> None:
    assert literal(value) == written


@pytest.mark.parametrize(
    ("said", "value", "written"),
    [
        *(("= ANY($1)", [1, None], " IN (1, NULL)"), ("=any ( $1 :: int [] )", ["1"], " IN ('1')")),
        *(("= SOME($1)", '{a,"b,c"}', " IN ('a', 'b,c')"), ("<> ALL($1)", [1, 2], " NOT IN (1, 2)")),
        *(("!= ALL($1)", [], " NOT IN (SELECT NULL WHERE FALSE)"), ("= ANY($1)", None, " IN (NULL)")),
        *(("= ANY($1)", "a", "= ANY('a')"), ("= ANY(SELECT $1)", [1], "= ANY(SELECT [1])"), ("= ANY(", 1, "= ANY(")),
    ],
)
def test_a_value_is_looked_for_in_a_list(said: str, value: object, written: str) -> None:
    (tokens,) = statements_of(f"SELECT 1 WHERE 'x' {said} OR a = $2")
    assert filled(tokens, [value, 7]) == f"SELECT 1 WHERE 'x' {written} OR a = 7"


@pytest.mark.parametrize(
    "value",
    [
        *("a\0b", b"bytes", {}, object, Decimal("1E999999999"), Decimal("1E-999999999"), [Decimal("-1E+99999")]),
        *(datetime.max.replace(tzinfo=timezone(-timedelta(hours=2))), datetime.min.replace(tzinfo=timezone.max)),
    ],
    ids=str,
)
def test_what_has_no_literal_is_refused(value: object) -> None:
    with pytest.raises(Refusal) as caught:
        literal(value)
    assert caught.value.code is Code.GATE_PARAMETER
