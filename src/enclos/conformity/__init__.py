"""Conformity: what of which framework this enclosure and its host meet, on what evidence.

Promise: what nobody showed is not demonstrated, whatever was declared; a probe that looked wins over a document.
Reads, Writes: catalogues of requirements, findings of probes and signed documents through ports; assessments as values.
Never: counts an absent, expired or unsigned piece of evidence; judges without saying on what; copies a source's text.
Start: model.py (requirement, finding, document, judgement), rules/judging.py, then catalogues/ and steps.py.
"""
