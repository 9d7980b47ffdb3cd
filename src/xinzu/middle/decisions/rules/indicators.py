"""The indicators a strategy may read: one name, one meaning, one type. Missing is null, never a guess.

Four sources: the terms applied for, what the channel vouches for (``signals`` of ApplicationSubmitted), what this module knows of the
party, and the snapshot of credit. A signal of the wrong type counts as missing; a signal that is not declared here is ignored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from xinzu.kernel.terms import AgreementTerms, Family
from xinzu.kernel.time import BusinessDate
from xinzu.middle.decisions.model import DecisionOutcome, Indicators, PartyHistory
from xinzu.middle.decisions.rules.credit_indicators import CREDIT_KINDS, CREDIT_TEXTS
from xinzu.middle.decisions.rules.screening_indicators import SCREENING_COUNTS

SCORE_MIN, SCORE_MAX = 350, 950
SNAPSHOT_SHA256 = "snapshot_sha256"  # not an indicator: no strategy may read it
RENT_RISK_RANKS = ("low", "medium", "high")

# What channels may vouch for. A score is on the scale 350-950; a rank is one of RENT_RISK_RANKS; the rest is yes, no or unknown.
SIGNAL_TYPES: Mapping[str, type[int] | type[str] | type[bool]] = {
    "credit_score": int,
    "rent_risk_rank": str,
    "channel_admitted": bool,
    "list_match": bool,
    "identity_mismatch": bool,
    "agent_suspected": bool,
    "shared_address": bool,
    "shared_device": bool,
}
NULLABLE = frozenset({"age_years", "own_credit_line_fen", *SIGNAL_TYPES, *SCREENING_COUNTS, *CREDIT_KINDS})
NEVER_NULL = frozenset(
    {
        "as_of",
        "channel",
        "device_value_fen",
        "deposit_fen",
        "rent_fen",
        "rent_total_fen",
        "period_count",
        "family",
        "principal_fen",
        "applications_before",
        "applications_24h",
        "declines_90d",
        "active_orders",
        "overdue_orders",
        "exposure_fen",
        "exposure_after_fen",
    }
)
DECLARED = NULLABLE | NEVER_NULL
# Indicators that are text, with their values where there are only so many. Whatever is no text, yes or no is a whole number.
TEXTS: Mapping[str, tuple[str, ...]] = {
    "as_of": (),
    "channel": (),
    "family": tuple(str(family) for family in Family),
    "rent_risk_rank": RENT_RISK_RANKS,
    **CREDIT_TEXTS,
}


def indicators(
    terms: AgreementTerms,
    channel: str,
    signals: Mapping[str, str | int | bool | None],
    age_years: int | None,
    history: PartyHistory,
    as_of: BusinessDate,
) -> Indicators:
    """All declared indicators of one application. ``exposure_after_fen`` counts what is applied for.

    Of a loan ``device_value_fen`` is the principal: what a score is weighed against.
    """
    found: Indicators = {
        "as_of": as_of.isoformat(),
        "channel": channel,
        "age_years": age_years,
        "device_value_fen": exposed_fen(terms) if terms.family is Family.LOAN else terms.device_value_fen,
        "deposit_fen": terms.deposit_fen,
        "rent_fen": terms.rent_fen,
        "rent_total_fen": terms.rent_total_fen,
        "period_count": terms.period_count,
        "family": terms.family,
        "principal_fen": 0 if terms.financing is None else terms.financing.principal_fen,
        "applications_before": history.applications_before,
        "applications_24h": history.applications_24h,
        "declines_90d": history.declines_90d,
        "active_orders": history.active_orders,
        "overdue_orders": history.overdue_orders,
        "exposure_fen": history.exposure_fen,
        "exposure_after_fen": history.exposure_fen + exposed_fen(terms),
        "own_credit_line_fen": history.credit_line_fen,
        **dict.fromkeys(SCREENING_COUNTS),
    }
    for name in SIGNAL_TYPES:
        found[name] = signal(name, signals.get(name))
    return found


def with_snapshot(inputs: Indicators, values: Mapping[str, str | int | float | bool | None], sha256: str | None) -> Indicators:
    """The inputs with every indicator of credit, so that another strategy can be tried on them later, and the digest of the snapshot they
    stand in with source, status and time. Without a snapshot all are missing."""
    return {**dict.fromkeys(CREDIT_KINDS), **values, **inputs, SNAPSHOT_SHA256: sha256}


def exposed_fen(terms: AgreementTerms) -> int:
    """What the merchant stands to lose: the device of a rental, the principal of a financing."""
    return terms.device_value_fen if terms.financing is None else terms.financing.principal_fen


def signal(name: str, value: object) -> str | int | bool | None:
    """The value of a signal when it is of its declared type and range, else null.

    >>> signal("credit_score", 712), signal("credit_score", "712"), signal("credit_score", True), signal("credit_score", 9)
    (712, None, None, None)
    >>> signal("rent_risk_rank", "high"), signal("rent_risk_rank", "HIGH"), signal("list_match", False)
    ('high', None, False)
    """
    if type(value) is not SIGNAL_TYPES[name]:
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if SCORE_MIN <= value <= SCORE_MAX else None
    return value if isinstance(value, str) and value in RENT_RISK_RANKS else None


def history_after(history: PartyHistory, outcome: DecisionOutcome, exposed_fen: int) -> PartyHistory:
    """The history a second application of the same party in the same batch meets."""
    approved = outcome is DecisionOutcome.APPROVE
    return replace(
        history,
        applications_before=history.applications_before + 1,
        applications_24h=history.applications_24h + 1,
        declines_90d=history.declines_90d + (outcome is DecisionOutcome.DECLINE),
        active_orders=history.active_orders + approved,
        exposure_fen=history.exposure_fen + (exposed_fen if approved else 0),
    )


def canonical_inputs(inputs: Indicators) -> str:
    """The one spelling of an indicator set that its digest is taken from: JSON, members sorted, no white space."""
    return json.dumps(inputs, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
