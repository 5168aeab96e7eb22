"""Where the reference data lies, when it lies beside the checkout."""

from pathlib import Path


def shared(*parts: str) -> Path | None:
    """The path under ``../shared/data``, or None where the reference data is absent."""
    path = Path(__file__).resolve().parents[2] / "shared" / "data"
    path = path.joinpath(*parts)
    return path if path.exists() else None
