"""SQL that makes the cohorts of Circe definitions in a bucket; these functions return text and run nothing.

Temporary tables, all within one bucket, days as dates:

    circe_code            one row per concept of a concept set: codeset, concept_id
    circe_record_TABLE    one row per record of a domain and pick: pick, person_id, event_id, start_date, end_date, …
    circe_kept_N          one row per event of a criterion that is kept: person_id, event_id, start_date, …
    circe_cohort          one row per definition: cohort, and how it limits, ends and collapses
    circe_primary         one row per primary event, numbered by person
    circe_additional      one row per primary event for which additional criteria hold
    circe_qualified       one row per event that the rules look at: cohort, person_id, event_id, days, observation
    circe_fulfilled       one row per rule and event that fulfils it: cohort, rule, person_id, event_id
    circe_included        one row per event that fulfils all rules
    circe_end             one row per possible exit of an event, where other records can end it
    circe_stretch         one row per event until its exit: cohort, person_id, start_date, end_date
    circe_row             one row per stretch of a cohort, joined into eras
    circe_left            one row per cohort and person: how many rules some event fulfils together
"""
