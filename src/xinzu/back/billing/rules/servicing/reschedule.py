"""Changes to the time and price of what is to come: rate, instalments, term, pause, arrears. The past stands as it was asked for.

Each begins where the row in progress began, so that no day is counted twice or lost and nothing is due at once. A backdated rate posts
the difference for rows asked for since; every other event takes effect on or after the position's date.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from enum import StrEnum

from xinzu.back.billing.model import Leg, Role
from xinzu.back.billing.rules.schedules.amortise import PRECISION, interest_of
from xinzu.back.billing.rules.schedules.solve import schedule_of
from xinzu.back.billing.rules.schedules.terms import PERIODS_MAX, WEIGHTED, Grace, Method, refused, within
from xinzu.back.billing.rules.servicing.accrued import timeline
from xinzu.back.billing.rules.servicing.change import Change, grounded, not_before, whole, why
from xinzu.back.billing.rules.servicing.position import Pause, Position
from xinzu.back.billing.rules.servicing.remaining import Remaining, later_dues, next_terms, remaining_of, replaced
from xinzu.kernel.money import split_fen
from xinzu.kernel.time import BusinessDate


@dataclass(frozen=True, slots=True, kw_only=True)
class RateChange:
    """A new annual rate in percent from a date, which may lie in the past."""

    on: BusinessDate
    annual_rate_pct: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReAmortise:
    """The same end of the term, new equal instalments."""

    on: BusinessDate


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """Every due date to come moves by so many periods (展期, Civil Code art. 678)."""

    on: BusinessDate
    periods: int


class PausedInterest(StrEnum):
    """What becomes of interest in a moratorium: paid as it accrues; asked for after the pause, bearing none; or added to the principal."""

    PAID = "paid"
    DEFERRED = "deferred"
    CAPITALISED = "capitalised"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moratorium:
    """No principal for so many periods; the term is longer by as many."""

    on: BusinessDate
    periods: int
    interest: PausedInterest


@dataclass(frozen=True, slots=True, kw_only=True)
class Restructure:
    """A new rate, number of rows and method for what is outstanding. The first row is due when the next one was."""

    on: BusinessDate
    periods: int
    annual_rate_pct: Decimal
    method: Method = Method.EQUAL_INSTALMENT
    balloon_fen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReAge:
    """Arrears are spread over the rows to come, or over ``periods`` of them. ``reset_ground`` is the recorded ground on which days past
    due begin anew; without it they go on."""

    on: BusinessDate
    periods: int | None = None
    reset_ground: str | None = None


def change_rate(position: Position, event: RateChange) -> Change:
    """Interest at the new rate from its date, the instalment solved anew from the row it falls in; rows due before it do not change."""
    left = remaining_of(position, event.on)
    terms = next_terms(left, rate_pct=event.annual_rate_pct, rate_from_on=event.on)
    reason = why(
        "rate_change",
        f"自 {event.on} 起年利率为 {event.annual_rate_pct}%，剩余各期重新计算",
        f"The annual rate is {event.annual_rate_pct} % from {event.on}; the rows to come are computed anew",
        annual_rate_pct=event.annual_rate_pct,
        principal_fen=left.principal_fen,
    )
    rows = schedule_of(terms).rows
    return replaced(position, left, terms, rows, kind="rate_change", on=event.on, reason=reason, carried_fen=left.deferred_fen)


def re_amortise(position: Position, event: ReAmortise) -> Change:
    """The rows to come, solved anew over the same due dates.

    When nothing had changed the principal and the dates are the same and each instalment is within one fen, plus the rounding residue of
    the old last row spread over the rows, of what it was: that residue is levelled. Without a residue nothing moves.
    """
    not_before(event.on, position.as_of)
    left = remaining_of(position, event.on)
    terms = next_terms(left)
    reason = why(
        "re_amortise",
        "剩余本金按原到期日与原利率重新平均",
        "What is outstanding is spread anew over the same due dates at the same rate",
        principal_fen=left.principal_fen,
        rows=len(left.dues),
    )
    rows = schedule_of(terms).rows
    return replaced(position, left, terms, rows, kind="re_amortise", on=event.on, reason=reason, carried_fen=left.deferred_fen)


def extend(position: Position, event: Extension) -> Change:
    """Every row to come is due later by the periods given; interest runs and is asked for with the first of them."""
    not_before(event.on, position.as_of)
    within("periods", event.periods, 1, PERIODS_MAX)
    left = remaining_of(position, event.on)
    dues = (*left.dues, *later_dues(left, event.periods))[event.periods :]
    terms = next_terms(left, dues=dues)
    reason = why(
        "extension",
        f"经同意展期 {event.periods} 期，利息照计（民法典第六百七十八条）",
        f"By agreement every due date moves by {event.periods} periods; interest runs (Civil Code art. 678)",
        periods=event.periods,
        first_due_on=dues[0],
        last_due_on=dues[-1],
    )
    rows = schedule_of(terms).rows
    return replaced(position, left, terms, rows, kind="extension", on=event.on, reason=reason, carried_fen=left.deferred_fen)


def pause(position: Position, event: Moratorium) -> Change:
    """A moratorium (延期还本付息): no principal for so many periods, which are added to the term; no penalty accrues until its end.

    Interest is paid as it accrues, or deferred to the first row after the pause without interest on it, or added to the principal at the
    end of the pause (simple interest up to there). Deferred, the total principal does not change; capitalised, it grows by exactly the
    interest of the pause.
    """
    not_before(event.on, position.as_of)
    within("periods", event.periods, 1, PERIODS_MAX)
    left = remaining_of(position, event.on)
    old = left.terms
    if old.method in (Method.BULLET, Method.INTEREST_ONLY):
        raise refused(
            "periods", "该还款方式期间本无本金：请用展期", "of a contract that asks no principal yet: extend it instead"
        )
    count, dues = event.periods, (*left.dues, *later_dues(left, event.periods))
    ends_on = dues[count - 1]
    grace = Grace(max(old.grace.principal - left.asked, 0), max(old.grace.interest - left.asked, 0))
    carried_fen, pausing = left.deferred_fen, None
    if event.interest is PausedInterest.CAPITALISED:
        if left.drawn_later or (position.pause is not None and event.on < position.pause.to_on):
            raise refused(
                "interest",
                "尚有未放款项或仍在延缓期内：不能资本化",
                "cannot be capitalised while tranches or a pause are to come",
            )
        with localcontext(prec=PRECISION):
            paused = timeline(next_terms(left, dues=dues, grace=Grace(), weights=_padded(left, count)))[:count]
            mode = old.rounding.mode
            accrued = [interest_of(0 if n == 0 else left.principal_fen, accrual, mode) for n, accrual in enumerate(paused)]
        carried_fen, added_fen = 0, left.deferred_fen + sum(accrued)
        terms = next_terms(left, start_on=ends_on, dues=dues[count:], principal_fen=left.principal_fen + added_fen, grace=grace)
        terms = replace(terms, interest_free=max(terms.interest_free - count, 0))
        pausing = Pause(left.from_on, ends_on, added_fen)
    else:
        waits = event.interest is PausedInterest.DEFERRED
        longer = Grace(grace.principal + count, max(grace.interest, count) if waits else grace.interest)
        terms = next_terms(left, dues=dues, grace=longer, weights=_padded(left, count))
    reason = why(
        "moratorium",
        f"延缓 {count} 期还本，期间不计违约金；利息处理方式：{event.interest.value}",
        f"No principal for {count} periods and no penalty in them; interest is {event.interest.value}",
        periods=count,
        interest=event.interest.value,
        until_on=ends_on,
        capitalised_fen=pausing.capitalised_fen if pausing else 0,
    )
    change = replaced(
        position,
        left,
        terms,
        schedule_of(terms).rows,
        kind="moratorium",
        on=event.on,
        reason=reason,
        carried_fen=carried_fen,
        skipped_rows=count if pausing else 0,
    )
    return replace(change, pause=pausing or position.pause, no_late_fee=(event.on, ends_on))


def _padded(left: Remaining, count: int) -> tuple[Decimal, ...] | None:
    """The weights to come, with rows in grace before them."""
    if left.terms.method not in WEIGHTED:
        return None
    return (Decimal(1),) * count + left.terms.weights[left.asked :]


def restructure(position: Position, event: Restructure) -> Change:
    """A new rate from the date, a new number of rows and a new method for the principal to come (债务重组); arrears stay as they are."""
    not_before(event.on, position.as_of)
    within("periods", event.periods, 1, PERIODS_MAX)
    left = remaining_of(position, event.on)
    dues = (*left.dues, *later_dues(left, event.periods))[: event.periods]
    terms = next_terms(
        left,
        dues=dues,
        method=event.method,
        balloon_fen=event.balloon_fen,
        grace=Grace(),
        rate_pct=event.annual_rate_pct,
        rate_from_on=event.on,
    )
    reason = why(
        "restructure",
        f"剩余本金自 {event.on} 起按年利率 {event.annual_rate_pct}%、{event.periods} 期、{event.method.value} 重新安排",
        f"What is outstanding is repaid in {event.periods} rows at {event.annual_rate_pct} % from {event.on}, {event.method.value}",
        principal_fen=left.principal_fen,
        annual_rate_pct=event.annual_rate_pct,
        periods=event.periods,
        method=event.method.value,
    )
    rows = schedule_of(terms).rows
    return replaced(position, left, terms, rows, kind="restructure", on=event.on, reason=reason, carried_fen=left.deferred_fen)


def re_age(position: Position, event: ReAge) -> Change:
    """Arrears are spread over the rows to come: overdue principal is amortised again from the date, overdue interest and fees are added
    in equal parts and bear nothing. Late fees stay as they are.

    Days past due begin anew only with a recorded ground; else they go on from the oldest date (``ageing_since``).
    """
    not_before(event.on, position.as_of)
    if event.reset_ground is not None:
        grounded(event.reset_ground, "reset_ground")
    left = remaining_of(position, event.on, may_be_over=True)
    to_come = {leg.ref for leg in left.legs}
    overdue = [leg for leg in position.legs if leg.open_fen > 0 and leg.ref not in to_come]
    if not overdue:
        raise refused("on", "该日没有拖欠", "finds no arrears to spread: re-amortise or restructure instead")
    if not left.legs and event.periods is None:
        raise refused("periods", "已无剩余期次：须给出新的期数", "is needed: no row is to come, so name the new term")
    count = event.periods or len(left.dues)
    within("periods", count, 1, PERIODS_MAX)
    dues = (*left.dues, *later_dues(left, count, event.on))[:count]
    is_over = not left.legs
    terms = next_terms(
        left,
        dues=dues,
        method=Method.EQUAL_INSTALMENT if is_over else None,
        balloon_fen=0 if is_over else None,
        drawn_on=event.on,
        drawn_fen=_open(overdue, Role.PRINCIPAL),
        is_broken=is_over,
    )
    rows = schedule_of(terms).rows
    each = [1] * len(rows)
    spread = {role: split_fen(_open(overdue, role), each) for role in (Role.INTEREST, Role.FEE)}
    oldest_on = min(leg.due_on for leg in overdue)
    resets = event.reset_ground is not None
    reason = why(
        "re_age",
        "拖欠款项并入剩余各期；" + ("逾期天数按所记依据重新起算" if resets else "逾期天数自最早到期日继续计算"),
        "Arrears are spread over the rows to come; days past due "
        + ("begin anew on the recorded ground" if resets else "go on from the oldest due date"),
        arrears_fen=sum(leg.open_fen for leg in overdue),
        oldest_due_on=oldest_on,
        ground=event.reset_ground or "",
    )
    change = replaced(
        position,
        left,
        terms,
        rows,
        kind="re_age",
        on=event.on,
        reason=reason,
        carried_fen=left.deferred_fen,
        spread=spread,
        also_falls_away=whole(overdue),
    )
    return replace(change, reset_days_past_due=resets, ageing_since=None if resets else oldest_on)


def _open(legs: list[Leg], role: Role) -> int:
    return sum(leg.open_fen for leg in legs if leg.role is role)
