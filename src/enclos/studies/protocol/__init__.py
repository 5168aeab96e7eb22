"""The protocol of a study, written from its file."""

from enclos.studies.protocol.analyses import words_of
from enclos.studies.protocol.text import protocol_text

__all__ = ["protocol_text", "words_of"]
