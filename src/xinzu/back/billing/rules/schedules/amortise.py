"""From terms to rows. The sum of the rows' principal is what was drawn, and the last balance is nothing: by construction, to the fen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from xinzu.back.billing.rules.schedules.accrual import Accrual, accruals_of
from xinzu.back.billing.rules.schedules.periods import Period, periods_of
from xinzu.back.billing.rules.schedules.terms import (
    ANNUITIES,
    BALANCE_MAX_FEN,
    WEIGHTED,
    Method,
    Residue,
    RoundingPolicy,
    ScheduleTerms,
    Timing,
    check,
    refused,
)
from xinzu.kernel.errors import invariant
from xinzu.kernel.money import DECIMAL_ROUNDING, Rounding
from xinzu.kernel.time import BusinessDate

PRECISION = 40
_ADJUSTMENTS_MAX = 20
_ONE = Decimal(1)
_FINE = Decimal("1e-15")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a schedule: what is due on ``due_on`` and what stays owed after it. Amounts in fen."""

    n: int
    from_on: BusinessDate
    due_on: BusinessDate
    principal_fen: int
    interest_fen: int
    fee_fen: int
    balance_fen: int

    @property
    def total_fen(self) -> int:
        return self.principal_fen + self.interest_fen + self.fee_fen


@dataclass(frozen=True, slots=True)
class _Split:
    """Principal and interest of a row, and the balance after it."""

    principal_fen: int
    interest_fen: int
    balance_fen: int


def settled(amount: Decimal, mode: Rounding) -> int:
    """An amount in whole fen. What lies below the 15th decimal is the division's own error: an exact half stays a half, an exact fen a fen.

    >>> with localcontext(prec=PRECISION):
    ...     settled(Decimal(2) / 3 * 3, Rounding.DOWN), settled(Decimal(1) / 6 * 3, Rounding.HALF_UP)
    (2, 1)
    """
    return int(amount.quantize(_FINE, rounding=ROUND_HALF_EVEN).quantize(_ONE, rounding=DECIMAL_ROUNDING[mode]))


def round_to(amount: Decimal, policy: RoundingPolicy) -> int:
    """The instalment in whole multiples, by the policy's mode.

    >>> round_to(Decimal("85.5"), RoundingPolicy(Rounding.HALF_UP)), round_to(Decimal(1234), RoundingPolicy(Rounding.UP, 100))
    (86, 1300)
    """
    multiple = policy.instalment_multiple_fen
    return settled(amount / multiple, policy.mode) * multiple


def rows_of(terms: ScheduleTerms) -> list[Row]:
    """The schedule of terms whose unknown is the instalment. Raises Invalid, naming the field, when the terms cannot be."""
    check(terms)
    return plan(terms, None)


def plan(terms: ScheduleTerms, instalment_fen: int | None) -> list[Row]:
    """The rows of checked terms; with ``instalment_fen`` every row but the last asks for that much (times its weight)."""
    with localcontext(prec=PRECISION):
        accruals = accruals_of(terms, row_periods(terms, has_balloon=terms.balloon_fen > 0))
        last = accruals[-1].period.due_on
        last_payment = accruals[terms.row_count - 1].period.due_on if terms.method in ANNUITIES else last
        for name, events, before in (
            ("disbursements", terms.disbursements, last_payment),
            ("rate_changes", terms.rate_changes, last),
        ):
            if any(on >= before for on, *_ in events):
                raise refused(name, "须早于最后一期的到期日", "must be before the last due date")
        if terms.method in ANNUITIES:
            splits = _annuity(terms, accruals, instalment_fen)
        elif terms.method is Method.FLAT:
            splits = _flat(terms, accruals)
        else:
            splits = _by_principal(terms, accruals)
        splits = _deferred(splits, terms.grace.interest)
    fees: dict[int, int] = {}
    for number, fee_fen in terms.fees:
        fees[number] = fees.get(number, 0) + fee_fen
    rows = [
        Row(
            accrual.period.number,
            accrual.period.from_on,
            accrual.period.due_on,
            split.principal_fen,
            split.interest_fen,
            fees.get(accrual.period.number, 0),
            split.balance_fen,
        )
        for accrual, split in zip(accruals, splits, strict=False)
    ]
    invariant(sum(row.principal_fen for row in rows) == terms.drawn_fen, "the rows repay what was drawn")
    invariant(rows[-1].balance_fen == 0, "nothing is owed after the last row")
    if any(row.total_fen < 0 for row in rows):
        raise refused(
            "grace.interest" if terms.grace.interest else "annual_rate_pct",
            "某一期应还金额为负，请调整",
            "makes a row that would pay money out: choose other terms",
        )
    if any(row.balance_fen > BALANCE_MAX_FEN for row in rows):
        raise refused(
            "annual_rate_pct", "利息超过可计算的范围", "makes interest outgrow what can be computed: choose other terms"
        )
    return rows


