"""Hospitals: what four of them hold about patients who are also in the SNDS, each in its own format."""
