"""A permit's document as people write it, made from a form or from a permit that is signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from enclos.permits.document.fields import json_from_permit
from enclos.permits.model import Permit

_MOST_SIGNS = 2000
"""Of a value in a form: no population that is written by hand is longer."""


def text_from_permit(permit: Permit) -> str:
    """The document of a permit, to be amended; reading it gives the same permit."""
    return _text(json_from_permit(permit))


def text_from_form(given: Mapping[str, str], tables: Sequence[str], identifiers: Sequence[str]) -> str:
    """The document that a form's fields state; what is wrong with it is told when it is read.

    In: given — permit, organisation, investigator, users (an id on each line), purpose, article, legal_basis,
        population, start, end, why, access, min_count, from and until (days); tables — none for all of them
    """
    investigator = given["investigator"]
    whys = {"why": given["why"]} if given["why"] else {}
    return _text(
        {
            "permit": given["permit"],
            "holder": {"organisation": given["organisation"], "investigator": investigator},
            "users": [
                {"id": user, "role": "investigator" if user == investigator else "researcher"}
                for user in given["users"].split()
            ],
            "purpose": {"article": given["article"], "text": given["purpose"]},
            "legal_basis": given["legal_basis"],
            "data": {
                "tables": dict.fromkeys(tables, "all") if tables else "all",
                "population": _plain(given["population"]),
                "period": {"start": given["start"], "end": given["end"]},
                "potential_identifiers": [{"id": each, **whys} if whys else each for each in identifiers],
            },
            "access": given["access"],
            "opt_out": {"applied": True, "as_of": "now"},
            "disclosure": {"min_count": _plain(given["min_count"])},
            "valid": {"from": f"{given['from']}T00:00:00Z", "until": f"{given['until']}T00:00:00Z"},
        }
    )


def _plain(text: str) -> Any:
    """A value as the document writes it; what cannot be read stays text, and is then refused as such."""
    try:
        return yaml.safe_load(text) if len(text) <= _MOST_SIGNS else text
    except (yaml.YAMLError, ValueError, RecursionError):
        return text


def _text(document: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)
