"""Reference tables: beneficiaries (IR_BEN_R and its archive), long-term illness (IR_IMB_R) and deaths (KI_CCI_R)."""

from __future__ import annotations

from collections import Counter
from datetime import date

import numpy as np
import numpy.typing as npt

from enclos.synthetic import covers
from enclos.synthetic.illness import Illness, Indices
from enclos.synthetic.people import Days, Flags, People, pseudonyms
from enclos.synthetic.references import conditions, departments, layout, weighted_codes
from enclos.synthetic.sheets import (
    DAY_1600,
    DAY_2099,
    MISSING_DAY,
    Bytes,
    Deliveries,
    Field,
    block,
    day,
    digits,
    line,
    render,
    texts,
)

DELIVERY = "snds-ref"
TABLES = ("IR_BEN_R", "IR_BEN_R_ARC", "IR_IMB_R", "IR_ORC_R", "IR_MAT_R", "KI_CCI_R", "KI_ECD_R")
CERTIFICATE_MATCHED = 0.88
"""Share of deaths whose certificate is matched, from 2017. Source: CépiDc slides, mean of 2013 to 2016."""
_FIRST_MATCHED_YEAR = 2006
MATCHED_BY_YEAR = (0.343, 0.396, 0.488, 0.580, 0.627, 0.683, 0.768, 0.887, 0.901, 0.901, 0.833, CERTIFICATE_MATCHED)
"""The same from 2006 to 2016, year by year, then as above. Source: CépiDc slides by way of marginals.csv."""
_DEATH_DATE_MISSING = 0.05


def open_registers(deliveries: Deliveries, period: tuple[date, date]) -> None:
    """Begin the delivery."""
    deliveries.open(DELIVERY, "snds", "snds-ref", period)
    for table in TABLES:
        deliveries.sheet(DELIVERY, f"{table}.csv", table, layout(table))


def write_registers(
    rng: np.random.Generator,
    deliveries: Deliveries,
    folk: People,
    ill: Illness,
    last_care: Days,
    traps: Counter[str] | None,
) -> dict[str, int]:
    """Write one chunk; returns what the truth counts: deaths, matched certificates, persons with ALD by number."""
    _beneficiaries(rng, deliveries, folk, last_care, traps)
    found = _long_term_illness(rng, deliveries, folk, ill, traps)
    covers.write_covers(deliveries, folk, traps)
    return found | _certificates(rng, deliveries, folk)


def _put(deliveries: Deliveries, table: str, n: int, fields: list[Field]) -> None:
    sheet = deliveries.sheet(DELIVERY, f"{table}.csv", table, layout(table))
    deliveries.write(sheet, render(n, fields), n)


def _birth(folk: People, who: Indices) -> tuple[Indices, Indices]:
    birth = folk.birth[who].astype("datetime64[D]")
    year = birth.astype("datetime64[Y]").astype(np.int64) + 1970
    month = birth.astype("datetime64[M]").astype(np.int64) % 12 + 1
    return year, month


