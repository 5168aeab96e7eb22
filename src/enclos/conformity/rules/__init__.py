"""Decisions about conformity: reading a catalogue, standing of documents, verdicts and scores, differences."""
