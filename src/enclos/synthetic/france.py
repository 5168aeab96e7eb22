"""The steps from a seed to a synthetic France.

Persons are made in chunks of a fixed size, each with random numbers of its own, so that memory does not grow with
the population and a chunk is the same whatever comes after it.
"""

from __future__ import annotations

import errno
import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.synthetic import truth
from enclos.synthetic.care import town_care
from enclos.synthetic.claims import others
from enclos.synthetic.claims.flux import ClaimWriter
from enclos.synthetic.claims.prestations import claims
from enclos.synthetic.effects import EffectsTruth
from enclos.synthetic.hospitals import deliver, links, records
from enclos.synthetic.illness import boxes_a_month, episodes, illness
from enclos.synthetic.kin import mothers
from enclos.synthetic.outcomes import LASTS_DAYS, OUTCOMES, events, exposure
from enclos.synthetic.people import NO_SHARES, People, Shares, people
from enclos.synthetic.pmsi import StayWriter
from enclos.synthetic.pmsi_fields import STREAM, FieldWriter
from enclos.synthetic.registers import open_registers, write_registers
from enclos.synthetic.sheets import MISSING_DAY, Deliveries
from enclos.synthetic.stays.draw import stays
from enclos.synthetic.stays.model import Stays
from enclos.synthetic.vocabulary import write_vocabulary

CHUNK_PERSONS = 20_000
FORMAT = 6
"""Raised when the same parameters would give other files."""
_OLDEST = 95
_RECIPE = "recipe.json"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def make_france(
    out: Path,
    n_persons: int,
    years: tuple[int, int],
    seed: int,
    traps: bool = True,
    progress: Callable[[str, float], None] | None = None,
    *,
    min_age: int = 0,
) -> dict[str, Any]:
    """Write a synthetic France of n persons living in the years (both included), byte-identical for a seed.

    In:      min_age — nobody is younger in the middle of the data: few of the old tell as much of their drugs as many
             of all ages; progress — called with what is being made and the share done, between 0 and 1
    Out:     JSON values: n_files, n_rows by table, n_bytes, seconds; files under OUT/deliveries and OUT/truth
    Empty:   OUT that already holds the result of the same parameters is left as it is
    Refuses: SYNTH_OUT_TAKEN when OUT holds anything else; SYNTH_PARAMETERS for persons or years out of range;
             STORAGE_FULL, leaving OUT empty
    """
    possible = n_persons >= 1 and 0 <= min_age <= _OLDEST
    if not possible or not 1990 <= years[0] <= years[1] <= 2080:
        raise refusal(
            Code.SYNTH_PARAMETERS,
            "No synthetic France was made: it takes persons, years between 1990 and 2080 in order, and ages to 95.",
            "Correct --persons, --years or --min-age.",
        )
    started = time.perf_counter()
    recipe = {"format": FORMAT, "persons": n_persons, "years": list(years), "seed": seed, "traps": traps}
    recipe |= {"min_age": min_age} if min_age else {}
    done = _already(out, recipe)
    if done is None:
        tell = progress or (lambda _what, _share: None)
        with _whole_or_nothing(out):
            done = _make(out, n_persons, years, seed, traps, min_age, tell)
            truth.write_json(out / "truth" / _RECIPE, {"recipe": recipe, "result": done})
    return {**done, "seconds": round(time.perf_counter() - started, 3)}


def _already(out: Path, recipe: dict[str, Any]) -> dict[str, Any] | None:
    """What the folder says it is, when it is the result of this recipe; None when it is empty."""
    if not out.exists() or not any(out.iterdir()):
        return None
    known = out / "truth" / _RECIPE
    if known.is_file():
        found: dict[str, Any] = json.loads(known.read_text(encoding="utf-8"))
        if found["recipe"] == recipe:
            result: dict[str, Any] = found["result"]
            return result
    raise refusal(
        Code.SYNTH_OUT_TAKEN,
        "No synthetic France was made: the folder holds something else, one of other parameters, or an unfinished one.",
        "Name an empty folder, or remove this one.",
    )