def _beneficiaries(
    rng: np.random.Generator, deliveries: Deliveries, folk: People, last_care: Days, traps: Counter[str] | None
) -> None:
    n = len(folk)
    dead = folk.death < folk.end
    unknown_death = dead & (rng.random(n) < (_DEATH_DATE_MISSING if traps is not None else 0.0))
    death = np.where(dead & ~unknown_death, folk.death, MISSING_DAY)
    if traps is not None:
        none = (death == MISSING_DAY) & (rng.random(n) < 0.9)
        death[none] = DAY_1600
        traps["ben_death_dates_missing"] += int(unknown_death.sum())
        traps["ben_dates_1600"] += int(none.sum())
        traps["ben_twin_ranks"] += int((folk.rank > 1).sum())
        traps["ben_second_psa"] += int((folk.second_psa != b"").sum())
        traps["ben_nir_ano_missing"] += int((folk.nir_ano == b"").sum())
        traps["ben_provisional"] += int(folk.provisional.sum())
    inserted = np.where(
        folk.birth >= folk.start,
        folk.birth + 5 + rng.integers(0, 35, n),
        np.maximum(folk.birth + 20, folk.start - 1 - rng.integers(0, 12 * 365, n)),
    )
    changed = np.minimum(np.maximum(inserted, last_care), folk.end + 150)
    changed = np.where(last_care == MISSING_DAY, inserted, changed)
    both = np.concatenate([np.arange(n), np.flatnonzero(folk.second_psa != b"")])
    psa = np.concatenate([folk.psa, folk.second_psa[folk.second_psa != b""]])
    since = np.concatenate([inserted, folk.switch[folk.second_psa != b""]])
    year, month = _birth(folk, both)
    codes = texts([d.snds_code for d in departments()])
    commune = 1 + (both * 37 + folk.first) % 400
    archived = np.zeros(len(both), dtype=bool)
    if traps is not None:  # one scheme never sends the commune; pseudonyms out of use are moved to the archive
        commune[(both * 53 + folk.first) % 97 < 3] = 0
        archived[:n] = (folk.second_psa != b"") & (np.arange(n) % 2 == 0)
        traps["ben_communes_missing"] += int((commune == 0).sum())
        traps["ben_archived"] += int(archived.sum())
    whole = block(
        len(both),
        line(
            psa,
            list(digits(folk.rank[both], 1)),
            folk.nir_ano[both],
            folk.idt[both],
            (texts(["0", "1"]), (folk.nir_ano[both] != b"").astype(np.int64)),
            (texts(["00", "03"]), folk.provisional[both].astype(np.int64)),
            list(digits(year, 4)),
            list(digits(month, 2)),
            (texts(["1", "2"]), folk.female[both].astype(np.int64)),
            day(death[both]),
            (codes, folk.department[both]),
            list(digits(commune, 3)),
            (texts(["0", "1"]), (last_care[both] != MISSING_DAY).astype(np.int64)),
            day(last_care[both]),
            day(since),
            day(np.maximum(changed[both], since)),
        ),
    )
    for table, chosen in (("IR_BEN_R", ~archived), ("IR_BEN_R_ARC", archived)):
        _put(deliveries, table, int(chosen.sum()), [whole[chosen]])


def _long_term_illness(
    rng: np.random.Generator, deliveries: Deliveries, folk: People, ill: Illness, traps: Counter[str] | None
) -> dict[str, int]:
    any_ald = np.zeros(len(folk), dtype=bool)
    counts: dict[str, int] = {}
    middle = (folk.start + folk.end) // 2
    present = (folk.birth <= middle) & (folk.death > middle)
    for condition in conditions():
        if not condition.ald:
            continue
        entitled = ill.has[condition.name] & (rng.random(len(folk)) < condition.ald_share)
        since = np.minimum(ill.onset[condition.name] + rng.integers(5, 60, len(folk)), folk.end + 60)
        entitled &= since < folk.leaves
        who = np.flatnonzero(entitled)
        active = present & entitled & (since <= middle)
        counts[f"ald_{condition.ald}"] = counts.get(f"ald_{condition.ald}", 0) + int(active.sum())
        any_ald |= active
        codes = [code for code, _ in condition.motives]
        weights = np.array([weight for _, weight in condition.motives])
        motive = rng.choice(len(codes), len(who), p=weights / weights.sum())
        if condition.name == "cancer":  # sites by sex
            women_only, men_only = codes.index("C509"), codes.index("C61")
            motive = np.where(~folk.female[who] & (motive == women_only), men_only, motive)
            motive = np.where(folk.female[who] & (motive == men_only), women_only, motive)
        ends = since[who] + rng.choice([5, 10], len(who)) * 365
        if traps is not None:
            roll = rng.random(len(who))
            ends = np.where(roll < 0.25, DAY_2099, np.where(roll < 0.4, DAY_1600, ends))
            traps["imb_end_2099"] += int((ends == DAY_2099).sum())
            traps["imb_end_1600"] += int((ends == DAY_1600).sum())
        nature = np.where(rng.random(len(who)) < 0.03, 43, 41)
        nameless = np.zeros(len(who), dtype=bool) if traps is None else (who * 11 + folk.first) % 20 == 0
        if traps is not None:
            traps["imb_numbers_missing"] += int(nameless.sum())
        number = np.where(nameless, 0, condition.ald)
        _put_imb(deliveries, folk, who, since[who], ends, number, nature, codes, motive)
    accident = np.flatnonzero((rng.random(len(folk)) < 0.012) & (folk.age(np.full(len(folk), folk.start)) > 20))
    if len(accident):
        when = folk.start - rng.integers(0, 2000, len(accident))
        nature = rng.choice([11, 12, 13], len(accident), p=[0.6, 0.1, 0.3])
        later = when + 10 * 365
        if traps is not None:
            traps["imb_not_long_term_illness"] += len(accident)
        _put_imb(
            deliveries,
            folk,
            accident,
            when,
            later,
            np.zeros(len(accident), dtype=np.int64),
            nature,
            ["M545"],
            np.zeros(len(accident), dtype=np.int64),
        )
    counts["ald_any"], counts["ald_present"] = int(any_ald.sum()), int(present.sum())
    return counts


