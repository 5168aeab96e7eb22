"""A fault of ours, told to the operator without its text: that could quote what nobody may read."""

from __future__ import annotations

import logging
import sys
import traceback


def tell_fault(where: str, error: BaseException) -> None:
    """Write its kind and its place to standard error."""
    places = traceback.extract_tb(error.__traceback__)
    at = f"{places[-1].filename}:{places[-1].lineno}" if places else "an unknown place"
    sys.stderr.write(f"{where}: {type(error).__name__} at {at}\n")


def tell_faults_of(where: str, *libraries: str) -> None:
    """Have libraries tell their faults as ours are told, and nothing else: what they say could quote a request.

    Without a handler Python writes their warnings, and errors with their text, to standard error.
    In: libraries — the names of their loggers
    """
    for name in libraries:
        logger = logging.getLogger(name)
        logger.handlers = [_Faults(where)]
        logger.propagate = False


class _Faults(logging.Handler):
    def __init__(self, where: str) -> None:
        super().__init__()
        self._where = where

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            tell_fault(self._where, error)