def row_periods(terms: ScheduleTerms, *, has_balloon: bool) -> list[Period]:
    """The period of each row the terms make: a bullet's only one, and in advance one more only for what falls due at the end."""
    periods = periods_of(terms)
    if terms.method is Method.BULLET:
        end = periods[-1].due_on
        regular = all(period.is_regular for period in periods)
        return [Period(1, terms.start_on, end, terms.start_on, regular, terms.row_count if regular else 1)]
    ends_later = has_balloon or terms.method is Method.INTEREST_ONLY
    return periods if terms.timing is Timing.ARREARS or ends_later else periods[:-1]


def interest_of(balance_fen: int, accrual: Accrual, mode: Rounding) -> int:
    """The interest of a row on the balance at its start: each segment's is rounded by itself."""
    interest_fen = 0
    for segment, factor in zip(accrual.segments, accrual.factors, strict=True):
        balance_fen += segment.drawn_fen
        interest_fen += settled(balance_fen * factor, mode)
    return interest_fen


# --- annuities -----------------------------------------------------------------------------------------------------------


def _annuity(terms: ScheduleTerms, accruals: Sequence[Accrual], instalment_fen: int | None) -> list[_Split]:
    """Spans of rows between events: each is solved anew from the balance at its start, and knows nothing of later ones."""
    starts = [0, *(index for index, accrual in enumerate(accruals) if index and accrual.has_event)]
    splits: list[_Split] = []
    balance_fen = 0
    for start, end in zip(starts, [*starts[1:], len(accruals)], strict=True):
        size = solve_from(terms, accruals, start, balance_fen) if instalment_fen is None else Decimal(instalment_fen)
        if terms.method not in WEIGHTED:
            size = Decimal(round_to(size, terms.rounding))
        if end == len(accruals):
            splits += _last_span(terms, accruals, start, balance_fen, size, is_fixed=instalment_fen is not None)
        else:
            splits += _span(terms, accruals, start, end, balance_fen, size)
            balance_fen = splits[-1].balance_fen
    return splits


def solve_from(terms: ScheduleTerms, accruals: Sequence[Accrual], start: int, balance_fen: int) -> Decimal:
    """The unrounded instalment (of weight one) that brings the balance to the balloon at the end: the closed form over the period factors.

    The balance is linear in the instalment: it is carried as ``fixed − instalment × weighed``.
    """
    fixed, weighed = linear_balance(terms, accruals, start, balance_fen)
    if weighed == 0:
        return Decimal(0)
    return (fixed - terms.balloon_fen) / weighed


def linear_balance(
    terms: ScheduleTerms, accruals: Sequence[Accrual], start: int, balance_fen: int | Decimal
) -> tuple[Decimal, Decimal]:
    """The balance at the end of the term as (a, b) of ``a − instalment × b``, unrounded. Events after the starting row are unknown."""
    fixed, weighed = Decimal(balance_fen), Decimal(0)
    rate = accruals[start].rate_pct
    for index in range(start, len(accruals)):
        accrual = accruals[index]
        if index == start:
            interest, drawn = Decimal(0), Decimal(0)
            for segment, factor in zip(accrual.segments, accrual.factors, strict=True):
                drawn += segment.drawn_fen
                interest += (fixed + drawn) * factor
            growth = sum(accrual.factors, Decimal(0))
        else:
            growth = Decimal(0) if accrual.is_free else rate * accrual.fraction / 100
            interest, drawn = fixed * growth, Decimal(0)
        if index < terms.grace.principal:
            fixed += drawn
            continue
        fixed += drawn + interest
        weighed *= 1 + growth
        if index < terms.row_count:
            weighed += _weight(terms, index)
    return fixed, weighed


