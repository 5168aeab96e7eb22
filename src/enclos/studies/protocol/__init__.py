"""The protocol of a study, written from its file."""

from enclos.studies.protocol.text import protocol_text

__all__ = ["protocol_text"]