@contextmanager
def _whole_or_nothing(out: Path) -> Iterator[None]:
    """Remove what was written when the storage is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        for name in ("deliveries", "truth"):
            shutil.rmtree(out / name, ignore_errors=True)
        raise refusal(
            Code.STORAGE_FULL, "No room to store the synthetic France.", "Free space, then run it again."
        ) from None


def _make(
    out: Path,
    n_persons: int,
    years: tuple[int, int],
    seed: int,
    traps: bool,
    min_age: int,
    tell: Callable[[str, float], None],
) -> dict[str, Any]:
    folder = out / "truth"
    folder.mkdir(parents=True, exist_ok=True)
    with Deliveries(out / "deliveries") as deliveries, truth.IdentityTruth(folder) as identities:
        writing = _Writing(deliveries, identities, years, seed, traps=traps, min_age=min_age)
        for first in range(0, n_persons, CHUNK_PERSONS):
            tell("persons", first / n_persons)
            writing.write_chunk(first, min(CHUNK_PERSONS, n_persons - first))
        n_rows = deliveries.close()
    writing.write_truth(folder)
    tell("persons", 1.0)
    n_bytes = sum(path.stat().st_size for path in (out / "deliveries").rglob("*") if path.is_file())
    return {"n_files": deliveries.n_files, "n_bytes": n_bytes, "n_rows": n_rows}


class _Writing:
    """The files of one France, and what is counted while they are written."""

    def __init__(
        self,
        deliveries: Deliveries,
        identities: truth.IdentityTruth,
        years: tuple[int, int],
        seed: int,
        *,
        traps: bool,
        min_age: int,
    ) -> None:
        self._min_age = min_age
        start, after = date(years[0], 1, 1), date(years[1] + 1, 1, 1)
        self._days = ((start - date(1970, 1, 1)).days, (after - date(1970, 1, 1)).days)
        self._seed = seed
        self._years = range(years[0], years[1] + 1)
        self._deliveries, self._identities = deliveries, identities
        write_vocabulary(deliveries, (start, after))
        open_registers(deliveries, (start, after))
        deliver.begin(deliveries, (start, after))
        links.begin(deliveries, (start, after))
        self._claims = ClaimWriter(deliveries, *self._days, archived=traps)
        self._stays = StayWriter(deliveries, years)
        self._fields = FieldWriter(deliveries, years)
        self._incidence = truth.IncidenceTruth(self._years)
        self._effects = EffectsTruth()
        self._counts: Counter[str] = Counter()
        self._traps: Counter[str] | None = Counter() if traps else None
        self._next_visit = [1] * len(records.SOURCES)

    def write_chunk(self, first: int, n: int) -> None:
        """Make and write n persons, of whom the first has this number."""
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self._seed, first])))
        folk = people(rng, first, n, *self._days, NO_SHARES if self._traps is None else Shares(), self._min_age)
        ill = illness(rng, folk)
        care = town_care(rng, folk, ill, episodes(rng, folk, ill))
        lasts = boxes_a_month()[1] * LASTS_DAYS
        used = {e.atc: exposure(folk, care.dispensed, e.atc, lasts) for o in OUTCOMES for e in o.effects}
        happened = [events(rng, folk, ill, outcome, used) for outcome in OUTCOMES]
        in_hospital = stays(rng, folk, ill, happened, irregular=self._traps is not None)
        came = {outcome.name: found for outcome, found in zip(OUTCOMES, happened, strict=True)}
        for name, found in came.items():
            self._incidence.add(folk, name, found)
        self._effects.add(folk, ill, care.dispensed, lasts, came)
        mother = mothers(folk, in_hospital)
        self._identities.add(folk, self._write_hospitals(rng, folk, in_hospital), mother)
        self._stays.write(rng, folk, in_hospital, mother, self._traps)
        own = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self._seed, first, STREAM])))
        self._fields.write(own, folk, self._traps)
        apart = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self._seed, first, others.STREAM])))
        billed = others.with_others(apart, folk, claims(rng, folk, care, self._traps), self._traps)
        self._claims.write(folk, billed, self._traps)
        last_care = np.full(n, -1, dtype=np.int64)
        np.maximum.at(last_care, billed.prestations.person, billed.prestations.day)
        last_care[last_care < 0] = MISSING_DAY
        self._counts.update(write_registers(rng, self._deliveries, folk, ill, last_care, self._traps))

    def _write_hospitals(self, rng: np.random.Generator, folk: People, found: Stays) -> list[records.Record]:
        held = []
        for place in range(len(records.SOURCES)):
            one = records.record(rng, folk, found, place, self._next_visit[place], self._traps)
            self._next_visit[place] += len(one.visits)
            deliver.write(self._deliveries, one)
            links.write(rng, self._deliveries, one)
            held.append(one)
        return held

    def write_truth(self, folder: Path) -> None:
        """Write what was counted, and the studies that ask for it."""
        truth.write_studies(folder, self._years)
        truth.write_incidence(folder, self._incidence)
        truth.write_json(folder / "effects.json", self._effects.rows())
        truth.write_json(folder / "traps.json", dict(self._traps or {}))
        truth.write_json(folder / "population.json", dict(self._counts))
