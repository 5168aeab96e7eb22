"""The verbs of intake."""

from enclos.intake.steps.accepting import accept_delivery, read_accounts, read_received
from enclos.intake.steps.declaring import make_delivery_manifest

__all__ = ["accept_delivery", "make_delivery_manifest", "read_accounts", "read_received"]
