"""Results as tables: for people, and as CSV for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import replace

from enclos.contracts.result import HIDDEN, OVERALL
from enclos.studies.figures.attrition import chains_of
from enclos.studies.figures.model import Analysis, Kind, Point, Say, Table, english
from enclos.studies.figures.rates import population
from enclos.studies.figures.reading import ATTRITION, RATES, is_attrition
from enclos.studies.figures.values import WITHHELD, interval, shown

MOST_ROWS = 200
_TITLES = {
    "incidence": "Incidence",
    "incidence_standardised": "Age-standardised incidence",
    "prevalence": "Prevalence",
    "prevalence_of_records": "Prevalence among stays",
    "survival_events": "Entries at risk, events and losses",
    "survival_summary": "Summary of survival",
    "summarise_characteristics": "Characteristics",
    "summarise_large_scale_characteristics": "Large-scale characteristics",
    "summarise_cohort_overlap": "Persons that cohorts share",
    "summarise_cohort_timing": "Days between entries into two cohorts",
    "summarise_standardised_differences": "Standardised differences between cohorts",
    "summarise_drug_utilisation": "Use of drugs during each entry",
    "summarise_adherence": "Adherence from the first day of each entry",
    "summarise_indication": "Indications",
    "summarise_treatment": "Treatments around entry",
    "summarise_dose_coverage": "Exposures whose daily dose is known",
    "summarise_proportion_of_patients_covered": "Patients covered on each day",
    "summarise_drug_restart": "After the end of treatment",
    "treatment_pathways": "Sequences of treatments",
    "code_use": "Codes in all the data",
    "cohort_code_use": "Codes of the persons of a cohort",
    "orphan_code_use": "Related codes that a cohort does not have",
    "summarise_trend": "Entries by calendar time",
}
_CURVES = "survival_estimates"
"""Thousands of rows a curve: in the picture and the file, not in a table for people."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would run. Source: OWASP, CSV injection."""
_RATE = {
    "incidence": "incidence_100000_pys",
    "incidence_standardised": "standardised_100000_pys",
    "prevalence": "prevalence",
    "prevalence_of_records": "prevalence",
}


def plain_tables(analysis: Analysis, say: Say = english) -> list[Table]:
    """A table for each type of results of an analysis, attrition last."""
    kinds = sorted(analysis.kinds, key=lambda each: each.result_type.endswith(ATTRITION))
    return [plain_table(kind, say) for kind in kinds if kind.points and kind.result_type != _CURVES]


def plain_table(kind: Kind, say: Say) -> Table:
    """The results of one type as a table."""
    if is_attrition(kind):
        return _attrition(kind, say)
    if kind.result_type in RATES:
        return _rates(kind, say)
    if kind.result_type == "summarise_characteristics":
        return _table_one(kind, say)
    return _wide(kind, say)


def told(table: Table) -> Table:
    """The table without the columns after its texts in which nothing stands."""
    kept = [at for at in range(len(table.columns)) if at < table.n_texts or any(row[at] for row in table.rows)]
    rows = [tuple(row[at] for at in kept) for row in table.rows]
    return replace(table, columns=tuple(table.columns[at] for at in kept), rows=rows)


def cut(table: Table) -> Table:
    """The table with at most so many rows, and how many are left out."""
    n_left_out = max(0, len(table.rows) - MOST_ROWS)
    return replace(table, rows=table.rows[:MOST_ROWS], n_left_out=table.n_left_out + n_left_out)


def title_of(result_type: str, say: Say) -> str:
    """The heading of the results of one type."""
    if result_type.endswith(ATTRITION):
        return say("Attrition")
    return say(_TITLES.get(result_type, result_type.replace("_", " ")))


def _rates(kind: Kind, say: Say) -> Table:
    name = _RATE[kind.result_type]
    is_rate, is_crude = name != "prevalence", kind.result_type != "incidence_standardised"
    rows = []
    for point in kind.points:
        when = {key.partition("_")[2]: text for key, text in point.additional.items()}
        counts = ["denominator_count", "outcome_count", *(["person_years"] if is_rate else [])] if is_crude else []
        rows.append(
            (
                point.group["outcome_cohort_name"],
                population(kind, point, say) or say("everybody"),
                say(point.additional.get("analysis_interval", OVERALL)),
                when["start_date"],
                when["end_date"],
                *(shown(point.estimates.get(each), say) for each in counts),
                interval(point, name, (f"{name}_95CI_lower", f"{name}_95CI_upper"), say),
            )
        )
    whom = "stays" if kind.result_type == "prevalence_of_records" else "persons"
    counted = [whom, "with the outcome", *(["person-years"] if is_rate else [])] if is_crude else []
    shown_as = "per 100 000 person-years (95 % interval)" if is_rate else "share (95 % interval)"
    columns = ("outcome", "population", "interval", "from", "to", *counted, shown_as)
    return Table(title_of(kind.result_type, say), tuple(map(say, columns)), rows, n_texts=3)


