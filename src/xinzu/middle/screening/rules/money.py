"""Which money must be reported, and which a person must look at.

Large transactions: 金融机构大额交易和可疑交易报告管理办法 (order [2016] 3) art. 5, added up over a day and one direction at a time. The
amounts are the law's and no setting. Customers of this module are natural persons, so code 0502 (others than natural persons) does not
occur; dollar amounts do not either, because the books are in yuan. Suspicious ones: art. 11 asks each institution for standards of its
own; these are ours, and a person decides each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from importlib import import_module

from xinzu.kernel.time import BusinessDate
from xinzu.middle.screening.model import AlertRule, Direction, Finding, Method, Movement

# Code of the report and the amount from which a day is large, by how the money moved.
LARGE_FROM_FEN: Mapping[Method, tuple[AlertRule, int]] = {
    Method.CASH: (AlertRule.CASH_LARGE, 5_000_000),
    Method.TRANSFER: (AlertRule.DOMESTIC_LARGE, 50_000_000),
    Method.CROSS_BORDER: (AlertRule.CROSS_BORDER_LARGE, 20_000_000),
}
FILING_DAYS = 5  # working days, art. 8
KEPT_YEARS = 10  # 反洗钱法 art. 34
LOOK_BACK_DAYS = 30
STRUCTURED_WITHIN_DAYS, STRUCTURED_COUNT, STRUCTURED_PART_PCT = 5, 3, 50
PASSED_WITHIN_DAYS, PASSED_PART_PCT, PASSED_FROM_FEN = 10, 80, 1_000_000
EARLY_PURPOSES = frozenset({"early_repayment", "buyout"})
EARLY_FROM_FEN = 500_000
PAYERS_COUNT = 3


def findings_of(movements: Sequence[Movement], on: BusinessDate) -> list[Finding]:
    """What the rules find in one party's movements as of a date; those of ``LOOK_BACK_DAYS`` before it are given too.

    At most one finding per rule: a party's alert of a day is one, whatever adds up to it.
    """
    seen = [each for each in movements if timedelta() <= on - each.moved_on <= timedelta(days=LOOK_BACK_DAYS)]
    return [*_large(seen, on), *_structured(seen, on), *_early(seen, on), *_passed_through(seen, on), *_many_payers(seen, on)]


def report_due_on(rule: AlertRule, on: BusinessDate) -> BusinessDate | None:
    """By when a large transaction is filed: five working days after it (art. 8). Others are reported when a person has found them suspicious."""
    if rule not in {code for code, _ in LARGE_FROM_FEN.values()}:
        return None
    day, left = on, FILING_DAYS
    while left:
        day += timedelta(days=1)
        left -= is_workday(day)
    return day


def is_workday(day: BusinessDate) -> bool:
    """By the State Council's calendar where it is published, else Monday to Friday."""
    constants = import_module("chinese_calendar.constants")
    if day in constants.holidays:
        return False
    return day in constants.workdays or day.weekday() < 5


def keep_until(on: BusinessDate) -> BusinessDate:
    """The day before which nothing of it may be erased; of 29 February the day after, so that it is never a day short.

    >>> from datetime import date
    >>> keep_until(date(2026, 7, 1)).isoformat(), keep_until(date(2028, 2, 29)).isoformat()
    ('2036-07-01', '2038-03-01')
    """
    try:
        return on.replace(year=on.year + KEPT_YEARS)
    except ValueError:
        return on.replace(year=on.year + KEPT_YEARS, month=3, day=1)


def _large(seen: Sequence[Movement], on: BusinessDate) -> Iterable[Finding]:
    """In and out are added up apart; when both are large it is one report of the day."""
    for method, (rule, from_fen) in LARGE_FROM_FEN.items():
        days = [
            [each for each in seen if (each.moved_on, each.method, each.direction) == (on, method, direction)]
            for direction in Direction
        ]
        part = [each for day in days if sum(each.amount_fen for each in day) >= from_fen for each in day]
        if part:
            yield _finding(rule, part, on)


def _structured(seen: Sequence[Movement], on: BusinessDate) -> Iterable[Finding]:
    """Several below what is large, each at least half of it, that add up to it within days (拆分交易)."""
    for method, (_, from_fen) in LARGE_FROM_FEN.items():
        for direction in Direction:
            part = [
                each
                for each in seen
                if (each.method, each.direction) == (method, direction)
                and on - each.moved_on < timedelta(days=STRUCTURED_WITHIN_DAYS)
                and from_fen * STRUCTURED_PART_PCT <= each.amount_fen * 100 < from_fen * 100
            ]
            days = {each.moved_on for each in part}
            if on in days and len(days) > 1 and len(part) >= STRUCTURED_COUNT:
                yield _finding(AlertRule.STRUCTURED, part, on)
                return


def _early(seen: Sequence[Movement], on: BusinessDate) -> Iterable[Finding]:
    """Somebody else repays early or buys out."""
    part = [each for each in seen if each.moved_on == on and _is_from_others(each) and each.purpose in EARLY_PURPOSES]
    if sum(each.amount_fen for each in part) >= EARLY_FROM_FEN:
        yield _finding(AlertRule.THIRD_PARTY_EARLY, part, on)


def _passed_through(seen: Sequence[Movement], on: BusinessDate) -> Iterable[Finding]:
    """Most of what came in goes out again within days."""
    part = [each for each in seen if on - each.moved_on < timedelta(days=PASSED_WITHIN_DAYS)]
    total: dict[Direction, int] = defaultdict(int)
    for each in part:
        total[each.direction] += each.amount_fen
    came_in = total[Direction.IN]
    has_left_today = any(each.moved_on == on and each.direction is Direction.OUT for each in part)
    if has_left_today and came_in >= PASSED_FROM_FEN and total[Direction.OUT] * 100 >= came_in * PASSED_PART_PCT:
        yield _finding(AlertRule.PASSED_THROUGH, part, on)


def _many_payers(seen: Sequence[Movement], on: BusinessDate) -> Iterable[Finding]:
    """Several others pay for one."""
    part = [each for each in seen if _is_from_others(each)]
    if any(each.moved_on == on for each in part) and len({each.payer_key for each in part}) >= PAYERS_COUNT:
        yield _finding(AlertRule.MANY_PAYERS, part, on)


def _is_from_others(each: Movement) -> bool:
    return each.direction is Direction.IN and each.payer_key is not None


def _finding(rule: AlertRule, part: Sequence[Movement], on: BusinessDate) -> Finding:
    return Finding(
        rule=rule,
        party_id=part[0].party_id,
        on=on,
        amount_fen=sum(each.amount_fen for each in part),
        references=[f"{each.source}:{each.source_ref}" for each in part],
    )
