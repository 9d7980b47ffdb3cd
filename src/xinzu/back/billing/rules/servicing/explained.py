"""Why a leg of an amended schedule is what it is, from the terms in force in its version."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext

from xinzu.back.billing.model import Leg, Role, Segment, Why
from xinzu.back.billing.rules.legs import ONE_DAY
from xinzu.back.billing.rules.schedules.amortise import PRECISION, settled
from xinzu.back.billing.rules.servicing.accrued import timeline
from xinzu.back.billing.rules.servicing.position import InForce


def why_amended(in_force: InForce | None, legs: Sequence[Leg], leg: Leg, amendment: Why) -> Why:
    """The interest of the leg's row as its version's terms count it: day by day on the principal still to come by then, as the legs of
    the version asked for it when they were made.

    ``carried_fen`` is what the row asks for beyond that: interest from before the terms and arrears spread over the rows. What an
    amendment asks for beside its rows (what is due at once, a difference posted for the past) is answered by the amendment's own reason.
    """
    if in_force is None:
        return amendment
    terms = in_force.terms
    with localcontext(prec=PRECISION):
        accruals = timeline(terms)
        n = leg.number - in_force.first_number + 1
        if leg.version != in_force.version or not 1 <= n <= len(accruals) or leg.due_on != accruals[n - 1].period.due_on:
            return amendment
        asked = {each.number - in_force.first_number + 1: each for each in legs if _is_principal(each, in_force.version)}
        base_fen = sum(asked[row].amount_fen for row in range(n, len(accruals) + 1) if row in asked)
        base_fen -= sum(accrual.drawn_fen for accrual in accruals[n - 1 :])
        segments = []
        for part in accruals[n - 1].segments:
            base_fen += part.drawn_fen
            rate_pct = Decimal(0) if accruals[n - 1].is_free else part.rate_pct
            interest_fen = settled(base_fen * (rate_pct * part.fraction / 100), terms.rounding.mode)
            segments.append(
                Segment(
                    part.from_on,
                    part.to_on - ONE_DAY,
                    base_fen,
                    format(rate_pct, "f"),
                    format(part.fraction, "f"),
                    interest_fen,
                )
            )
    counted_fen = sum(segment.amount_fen or 0 for segment in segments)
    return Why(
        formula=f"{terms.method.value}_as_amended",
        words_zh=f"按第 {in_force.version} 版还款计划的条款计算；变更原因：{amendment.words_zh}",
        words_en=f"By the terms of version {in_force.version} of the schedule, amended because: {amendment.words_en}",
        inputs={
            "version": in_force.version,
            "number": leg.number,
            "row": n,
            "rows": len(accruals),
            "start_on": terms.start_on.isoformat(),
            "principal_fen": terms.drawn_fen,
            "annual_rate_pct": format(terms.annual_rate_pct, "f"),
            "day_count": terms.day_count.value,
            "interest_days": terms.interest_days.value,
            "carried_fen": leg.amount_fen - counted_fen if leg.role is Role.INTEREST else 0,
        },
        segments=tuple(segments),
    )


def _is_principal(leg: Leg, version: int) -> bool:
    return leg.version == version and leg.role is Role.PRINCIPAL
