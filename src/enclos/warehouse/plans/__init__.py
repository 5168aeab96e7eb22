"""Plans: functions that return SQL and run nothing, by OMOP noun."""
