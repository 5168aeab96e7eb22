"""Sentences in English and in French about numbers, checks and the sample."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from enclos.holdings.document import Said
from enclos.holdings.model import Figures, Quality
from enclos.holdings.rules.sample import SEED


def number(value: int) -> str:
    """A number with its thousands apart, as the pages write it."""
    return f"{value:,}".replace(",", "\u202f")


def said_of_counts(figures: Figures) -> Said:
    """How many persons at least, and how numbers are told."""
    return Said(
        en=f"At least {number(figures.n_persons)} persons; numbers are rounded down to two digits, none is told "
        f"below {number(figures.unit)}, ages are told by five years up to 90.",
        fr=f"Au moins {number(figures.n_persons)} personnes ; les nombres sont arrondis par défaut à deux "
        f"chiffres, aucun n'est donné sous {number(figures.unit)}, les âges le sont par cinq ans jusqu'à 90.",
    )


def said_of_quality(quality: Quality) -> Said:
    """What the checks said."""
    applied = quality.n_passed + quality.n_failed
    return Said(
        en=f"DataQualityDashboard checks for OMOP CDM {quality.cdm}: {number(quality.n_passed)} passed of "
        f"{number(applied)} that apply, {number(quality.n_failed)} failed.",
        fr=f"Contrôles du DataQualityDashboard pour l'OMOP CDM {quality.cdm} : {number(quality.n_passed)} "
        f"réussis sur {number(applied)} applicables, {number(quality.n_failed)} en échec.",
    )


def said_of_sample() -> Said:
    """Why the sample tells of nobody."""
    return Said(
        en="Made of nobody: drawn from the schema, published shares and a public seed by a program that reads no "
        f"data; the same bytes for every enclosure, remade by the command enclos sample (seed: {SEED}).",
        fr="Ne décrit personne : tiré du schéma, de proportions publiées et d'une graine publique par un programme "
        "qui ne lit aucune donnée ; mêmes octets pour tout enclos, refait par la commande enclos sample "
        f"(graine : {SEED}).",
    )


def tables_csv(figures: Figures) -> bytes:
    """Rows and persons by table, as they may be told; a table that too few persons are in has no line."""
    told = [(t.table, t.n_records, t.n_persons) for t in figures.tables if t.n_persons is not None]
    return _as_csv(("table", "records_at_least", "persons_at_least"), told)


def columns_csv(figures: Figures) -> bytes:
    """Persons of whom each column says something; empty of too few, which looks like nobody."""
    told = [(t.table, column, n) for t in figures.tables for column, n in t.filled]
    return _as_csv(("table", "column", "persons_at_least"), told)


def _as_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")
