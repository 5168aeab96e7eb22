"""The decisions of a study, pure: intervals, person-time, estimates, attrition."""
