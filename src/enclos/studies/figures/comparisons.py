"""A comparison as a chain: diagnostics, estimates or why they are withheld, then what stands behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from enclos.studies.figures.attrition import flow_figure, number
from enclos.studies.figures.balance import balance_figure, controls_figure, curves_figure, score_figure
from enclos.studies.figures.model import Analysis, Figure, Kind, Point, Say, Table
from enclos.studies.figures.ratios import (
    Line,
    diagnostic,
    e_value,
    error_words,
    forest_figure,
    line_of,
    ratio_name,
    why_withheld,
)
from enclos.studies.figures.tables import told
from enclos.studies.figures.values import WITHHELD, interval, shown
from enclos.studies.figures.ways import named, primary_of, way_of
from enclos.studies.sensitivity.model import PRIMARY

_OUTCOME = "outcome_cohort_name"
_DIAGNOSTICS = {
    "score_fitted": "yes",
    "equipoise": "at least {bound}",
    "max_smd": "at most {bound}",
    "smd_p": "",
    "mdrr": "at most {bound}",
    "ease": "at most {bound}",
    "left_out": "at least {bound}",
    "attrition": "at most {bound}",
}
"""Each diagnostic with what its threshold bounds."""
_ADJUSTMENTS = ("Adjusted", "Calibrated", "Crude")
_ARMS = ("Target", "Comparator")
_MOST_COVARIATES = 50


def comparison_parts(analysis: Analysis, say: Say) -> Iterator[Figure | Table]:
    """Diagnostics with thresholds and verdicts, estimates, forest plot, controls, attrition, balance, score, curves.

    Pictures of what stands behind the estimates are those of the primary way of asking; the tables have all.
    """
    kind = analysis.of("compare_estimates")
    if kind is not None and kind.points:
        yield from _diagnostics(kind, say)
        yield _estimates(kind, say)
        yield from _forests(kind, say)
    if (controls := analysis.of("compare_controls")) is not None and controls.points:
        own = primary_of(controls).points
        yield from controls_figure(
            "",
            [point for point in own if point.variable == "Effect"],
            [point for point in own if point.variable == "Positive control"],
            [] if kind is None else [point for point in primary_of(kind).points if _is_adjusted(point)],
            next((point for point in own if "ease" in point.estimates), None),
            say,
        )
        yield _controls(controls, say)
    if (attrition := analysis.of("compare_attrition")) is not None and attrition.points:
        yield from _flows(attrition, say)
        yield _attrition(attrition, say)
    if (balance := analysis.of("compare_balance")) is not None and balance.points:
        yield from balance_figure(primary_of(balance), say)
        yield from _balance(balance, say)
    if (score := analysis.of("compare_score")) is not None and score.points:
        yield from score_figure(primary_of(score), say)
        yield from _score(score, say)
    if (curves := analysis.of("compare_survival")) is not None and curves.points:
        yield from curves_figure(primary_of(curves), say)


def _is_adjusted(point: Point) -> bool:
    return (point.variable, point.strata.get("adjustment")) == ("Effect", "Adjusted") and not point.additional


def _diagnostics(kind: Kind, say: Say) -> Iterator[Table]:
    columns = ("asked as", "outcome", "diagnostic", "value", "must be", "verdict")
    titles = {True: "Diagnostics, judged before any estimate", False: "Diagnostics of the other ways of asking"}
    for primary, title in titles.items():
        rows: list[tuple[str, ...]] = []
        for point in kind.points:
            if point.variable == "Diagnostics" and (way_of(kind, point) == PRIMARY) == primary:
                rows += _judged(named(way_of(kind, point), say), point, say)
        first = 1 if primary else 0  # whose name would stand in every row
        if rows:
            lead = say("An estimate is shown where every diagnostic that is judged holds.") if primary else ""
            own = [row[first:] for row in rows]
            yield Table(say(title), tuple(map(say, columns[first:])), own, n_texts=3 - first, lead=lead)


def _judged(way: str, point: Point, say: Say) -> Iterator[tuple[str, ...]]:
    for name, bound in _DIAGNOSTICS.items():
        if name not in point.estimates:
            continue
        limit, passed = point.estimates.get(f"{name}_threshold"), point.number(f"{name}_passed")
        if passed is None:
            hidden = name != "smd_p" and shown(limit, say) == WITHHELD
            must, verdict = "", WITHHELD if hidden else say("not judged")
        else:
            must = say(bound, bound=shown(limit, say))
            verdict = say("holds") if passed else say("fails")
            if passed and name == "max_smd" and (point.number(name) or 0) > float(limit or 0):
                verdict = say("holds: chance explains it")
        value = shown(point.estimates[name], say)
        if name == "score_fitted" and value != WITHHELD:
            value = say("yes") if value == "1" else say("no")
        yield way, point.group[_OUTCOME], diagnostic(name, say), value or "–", must, verdict


def _estimates(kind: Kind, say: Say) -> Table:
    at: dict[tuple[str, str, str], dict[str, Point]] = {}
    withheld: dict[str, str] = {}
    for point in kind.points:
        if point.variable == "Diagnostics" or "log_ratio" in point.additional:
            continue
        key = (way_of(kind, point), point.group[_OUTCOME], point.strata.get("adjustment", ""))
        at.setdefault(key, {})[point.variable] = point
        if why := why_withheld(kind.by_id[point.result_id], say):
            withheld[f"{named(key[0], say)}, {key[1]}"] = why
    rows = [
        (
            named(way, say),
            outcome,
            say(adjustment.lower()),
            _ratio(found, withheld.get(f"{named(way, say)}, {outcome}", ""), say),
            shown(found["Effect"].estimates.get("p_value"), say) if "Effect" in found else "",
            e_value(found["Effect"], say) if "Effect" in found else "",
            *(_both(found, name, say) for name in ("n_persons", "n_events")),
            _years(found, say),
        )
        for (way, outcome, adjustment), found in at.items()
    ]
    ratio = say(ratio_name(kind.points).replace("_", " ")) + " " + say("(95 % interval)")
    columns = (say("asked as"), say("outcome"), say("adjustment"), ratio, "p",
               say("E-value (of the limit)"), say("persons"), say("outcomes"), say("person-years"))  # fmt: skip
    lead = say("Persons, outcomes and time: target / comparator.")
    if withheld:
        why = "; ".join(f"{who}: {why}" for who, why in withheld.items())
        lead = say("Withheld because a diagnostic fails – {why}.", why=why) + " " + lead
    return told(Table(say("Estimates"), columns, rows, n_texts=3, lead=lead))


def _ratio(found: Mapping[str, Point], why: str, say: Say) -> str:
    if why:
        return say("withheld")
    if (point := found.get("Effect")) is None:
        return ""
    text = interval(point, ratio_name((point,)), ("lower", "upper"), say)
    return text or say("cannot be estimated")


def _both(found: Mapping[str, Point], name: str, say: Say) -> str:
    texts = [shown(found[arm].estimates.get(name), say) if arm in found else "" for arm in _ARMS]
    return " / ".join(texts) if any(texts) else ""


def _years(found: Mapping[str, Point], say: Say) -> str:
    texts = []
    for arm in _ARMS:
        if arm not in found or "person_days" not in found[arm].estimates:
            return ""
        days = found[arm].number("person_days")
        texts.append(WITHHELD if days is None else shown(f"{days / 365.25:.0f}", say))
    return " / ".join(texts)


def _forests(kind: Kind, say: Say) -> Iterator[Figure]:
    """All ways of asking about one outcome; crude estimates of the primary way alone."""
    for outcome in dict.fromkeys(point.group[_OUTCOME] for point in kind.points):
        lines: list[Line] = []
        for point in kind.points:
            adjustment = point.strata.get("adjustment", "")
            if point.group[_OUTCOME] != outcome or point.variable != "Effect" or "log_ratio" in point.additional:
                continue
            way = way_of(kind, point)
            if adjustment not in _ADJUSTMENTS or (adjustment == "Crude" and way != PRIMARY):
                continue
            who = named(way, say) + ("" if adjustment == "Adjusted" else f", {say(adjustment.lower())}")
            if line := line_of(point, who, say(adjustment.lower())):
                lines.append(line)
        if lines:
            title = say("All estimates: {outcome}", outcome=outcome)
            yield forest_figure(title, ratio_name(kind.points), lines, say)


def _controls(kind: Kind, say: Say) -> Table:
    """Each control with its estimate, how the others judge it, and the systematic error in all."""
    rows = []
    for point in kind.points:
        way, name = named(way_of(kind, point), say), ratio_name((point,), "")
        if name:
            text = interval(point, name, ("lower", "upper"), say) or say("cannot be estimated")
            true = shown(point.level, say) if point.variable == "Positive control" else "1"
            ps = (shown(point.estimates.get(each), say) for each in ("p_value", "left_out_p"))
            rows.append((way, point.group[_OUTCOME], true, text, *ps))
        else:
            rows.append((way, say(point.variable), shown(point.level, say), error_words(point, say), "", ""))
    ratio = say(ratio_name(kind.points).replace("_", " ")) + " " + say("(95 % interval)")
    columns = (say("asked as"), say("control"), say("true ratio"), ratio, "p", say("p, calibrated by the others"))
    return told(Table(say("Controls"), columns, rows, n_texts=2))


Steps = dict[tuple[str, str], dict[int, dict[str, dict[str, str | None]]]]


def _steps(kind: Kind) -> tuple[Steps, dict[tuple[str, str, int], str]]:
    """By way and outcome and step: the counts of each cohort; and the reason of each step."""
    steps: Steps = {}
    reasons: dict[tuple[str, str, int], str] = {}
    for point in kind.points:
        key = (way_of(kind, point), point.group[_OUTCOME])
        at = int(point.additional["reason_id"])
        reasons[(*key, at)] = point.strata["reason"]
        counts = steps.setdefault(key, {}).setdefault(at, {}).setdefault(point.level, {})
        counts[point.variable] = point.estimates.get("count")
    return steps, reasons


def _attrition(kind: Kind, say: Say) -> Table:
    steps, reasons = _steps(kind)
    rows = [
        (
            named(key[0], say),
            key[1],
            say(reasons[(*key, at)]),
            *(
                shown(found[at].get(arm, {}).get(name), say)
                for arm in _ARMS
                for name in ("number_records", "number_subjects")
            ),
        )
        for key, found in steps.items()
        for at in sorted(found)
    ]
    columns = ("asked as", "outcome", "reason", "target entries", "target persons", "comparator entries",
               "comparator persons")  # fmt: skip
    return Table(say("Attrition"), tuple(map(say, columns)), rows, n_texts=3)


def _flows(kind: Kind, say: Say) -> Iterator[Figure]:
    """What each step leaves of both cohorts, by outcome of the primary way of asking."""
    steps, reasons = _steps(kind)
    for key, found in steps.items():
        if key[0] != PRIMARY:
            continue
        before: tuple[float | None, ...] = ()
        rows = []
        for at in sorted(found):
            left = tuple(_count(found[at].get(arm, {}).get("number_records")) for arm in _ARMS)
            taken = [None if was is None or now is None else was - now for was, now in zip(before, left, strict=False)]
            rows.append(
                {
                    "reason": say(reasons[(*key, at)]),
                    "left": say("target {target}, comparator {comparator}", **_pair(left)),
                    "taken": say("left out: {target} and {comparator}", **_pair(taken)) if any(taken) else "",
                    "number_records": left[0],
                    "comparator_records": left[1],
                }
            )
            before = left
        yield flow_figure(say("Attrition: {who}", who=key[1]), rows, say)


def _pair(numbers: Sequence[float | None]) -> dict[str, str]:
    return {"target": number(numbers[0]), "comparator": number(numbers[1])}


def _count(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _balance(kind: Kind, say: Say) -> Iterator[Table]:
    """The covariates that differ most after adjustment, of the primary way of asking."""
    own = primary_of(kind)
    for outcome in dict.fromkeys(point.group[_OUTCOME] for point in own.points):
        found: dict[tuple[str, str], dict[str, Point]] = {}
        for point in own.points:
            if point.group[_OUTCOME] == outcome:
                key = (point.additional["covariate_id"], point.variable)
                found.setdefault(key, {})[point.strata["adjustment"]] = point
        ordered = sorted(found.items(), key=lambda each: -abs(_smd(each[1], "Adjusted")))
        rows = [
            (
                name,
                *(
                    shown(both[adjustment].estimates.get(what), say) if adjustment in both else ""
                    for adjustment in ("Crude", "Adjusted")
                    for what in ("mean_target", "mean_comparator", "smd")
                ),
            )
            for (_, name), both in ordered
        ]
        columns = ("covariate", "target before", "comparator before", "difference before", "target after",
                   "comparator after", "difference after")  # fmt: skip
        title = say("Covariates that differ most after adjustment: {outcome}", outcome=outcome)
        n_left_out = max(0, len(rows) - _MOST_COVARIATES)
        yield Table(title, tuple(map(say, columns)), rows[:_MOST_COVARIATES], n_left_out=n_left_out)


def _smd(both: Mapping[str, Point], adjustment: str) -> float:
    return (both[adjustment].number("smd") if adjustment in both else None) or 0.0


def _score(kind: Kind, say: Say) -> Iterator[Table]:
    names = ("auc", "equipoise", "n_covariates", "intercept")
    rows = [
        (named(way_of(kind, point), say), *(shown(point.estimates.get(name), say) for name in names))
        for point in kind.points
        if point.variable == "Score"
    ]
    columns = ("asked as", "area under the curve", "equipoise", "covariates", "intercept")
    yield Table(say("Propensity score"), tuple(map(say, columns)), rows)
    weights = [(point.variable, shown(point.estimates["coefficient"], say))
               for point in primary_of(kind).points if "coefficient" in point.estimates]  # fmt: skip
    if weights:
        n_left_out = max(0, len(weights) - _MOST_COVARIATES)
        heads = (say("covariate"), say("coefficient"))
        yield Table(say("What the score is made of"), heads, weights[:_MOST_COVARIATES], n_left_out=n_left_out)
