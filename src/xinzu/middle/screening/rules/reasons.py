"""Screening's facts as the inputs a strategy may read, and the codes of the reasons they are for."""

from __future__ import annotations

from collections.abc import Mapping

from xinzu.middle.screening.model import OrderCounts, Relations

RING_COUNT = 5  # from so many related parties on a component is a ring
RELATED_RENTALS_MAX = 5
DEALER_APPLY_COUNT = 10


def facts_of(relations: Relations, counts: OrderCounts, watch_hit_count: int) -> dict[str, int]:
    """The inputs by name. All are counts."""
    return {
        "related_deg1_cnt": relations.deg1_count,
        "related_deg2_cnt": relations.deg2_count,
        "related_component_cnt": relations.component_count,
        "related_bad_deg1_cnt": relations.bad_deg1_count,
        "related_bad_deg2_cnt": relations.bad_deg2_count,
        "related_black_deg1_cnt": relations.black_deg1_count,
        "related_black_deg2_cnt": relations.black_deg2_count,
        "related_rental_cnt": relations.related_rental_count,
        "black_list_cnt": relations.black_hit_count,
        "grey_list_cnt": relations.grey_hit_count,
        "watch_list_cnt": watch_hit_count,
        "readdressed_cnt_30d": counts.readdressed_count,
        "dealer_apply_cnt_10m": counts.dealer_apply_count,
    }


def reasons_of(facts: Mapping[str, int]) -> list[str]:
    """Why somebody should look, in the codes of decisions' reason catalogue. What a strategy makes of them is its own.

    >>> reasons_of({"related_component_cnt": 5, "black_list_cnt": 1})
    ['LIST_MATCH', 'RELATED_RING']
    """
    found = {
        "LIST_MATCH": facts.get("black_list_cnt", 0) > 0,
        "GREY_LIST_MATCH": facts.get("grey_list_cnt", 0) > 0,
        "WATCH_LIST_MATCH": facts.get("watch_list_cnt", 0) > 0,
        "RELATED_RING": facts.get("related_component_cnt", 0) >= RING_COUNT,
        "RELATED_BLACK": facts.get("related_black_deg1_cnt", 0) > 0,
        "RELATED_BAD": facts.get("related_bad_deg1_cnt", 0) > 0,
        "RELATED_RENTALS_MAX": facts.get("related_rental_cnt", 0) >= RELATED_RENTALS_MAX,
        "READDRESSED": facts.get("readdressed_cnt_30d", 0) > 0,
        "DEALER_BURST": facts.get("dealer_apply_cnt_10m", 0) >= DEALER_APPLY_COUNT,
    }
    return [code for code, holds in found.items() if holds]
