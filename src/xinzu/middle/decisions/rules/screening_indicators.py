"""The facts of screening a strategy may read: counts of who is related to whom, and of lists that are hit. Null where nothing is looked at.

They are said by screening; a rule does no I/O and cannot look there, so their names stand here too and a test holds the two together.
"""

from __future__ import annotations

SCREENING_COUNTS = frozenset(
    {
        "related_deg1_cnt",
        "related_deg2_cnt",
        "related_component_cnt",
        "related_bad_deg1_cnt",
        "related_bad_deg2_cnt",
        "related_black_deg1_cnt",
        "related_black_deg2_cnt",
        "related_rental_cnt",
        "black_list_cnt",
        "grey_list_cnt",
        "watch_list_cnt",
        "readdressed_cnt_30d",
        "dealer_apply_cnt_10m",
    }
)
