"""Where the reference data lies, when it lies beside the checkout."""

import os
from pathlib import Path


def shared(*parts: str) -> Path | None:
    """The path under ``../shared/data``, or None where the reference data is absent.

    ENCLOS_TESTS_WITHOUT_SHARED=1 makes it absent, to see that the tests hold without it.
    """
    if os.environ.get("ENCLOS_TESTS_WITHOUT_SHARED"):
        return None
    path = Path(__file__).resolve().parents[2] / "shared" / "data"
    path = path.joinpath(*parts)
    return path if path.exists() else None
