"""The version of the program, as results and runs carry it."""

__version__ = "0.1.0"
