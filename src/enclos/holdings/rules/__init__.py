"""Decisions about a description: what of a count is told, how it is said, how it is written, and the sample."""
