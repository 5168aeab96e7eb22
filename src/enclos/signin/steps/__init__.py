"""The verbs of sign-in."""

from enclos.signin.steps.accounts import (
    add_account,
    change_account,
    change_own_password,
    remember_place,
    remove_account,
    sign_in,
)
from enclos.signin.steps.answers import LASTS, Attempt, answered, attempt, check_answer
from enclos.signin.steps.going import end_sign_ins, note_sign_in, sign_ins_of
from enclos.signin.steps.leaving import Left, leave, told_of_leaving
from enclos.signin.steps.tokens import (
    Door,
    bind,
    demand_role,
    new_token_id,
    sign_out_everywhere,
    token_for,
    unbind,
    withdraw,
)

__all__ = [
    "LASTS",
    "Attempt",
    "Door",
    "Left",
    "add_account",
    "answered",
    "attempt",
    "bind",
    "change_account",
    "change_own_password",
    "check_answer",
    "demand_role",
    "end_sign_ins",
    "leave",
    "new_token_id",
    "note_sign_in",
    "remember_place",
    "remove_account",
    "sign_in",
    "sign_ins_of",
    "sign_out_everywhere",
    "token_for",
    "told_of_leaving",
    "unbind",
    "withdraw",
]
