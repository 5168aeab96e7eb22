"""Views: exactly the persons, rows, columns and days of a permit, computed, never copied.

Promise: what a permit does not grant cannot be seen or noticed; what it grants is complete, under fresh numbers.
Reads, Writes: OMOP tables of a snapshot; writes the permit's perimeter, sealed, and nothing else.
Never: copies a row of health data, shows a warehouse number, answers after the permit has ended.
Start: model.py for the rules in words, plans/ for the SQL, steps.PermitCdm for studies.

The rules, in words:

- A person is in if the population holds them, they did not object, and they were observed on a day of the period.
- A row is in if its person is in and its start lies in the period. Ends after the period become its last day. Spans
  (observation and payer periods) are in if they touch the period, and are cut on both sides.
- Persons have numbers of this permit; row ids carry them; a reference to a row of another person is empty.
- Professionals and care sites have numbers of this permit too, and are in if a row that is shown leads to them by a
  column that is shown. A place is its department unless the permit lists the commune.
- Texts that no code list vouches for are empty.
- ``exact_dates``, ``birth_month`` and ``death_date`` bind what a person can look at: with access to rows, a day that
  is not listed becomes its month. Studies run by the platform compute with the days themselves, since what leaves
  them is counts and estimates that release checks; otherwise ages and person-time would be wrong for everybody.
"""
