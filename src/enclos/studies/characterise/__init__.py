"""Who the persons of a cohort are: characteristics, large and chosen, around the day they enter."""