def _attrition(kind: Kind, say: Say) -> Table:
    names = ("number_records", "number_subjects", "excluded_records", "excluded_subjects")
    rows = [
        (who, say(str(step["reason"])), *(shown(step.get(f"{name}_text"), say) for name in names))
        for who, steps in chains_of(kind, say).items()
        for step in steps
    ]
    columns = ("of", "reason", "records", "persons", "records left out", "persons left out")
    return told(Table(title_of(kind.result_type, say), tuple(map(say, columns)), rows, n_texts=2))


def _table_one(kind: Kind, say: Say) -> Table:
    """A column a cohort and stratum, a row a characteristic; what is said of it depends on its estimates."""
    heads: dict[tuple[str, str], str] = {}
    cells: dict[tuple[str, str], dict[tuple[str, str], Point]] = {}
    for point in kind.points:
        column = (point.group["cohort_name"], ", ".join(map(say, point.strata.values())))
        heads.setdefault(column, ", ".join(each for each in column if each))
        cells.setdefault((point.variable, point.level), {})[column] = point
    rows = []
    for (variable, level), found in cells.items():
        label = say(variable) + (f": {say(level)}" if level else "")
        rows.append((label, *(_cell(found.get(column), say) for column in heads)))
    return Table(title_of(kind.result_type, say), (say("characteristic"), *heads.values()), rows)


def _cell(point: Point | None, say: Say) -> str:
    if point is None:
        return ""
    said = {name: shown(text, say) for name, text in point.estimates.items()}
    if "percentage" in said:
        share = point.number("percentage")
        percent = WITHHELD if share is None else f"{share:.1f}".replace(".", say("."))
        return f"{said['count']} ({percent} %)"
    if "count" in said:
        return said["count"]
    if not (said.get("median") and {"q25", "q75"} <= said.keys()):
        return said.get("median", "")
    if not {"q25", "q75"} <= said.keys():
        return said["median"]
    return f"{said['median']} [{said['q25']} – {said['q75']}]"


def _wide(kind: Kind, say: Say) -> Table:
    labels, estimates = _columns(kind)
    values = [[shown(point.estimates.get(name), say) for name in estimates] for point in kind.points]
    texts = [_labels(kind, point, labels) for point in kind.points]
    kept = [at for at in range(len(labels)) if any(row[at] for row in texts)]
    rows = [
        (*(say("all" if text[at] in {"", OVERALL} else text[at]) for at in kept), *numbers)
        for text, numbers in zip(texts, values, strict=True)
    ]
    names = [labels[at][1] for at in kept]
    columns = tuple(say(name.replace("_", " ")) for name in (*names, *estimates))
    return Table(title_of(kind.result_type, say), columns, rows, n_texts=len(kept))


_Label = tuple[str, str]
"""Where a label of a place comes from, and its name there."""


def _columns(kind: Kind) -> tuple[list[_Label], list[str]]:
    """The labels and the estimates of a kind, in a fixed order: settings, group, strata, variable, additional."""
    labels: list[_Label] = [("settings", name) for name in kind.varying()]
    for part in ("group", "strata"):
        labels += [(part, name) for name in dict.fromkeys(n for point in kind.points for n in getattr(point, part))]
    labels += [("variable", "variable_name"), ("level", "variable_level")]
    labels += [("additional", name) for name in dict.fromkeys(n for point in kind.points for n in point.additional)]
    return labels, list(dict.fromkeys(name for point in kind.points for name in point.estimates))


def _labels(kind: Kind, point: Point, labels: Iterable[_Label]) -> list[str]:
    settings = kind.by_id[point.result_id]
    parts = {"settings": settings, "group": point.group, "strata": point.strata, "additional": point.additional}
    plain = {"variable": point.variable, "level": point.level}
    return [plain[part] if part in plain else parts[part].get(name, "") for part, name in labels]


def table_csv(kind: Kind) -> bytes:
    """The results of one type, a line a place: labels, then each estimate as the result has it, to the last digit.

    A withheld number is written as in the result; one that is not there is empty. A label that a spreadsheet would run
    has an apostrophe before it.
    """
    labels, estimates = _columns(kind)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)  # also a lone carriage return
    writer.writerow([name for _, name in labels] + estimates)
    for point in kind.points:
        values = [point.estimates.get(name) for name in estimates]
        writer.writerow([*map(inert, _labels(kind, point, labels)), *map(_exact, values)])
    return out.getvalue().encode("utf-8")


def _exact(text: str | None) -> str:
    if text is None:
        return ""
    try:
        float(text)
    except ValueError:
        return text if text == HIDDEN else inert(text)
    return text


def inert(text: str) -> str:
    """The label as no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
