"""Conformity: probes of the enclosure, declared documents, assessments, what is written of them."""
