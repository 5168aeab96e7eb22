"""The protocol of a study, written from its file."""

from enclos.studies.protocol.analyses import results_of, words_of
from enclos.studies.protocol.text import protocol_text

__all__ = ["protocol_text", "results_of", "words_of"]