def _weight(terms: ScheduleTerms, index: int) -> Decimal:
    return terms.weights[index] if terms.method in WEIGHTED else _ONE


def _size(terms: ScheduleTerms, index: int, size: Decimal) -> int:
    """What a row asks for."""
    return round_to(size * terms.weights[index], terms.rounding) if terms.method in WEIGHTED else int(size)


def _span(
    terms: ScheduleTerms, accruals: Sequence[Accrual], start: int, end: int, balance_fen: int, size: Decimal, extra_fen: int = 0
) -> list[_Split]:
    """Rows of one instalment; the last row of the schedule takes all that is left. ``extra_fen`` is asked for in the first that pays."""
    splits = []
    last_payment = terms.row_count - 1
    first_payment = max(start, terms.grace.principal)
    for index in range(start, end):
        accrual = accruals[index]
        interest_fen = interest_of(balance_fen, accrual, terms.rounding.mode)
        balance_fen += accrual.drawn_fen
        if index > last_payment:  # the balloon of terms in advance: the agreed amount, to the fen
            splits.append(_Split(balance_fen, terms.balloon_fen - balance_fen, 0))
            return splits
        if index < terms.grace.principal:
            principal_fen = 0
        elif index == last_payment:
            principal_fen = balance_fen - _left_for_balloon(terms, accruals)
        else:
            asked_fen = _size(terms, index, size) + (extra_fen if index == first_payment else 0)
            least_fen = terms.balloon_fen if terms.timing is Timing.ARREARS else 0
            principal_fen = min(asked_fen - interest_fen, max(balance_fen - least_fen, 0))
        balance_fen -= principal_fen
        splits.append(_Split(principal_fen, interest_fen, balance_fen))
    return splits


def _left_for_balloon(terms: ScheduleTerms, accruals: Sequence[Accrual]) -> int:
    """What stays owed after the last instalment: nothing, or in advance what grows to the balloon by the end of the term."""
    if len(accruals) == terms.row_count:
        return 0
    growth = sum(accruals[-1].factors, Decimal(0))
    return int((terms.balloon_fen / (1 + growth)).quantize(_ONE, rounding=ROUND_HALF_EVEN))


def _last_span(
    terms: ScheduleTerms, accruals: Sequence[Accrual], start: int, balance_fen: int, size: Decimal, *, is_fixed: bool
) -> list[_Split]:
    """The span that ends the schedule, with its residue where the terms want it."""
    end = len(accruals)
    last = terms.row_count - 1
    splits = _span(terms, accruals, start, end, balance_fen, size)

    def residue(of: Sequence[_Split], of_size: Decimal) -> int:
        row = of[last - start]
        balloon_fen = terms.balloon_fen if end == terms.row_count else 0
        return row.principal_fen + row.interest_fen - balloon_fen - _size(terms, last, of_size)

    if is_fixed:
        return splits
    weights = sum((_weight(terms, index) for index in range(max(start, terms.grace.principal), last + 1)), Decimal(0))
    if terms.rounding.smooth_last and weights:
        for _ in range(_ADJUSTMENTS_MAX):
            step = Decimal(residue(splits, size)) / weights
            moved = size + (step if terms.method in WEIGHTED else round_to(step, _nearest(terms.rounding)))
            smoother = _span(terms, accruals, start, end, balance_fen, moved)
            if abs(residue(smoother, moved)) >= abs(residue(splits, size)):
                break
            splits, size = smoother, moved
    if terms.rounding.residue is Residue.FIRST and max(start, terms.grace.principal) < last:
        extra_fen = 0
        for _ in range(_ADJUSTMENTS_MAX):
            left_fen = residue(splits, size)
            if left_fen == 0:
                break
            growth = _growth_between(accruals, max(start, terms.grace.principal) + 1, last)
            extra_fen += int((left_fen / growth).quantize(_ONE, rounding=ROUND_HALF_EVEN)) or (1 if left_fen > 0 else -1)
            candidate = _span(terms, accruals, start, end, balance_fen, size, extra_fen)
            if abs(residue(candidate, size)) >= abs(left_fen):
                break
            splits = candidate
    return splits


