"""The verbs of sign-in."""

from enclos.signin.steps.accounts import add_account, change_account, change_own_password, remove_account, sign_in
from enclos.signin.steps.answers import LASTS, Attempt, answered, attempt, check_answer
from enclos.signin.steps.tokens import Door, demand_role, new_token_id, sign_out_everywhere, token_for, withdraw

__all__ = [
    "LASTS",
    "Attempt",
    "Door",
    "add_account",
    "answered",
    "attempt",
    "change_account",
    "change_own_password",
    "check_answer",
    "demand_role",
    "new_token_id",
    "remove_account",
    "sign_in",
    "sign_out_everywhere",
    "token_for",
    "withdraw",
]
