"""Reason codes: one catalogue, with what a customer is told and what can be done about it (PIPL arts. 24 and 48).

A reason that would teach fraudsters how they were found says so only in general words; the code itself is exact and stays inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xinzu.middle.decisions.model import Catalogue, DecisionOutcome, Reason, ReasonUse


def catalogue_of(reasons: Iterable[Reason]) -> Catalogue:
    """Reasons by code; raises ValueError for a code that is given twice or a text that is empty."""
    found: dict[str, Reason] = {}
    for reason in reasons:
        if reason.code in found:
            raise ValueError(f"reason {reason.code} is in the catalogue twice")
        if not all((reason.inside_zh, reason.text_zh, reason.text_en, reason.remedy_zh, reason.remedy_en)):
            raise ValueError(f"reason {reason.code} lacks a text")
        found[reason.code] = reason
    return found


def review_use(outcome: DecisionOutcome) -> ReasonUse:
    """Which reasons a reviewer may choose from."""
    return ReasonUse.REVIEW_APPROVE if outcome is DecisionOutcome.APPROVE else ReasonUse.REVIEW_DECLINE


def codes_of(catalogue: Catalogue, use: ReasonUse) -> list[str]:
    """The codes that only the law, the system, a strategy or a reviewer gives."""
    return [code for code, reason in catalogue.items() if reason.use is use]


def told_to_customer(catalogue: Catalogue, codes: Sequence[str]) -> list[Reason]:
    """The reasons behind these codes in order, those with the same customer text only once."""
    told: dict[str, Reason] = {}
    for code in codes:
        reason = catalogue.get(code)
        if reason is not None:
            told.setdefault(reason.text_zh, reason)
    return list(told.values())
