"""Enclos: a secure processing environment for national health data."""

__version__ = "0.1.0"
