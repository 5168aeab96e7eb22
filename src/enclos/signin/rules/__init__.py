"""Decisions of sign-in: one-time codes, waiting after failures, what a token must say, which roles follow."""
