"""The ledger's verbs: write, verify, prove, witness."""

from enclos.ledger.steps.checking import examine_ledger, verify_ledger
from enclos.ledger.steps.tickets import Ticket
from enclos.ledger.steps.witnessing import witness
from enclos.ledger.steps.writing import Ledger

__all__ = ["Ledger", "Ticket", "examine_ledger", "verify_ledger", "witness"]
