"""A permit's document as people write it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from enclos.permits.document.fields import json_from_permit
from enclos.permits.model import Permit


def text_from_permit(permit: Permit) -> str:
    """The document of a permit, to be amended; reading it gives the same permit."""
    return text_of(json_from_permit(permit))


def text_of(document: Mapping[str, Any]) -> str:
    """A document's values as YAML."""
    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)
