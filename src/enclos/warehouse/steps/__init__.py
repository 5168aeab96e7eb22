"""The warehouse's verb: build a snapshot."""

from enclos.warehouse.steps.build import build_snapshot

__all__ = ["build_snapshot"]
