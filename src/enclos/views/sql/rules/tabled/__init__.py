"""A statement that leaves as a table; start: table.py."""

from enclos.views.sql.rules.tabled.table import Tabled, as_table

__all__ = ["Tabled", "as_table"]
