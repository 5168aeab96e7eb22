"""The ledger's arithmetic, by noun: trees, notes, tiles, entries, order, and records written ahead.

Pure: bytes in, bytes or a refusal out. Keys, time and files are handed in or stay outside.
"""
