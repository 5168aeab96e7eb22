"""Sign-in: who acts is known before they act: one person, in their roles, with two factors, for a short time.

Promise: who somebody is follows only from a token that is signed, for this enclosure, in time and not withdrawn.
Reads, Writes: the book of local accounts and withdrawn tokens, through a port; what a provider says, through another.
Never: keeps a password, a token or a provider's answer; believes a name, an algorithm or a key that a token brings.
Start: model.py (a person and their roles), rules/ (what is believed), steps/ (sign in, tell who a token is of).
"""
