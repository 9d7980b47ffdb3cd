"""Trying versions out: who is decided by which, who is accepted at random, and when a candidate is taken back."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from math import sqrt
from uuid import UUID

from xinzu.middle.decisions.model import ArmCounts, Catalogue, DecisionOutcome, Experiment, Verdict

BUCKETS = 10_000
Z_95 = 1.96  # the two-sided 95 % quantile of the normal distribution


def bucket(tenant_id: int, key: str, experiment: str, unit: UUID) -> int:
    """A number from 0 to 9,999, the same for ever for the same unit, independent between experiments.

    A share of p percent takes the buckets below p · 100, so that whoever is in at 5 % is still in at 20 %.

    >>> one = UUID(int=1)
    >>> bucket(1, "phone_rental", "v2", one) == bucket(1, "phone_rental", "v2", one)
    True
    """
    digest = sha256(f"{tenant_id}\n{key}\n{experiment}\n{unit}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % BUCKETS


def is_in_share(tenant_id: int, key: str, version: int, party_id: UUID, share_pct: int) -> bool:
    """Whether a party is decided by the candidate ``version``. All applications of one party go the same way."""
    return bucket(tenant_id, key, f"v{version}", party_id) < share_pct * BUCKETS // 100


def is_drawn(tenant_id: int, key: str, application_id: UUID, accept_bp: int) -> bool:
    """Whether an application is drawn for the random accept arm: by application, so that nobody is drawn for ever."""
    return bucket(tenant_id, key, "random_accept", application_id) < accept_bp


def may_accept_at_random(verdict: Verdict, catalogue: Catalogue) -> bool:
    """Whether an application may be accepted against the strategy's word: only a decline, and only where no reason is binding
    (a law, a list, a third party without whom the business cannot be done) or unknown."""
    return verdict.outcome is DecisionOutcome.DECLINE and all(
        code in catalogue and not catalogue[code].is_binding for code in verdict.reason_codes
    )


def is_within_budget(experiment: Experiment, accepted_count: int, accepted_fen: int, value_fen: int) -> bool:
    """Whether one more acceptance of ``value_fen`` keeps to the month's count and amount."""
    return accepted_count < experiment.accept_count_max and accepted_fen + value_fen <= experiment.accept_max_fen


def breach(champion: ArmCounts, candidate: ArmCounts, rails: Experiment) -> str | None:
    """Which guard rail a candidate breaks, or None: approval_rate, refer_rate or failure_rate.

    A rate breaks its rail when it differs by more than the rail even at the near end of the 95 % interval of the difference (normal
    approximation), so that a small sample does not roll a sound version back.

    >>> rails = Experiment(count_min=100)
    >>> breach(ArmCounts(1000, 700, 100, 0), ArmCounts(200, 80, 20, 0), rails)
    'approval_rate'
    >>> breach(ArmCounts(1000, 700, 100, 0), ArmCounts(200, 130, 25, 0), rails) is None
    True
    """
    if min(champion.decided, candidate.decided) < rails.count_min:
        return None
    rates: Sequence[tuple[str, int, int, int, bool]] = (
        ("failure_rate", champion.failed, candidate.failed, rails.failure_rise_pct_max, False),
        ("approval_rate", champion.approved, candidate.approved, rails.approval_change_pct_max, True),
        ("refer_rate", champion.referred, candidate.referred, rails.refer_rise_pct_max, False),
    )
    for name, before, after, change_pct_max, is_two_sided in rates:
        p, q = before / champion.decided, after / candidate.decided
        change = abs(q - p) if is_two_sided else q - p
        margin = Z_95 * sqrt(p * (1 - p) / champion.decided + q * (1 - q) / candidate.decided)
        if change - margin > change_pct_max / 100:
            return name
    return None
