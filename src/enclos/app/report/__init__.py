"""The demo's report: one self-contained page, its figures as pictures."""
