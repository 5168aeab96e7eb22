"""Decisions of a comparison, pure: arrays in, arrays out."""
