"""What becomes of the events of a cohort, in columns: which of them stay, when they end, and how they join.

Columns are numpy arrays of 64-bit integers, days as days since 1970.
"""
