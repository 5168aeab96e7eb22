"""A fault of ours, told to the operator without its text: that could quote what nobody may read."""

from __future__ import annotations

import sys
import traceback


def tell_fault(where: str, error: BaseException) -> None:
    """Write its kind and its place to standard error."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    sys.stderr.write(f"{where}: {type(error).__name__} at {last.filename}:{last.lineno}\n")