def _put_imb(
    deliveries: Deliveries,
    folk: People,
    who: Indices,
    since: Days,
    ends: Days,
    number: Indices,
    nature: Indices,
    codes: list[str],
    motive: Indices,
) -> None:
    second = (since >= folk.switch[who]) & (folk.second_psa[who] != b"")
    psa = np.where(second, folk.second_psa[who], folk.psa[who])
    _put(
        deliveries,
        "IR_IMB_R",
        len(who),
        line(
            psa,
            list(digits(folk.rank[who], 1)),
            day(since),
            day(ends),
            (texts(["", *map(str, range(1, 33))]), number),
            list(digits(nature, 2)),
            day(since + 12),
            (texts(codes), motive),
            day(since + 20),
        ),
    )


def _certificates(rng: np.random.Generator, deliveries: Deliveries, folk: People) -> dict[str, int]:
    who = np.flatnonzero(folk.death < folk.end)
    years = folk.death[who].astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    rank = np.clip(years - _FIRST_MATCHED_YEAR, 0, len(MATCHED_BY_YEAR) - 1)
    matched = rng.random(len(who)) < np.array(MATCHED_BY_YEAR)[rank]
    codes, weights = weighted_codes("death_causes.csv")
    cause = rng.choice(len(codes), len(who), p=np.array(weights) / sum(weights))
    year, month = _birth(folk, who)
    death_year = folk.death[who].astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    certificate = block(len(who), [pseudonyms(rng, len(who)), pseudonyms(rng, len(who))])
    own = matched & (folk.nir_ano[who] != b"")
    _put(
        deliveries,
        "KI_CCI_R",
        len(who),
        line(
            certificate,
            (texts(["0", "1"]), matched.astype(np.int64)),
            np.where(matched, folk.idt[who], b""),
            (texts(["", "0", "1"]), np.where(matched, np.where(own, 2, 1), 0)),
            list(digits(death_year, 4)),
            (texts([d.snds_code for d in departments()]), folk.department[who]),
            day(folk.death[who]),
            list(digits(year, 4)),
            list(digits(month, 2)),
            (texts(["1", "2"]), folk.female[who].astype(np.int64)),
            (texts(codes), cause),
        ),
    )
    _put_causes(deliveries, folk, who, certificate, matched, np.array(codes)[cause])
    return {"deaths": len(who), "certificates_matched": int(matched.sum())}


def _put_causes(
    deliveries: Deliveries,
    folk: People,
    who: Indices,
    certificate: Bytes,
    matched: Flags,
    initial: npt.NDArray[np.str_],
) -> None:
    """Lines of the certificates: the initial cause again, and one that followed from it."""
    followed = [code for code in weighted_codes("secondary_diagnoses.csv")[0] if len(code) <= 4 and "+" not in code]
    known = texts(sorted({*followed, *initial.tolist()}))
    place = {code.decode(): number for number, code in enumerate(known.tolist())}
    chosen = np.array([place[code] for code in followed])[(who * 29 + folk.first) % len(followed)]
    for number, code in ((1, np.array([place[code] for code in initial.tolist()], dtype=np.int64)), (2, chosen)):
        _put(
            deliveries,
            "KI_ECD_R",
            len(who),
            line(
                certificate,
                np.where(matched, folk.idt[who], b""),
                str(number).encode(),
                b"1",
                (known, code),
                day(folk.death[who]),
            ),
        )
