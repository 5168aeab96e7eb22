"""Stays: who is in which hospital when and why; ordinary, births, sessions, last stays, studied outcomes."""