def _nearest(policy: RoundingPolicy) -> RoundingPolicy:
    return replace(policy, mode=Rounding.HALF_EVEN)


def _growth_between(accruals: Sequence[Accrual], first: int, last: int) -> Decimal:
    growth = _ONE
    for index in range(first, last + 1):
        growth *= 1 + sum(accruals[index].factors, Decimal(0))
    return growth


# --- the other methods ---------------------------------------------------------------------------------------------------


def _by_principal(terms: ScheduleTerms, accruals: Sequence[Accrual]) -> list[_Split]:
    """Equal principal, interest only and bullet: the principal of a row is settled first, its interest is what accrued."""
    splits = []
    balance_fen = 0
    count = len(accruals) if terms.method is not Method.EQUAL_PRINCIPAL else terms.row_count
    part_fen: int | None = None
    first_payment = terms.grace.principal
    for index, accrual in enumerate(accruals):
        interest_fen = interest_of(balance_fen, accrual, terms.rounding.mode)
        balance_fen += accrual.drawn_fen
        if index == len(accruals) - 1:
            principal_fen = balance_fen
        elif terms.method is not Method.EQUAL_PRINCIPAL or index < terms.grace.principal:
            principal_fen = 0
        elif index == count - 1:  # in advance, before the balloon
            principal_fen = balance_fen - terms.balloon_fen
        else:
            if part_fen is None or accrual.drawn_fen:
                part_fen = round_to(Decimal(balance_fen - terms.balloon_fen) / (count - index), terms.rounding)
            principal_fen = part_fen
            if index == first_payment and terms.rounding.residue is Residue.FIRST and not terms.disbursements:
                principal_fen = balance_fen - terms.balloon_fen - part_fen * (count - index - 1)
            principal_fen = max(min(principal_fen, balance_fen - terms.balloon_fen), 0)
        balance_fen -= principal_fen
        splits.append(_Split(principal_fen, interest_fen, balance_fen))
    return splits


def _flat(terms: ScheduleTerms, accruals: Sequence[Accrual]) -> list[_Split]:
    """Interest on the first principal over the whole term, spread equally like the principal (等本等息)."""
    count = len(accruals)
    principal_fen = terms.drawn_fen
    factors = sum((factor for accrual in accruals for factor in accrual.factors), Decimal(0))
    if terms.timing is Timing.ADVANCE:  # the last period has no row of its own
        end = periods_of(terms)[-1]
        factors += accruals_of(replace(terms, disbursements=()), [end])[0].factors[0]
    single = replace(terms.rounding, instalment_multiple_fen=1)
    interest_fen = round_to(principal_fen * factors, single)
    each_interest_fen = min(round_to(Decimal(interest_fen) / count, single), interest_fen // max(count - 1, 1))
    paying = count - terms.grace.principal
    each_fen = round_to(Decimal(principal_fen) / paying, single)
    if terms.rounding.instalment_multiple_fen > 1:
        total = Decimal(principal_fen) / paying + Decimal(interest_fen) / count
        each_fen = round_to(total, terms.rounding) - each_interest_fen
    residue_at = terms.grace.principal if terms.rounding.residue is Residue.FIRST else count - 1
    splits = []
    balance_fen = principal_fen
    residue_fen = principal_fen - each_fen * (paying - 1)
    for index in range(count):
        if index < terms.grace.principal:
            part_fen = 0
        elif index == count - 1 and residue_at == index:
            part_fen = balance_fen
        else:
            part_fen = max(min(residue_fen if index == residue_at else each_fen, balance_fen), 0)
        if index == count - 1:
            part_fen = balance_fen
        of_interest_fen = interest_fen - each_interest_fen * (count - 1) if index == residue_at else each_interest_fen
        balance_fen -= part_fen
        splits.append(_Split(part_fen, of_interest_fen, balance_fen))
    return splits


def _deferred(splits: list[_Split], grace: int) -> list[_Split]:
    """The interest of the first rows is asked for in the row after them, without interest on it."""
    if not grace:
        return splits
    held_fen = sum(split.interest_fen for split in splits[:grace])
    return [
        *(replace(split, interest_fen=0) for split in splits[:grace]),
        replace(splits[grace], interest_fen=splits[grace].interest_fen + held_fen),
        *splits[grace + 1 :],
    ]
