"""Self-controlled case series: does an outcome come more often while a person is exposed than in their other time?

Promise: the intervals, splines and rate ratios of SelfControlledCaseSeries 6.1.4; diagnostics are judged first.
Reads, Writes: the bucket's ``study_person``, ``study_observed`` and ``study_event``; ``study_case``; nothing else.
Never: shows an estimate whose assumptions failed, unless the study asks for it; hides or rounds a count (release does).
Start: model.py (what is asked), intervals.py (days to rows), fitting.py (the model), diagnostics.py (when it holds).
"""
