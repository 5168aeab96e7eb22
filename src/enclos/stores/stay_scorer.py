"""Probabilistic comparison of stays by splink, on an engine of its own that has nothing else.

What it is given are numbers: keyed numbers of codes, FINESS, days, sex and birth month; no patient and no person. It
runs on one thread while it learns, so that a seed gives the same weights again.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from enclos.linkage.model import ScoredStays
from enclos.stores.engine import engine_border, open_engine

_SAMPLED_PAIRS = 2e6
_THREADS = 2
_DEMOGRAPHIC = frozenset({"sex", "birth_month"})
Level = tuple[str, str]
"""A condition over a pair's columns and what it is called."""


class EphemeralBlinding:
    """Keyed numbers of codes; the key is made here, never written, and gone with this object.

    Source: HMAC-SHA256 (RFC 2104), cut to 63 bits
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def __repr__(self) -> str:
        return "EphemeralBlinding()"

    def blind(self, codes: Sequence[str]) -> list[int]:
        """The number of each code."""
        return [
            int.from_bytes(hmac.digest(self._key, code.encode("utf-8"), hashlib.sha256)[:8], "big") >> 1
            for code in codes
        ]


def _days(name: str) -> list[Level]:
    apart = f"abs(datediff('day', {name}_l, {name}_r))"
    return [(f"{name}_l = {name}_r", "same day"), (f"{apart} = 1", "a day apart"), (f"{apart} <= 7", "a week apart")]


_COMPARISONS: Mapping[str, list[Level]] = {
    "finess": [("finess_l = finess_r", "same hospital")],
    "entry_on": _days("entry_on"),
    "exit_on": _days("exit_on"),
    "sex": [("sex_l = sex_r", "same")],
    "birth_month": [
        ("birth_month_l = birth_month_r", "same month"),
        ("abs(birth_month_l - birth_month_r) = 1", "a month apart"),
        ("abs(birth_month_l - birth_month_r) % 12 = 0 OR birth_month_l // 12 = birth_month_r // 12", "month or year"),
    ],
    "diagnoses": [
        ("principal_l = principal_r AND codes_l = codes_r", "same principal, same others"),
        ("principal_l = principal_r", "same principal"),
        ("list_has_any(codes_l, codes_r)", "one in common"),
    ],
    "acts": [
        ("len(acts_l) > 0 AND acts_l = acts_r", "same acts"),
        ("len(acts_l) = 0 AND len(acts_r) = 0", "no act"),
        ("list_has_any(acts_l, acts_r)", "one in common"),
    ],
}
_NULLS = {"diagnoses": "principal_l IS NULL OR principal_r IS NULL", "acts": "acts_l IS NULL OR acts_r IS NULL"}
_BLOCKS = (
    ("birth_month", "entry_on"),
    ("birth_month", "exit_on"),
    ("finess", "entry_on", "exit_on", "principal"),
    ("finess", "birth_month", "principal", "acts_key"),
)
_LEARN_ON = (("birth_month", "entry_on"), ("finess", "exit_on", "principal", "acts_key"))


class SplinkStays:
    """Fellegi and Sunter's model of two stays: u from a random sample, m by expectation maximisation."""

    def __init__(self, temp_dir: Path | None, *, memory_limit_mb: int = 3072) -> None:
        self._temp_dir = temp_dir
        self._memory_limit_mb = memory_limit_mb

    def __repr__(self) -> str:
        return "SplinkStays()"

    def score(self, hospital: pa.Table, national: pa.Table, *, seed: int, floor: float) -> ScoredStays:
        """Learn weights from the stays and give the pairs that weigh at least ``floor`` bits.

        The chance that two stays at random are one is one in the number of the PMSI's stays: each hospital stay has
        one there.
        """
        from splink import DuckDBAPI, Linker, block_on

        with open_engine(self._temp_dir, self._memory_limit_mb, threads=1) as engine, _quiet(), engine_border():
            api = DuckDBAPI(engine.connection)
            sides = []
            for name, rows in (("hospital", hospital), ("national", national)):
                engine.register("enclos_arriving", rows)
                engine.execute(f"CREATE TABLE {name} AS SELECT * FROM enclos_arriving ORDER BY unique_id")
                engine.unregister("enclos_arriving")
                sides.append(api.register(name, dataset_display_name=name))
            linker = Linker(sides, _settings(1 / national.num_rows), log_level=logging.ERROR)
            linker.training.estimate_u_using_random_sampling(max_pairs=_SAMPLED_PAIRS, seed=seed)
            for block in _LEARN_ON:
                linker.training.estimate_parameters_using_expectation_maximisation(
                    block_on(*block), fix_probability_two_random_records_match=False
                )
            engine.execute(f"SET threads = {_THREADS}")
            found = linker.inference.predict(threshold_match_weight=floor)
            own = " + ".join(f"mw_{name}" for name in _COMPARISONS if name not in _DEMOGRAPHIC)
            pairs = engine.query(
                f"SELECT unique_id_l AS stay, unique_id_r AS other, {_bits('match_weight')} AS weight, "
                f"{_bits(own)} AS own FROM {found.physical_name} ORDER BY ALL"
            )
            chart = linker.visualisations.match_weights_chart().chart_dict
            model = _learnt(linker.misc.save_model_to_json())
        return ScoredStays(pairs, model, chart)


def _bits(weight: str) -> str:
    """A weight as a decimal, whose sums do not depend on their order; what never or always happens weighs 1000 bits."""
    return f"CAST(least(greatest({weight}, -1000), 1000) AS DECIMAL(12, 6))"


def _settings(prior: float) -> dict[str, Any]:
    return {
        "link_type": "link_only",
        "probability_two_random_records_match": prior,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": " AND ".join(f"l.{name} = r.{name}" for name in block)} for block in _BLOCKS
        ],
        "comparisons": [
            {
                "output_column_name": name,
                "comparison_description": name,
                "comparison_levels": [
                    {
                        "sql_condition": _NULLS.get(name, f"{name}_l IS NULL OR {name}_r IS NULL"),
                        "label_for_charts": "not told",
                        "is_null_level": True,
                    },
                    *({"sql_condition": sql, "label_for_charts": label} for sql, label in levels),
                    {"sql_condition": "ELSE", "label_for_charts": "otherwise"},
                ],
            }
            for name, levels in _COMPARISONS.items()
        ],
    }


def _learnt(settings: Mapping[str, Any]) -> dict[str, Any]:
    """M and u of each level, without what splink notes besides."""
    return {
        "prior": settings["probability_two_random_records_match"],
        "comparisons": {
            comparison["output_column_name"]: [
                {
                    "level": level["label_for_charts"],
                    "m": level.get("m_probability"),
                    "u": level.get("u_probability"),
                }
                for level in comparison["comparison_levels"]
                if not level.get("is_null_level")
            ]
            for comparison in settings["comparisons"]
        },
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Splink tells on its logger what it does, at times with SQL: nobody hears it."""
    logger = logging.getLogger("splink")
    before = logger.disabled, logger.level
    logger.disabled = True
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.disabled, level = before
        logger.setLevel(level)
