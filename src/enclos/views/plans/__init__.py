"""The SQL of a perimeter, of a permit's tables and of queries over them; runs nothing."""

from enclos.views.plans.members import (
    OPTED_OUT,
    PERIMETER,
    Members,
    plan_exceptions,
    plan_member_counts,
    plan_members,
    plan_outsiders,
)
from enclos.views.plans.places import plan_add_numbers, plan_numbers_table, plan_unnumbered
from enclos.views.plans.population import plan_candidates, plan_roster
from enclos.views.plans.queries import may_show_references, plan_query, reads_by_key
from enclos.views.plans.relatives import plan_related, plan_relatives
from enclos.views.plans.rows import plan_empty
from enclos.views.plans.tables import plan_bucket_perimeter, plan_open_table, plan_saved, plan_view

__all__ = [
    "OPTED_OUT",
    "PERIMETER",
    "Members",
    "may_show_references",
    "plan_add_numbers",
    "plan_bucket_perimeter",
    "plan_candidates",
    "plan_empty",
    "plan_exceptions",
    "plan_member_counts",
    "plan_members",
    "plan_numbers_table",
    "plan_open_table",
    "plan_outsiders",
    "plan_query",
    "plan_related",
    "plan_relatives",
    "plan_roster",
    "plan_saved",
    "plan_unnumbered",
    "plan_view",
    "reads_by_key",
]
