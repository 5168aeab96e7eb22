"""SQL that reads what Circe definitions ask for in a bucket; these functions return text and run nothing.

Temporary tables, all within one bucket, days as dates:

    circe_person          what filters read of a person
    circe_record_TABLE    one row per record of a domain and pick: pick, person_id, event_id, start_date, end_date, …
    circe_kept_N          one row per event of a criterion that is kept: person_id, event_id, start_date, …
"""
