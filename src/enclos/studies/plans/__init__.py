"""SQL that a study runs in a bucket; these functions return text and run nothing.

Temporary tables, all within one bucket; days are numbers since 1970-01-01, both ends included:

    study_person       one row per person: ordinal (dense number in the bucket), person_id, sex, born_on
    study_observed     one row per observation period: ordinal, person_id, first_day, last_day
    study_code         one row per concept of a cohort: cohort, concept_id, first_only, end_days, to_observation_end,
                       duration, gap_days
    study_event        one row per stretch of an outcome cohort: cohort, ordinal, first_day, last_day
    study_denominator  one row per stretch at risk: denominator, ordinal, first_day, last_day
    study_entry        one row per stretch of the cohorts that an analysis follows: entry (dense number), cohort,
                       ordinal, first_day, last_day, observed_first, observed_last, age, sex, next_day
    study_exposure     one row per exposure during an entry: see utilisation/plans.py
    study_case         one row per observation period with an outcome: see sccs/plans.py
    study_index        one row per outcome of a case: see cases/plans.py
    study_gap          one row per time between events: cohort, ordinal, previous_last_day, until_day
"""
