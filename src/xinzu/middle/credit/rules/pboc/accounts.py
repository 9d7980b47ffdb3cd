"""What an account is and was, from its own node: open, bad, overdue in which months, sharing a limit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType

from xinzu.middle.credit.rules.pboc.codes import (
    BAD_DEBT,
    BAD_DEBT_STATUSES,
    CARD_NOT_ACTIVATED,
    CARDS,
    CLOSED_STATUSES,
    CNY,
    OVERDUE_STATUSES,
    SUBSTITUTED,
    AccountType,
)
from xinzu.middle.credit.rules.pboc.nodes.account import Account

# Somebody else paid or something was taken instead: counted like three instalments late, the point at which that usually happens.
SUBSTITUTED_INSTALMENTS = 3
BAD_DEBT_INSTALMENTS = 7
_SEVERITY: Mapping[str, int] = MappingProxyType(
    {
        **{status: int(status) for status in OVERDUE_STATUSES},
        BAD_DEBT: BAD_DEBT_INSTALMENTS,
        **dict.fromkeys(SUBSTITUTED, SUBSTITUTED_INSTALMENTS),
    }
)


def month_number(of: date) -> int:
    """Months counted through, so that differences are months."""
    return of.year * 12 + of.month - 1


def months_apart(earlier: date, later: date | datetime) -> int:
    """Full months between two dates, never negative.

    >>> months_apart(date(2026, 1, 31), date(2026, 3, 1)), months_apart(date(2026, 1, 1), date(2026, 3, 1))
    (1, 2)
    """
    return max(0, month_number(later) - month_number(earlier) - (later.day < earlier.day))


def is_closed(account: Account) -> bool:
    """Settled, transferred or cancelled: nothing more becomes due."""
    return account.status in CLOSED_STATUSES[account.type]


def is_bad_debt(account: Account) -> bool:
    return account.status in BAD_DEBT_STATUSES[account.type]


def is_live_card(account: Account) -> bool:
    """An activated card that was not cancelled, in yuan: its foreign twin is the same limit in another currency."""
    return (
        account.type in CARDS
        and not is_closed(account)
        and account.status != CARD_NOT_ACTIVATED
        and account.basics.currency in (None, CNY)
    )


def severity(status: str) -> int:
    """Instalments late that a month's status stands for: 1–7 itself, 呆账 as 7, 代还 and 以资抵债 as 3, all others 0."""
    return _SEVERITY.get(status, 0)


def statuses_of(account: Account) -> dict[date, str]:
    """The account's monthly statuses by month, oldest first: the five years' rows, and the 24 months' where those are silent."""
    found = {row.month: row.status for row in account.last_24_months.months} if account.last_24_months else {}
    if account.last_60_months:
        found |= {row.month: row.status for row in account.last_60_months.months}
    return dict(sorted(found.items()))


def statuses_within(account: Account, months: int, reported_at: date) -> dict[date, str]:
    """Those of the last ``months`` months before the report's, and of the report's own month."""
    last = month_number(reported_at)
    return {month: status for month, status in statuses_of(account).items() if 0 <= last - month_number(month) <= months}


def longest_run(statuses: Mapping[date, str]) -> int:
    """The most months in a row with a status from 1 to 7. A month nobody reported ends the run."""
    longest = run = 0
    before: int | None = None
    for month, status in statuses.items():
        number = month_number(month)
        goes_on = before == number - 1
        run = 0 if status not in OVERDUE_STATUSES else run * goes_on + 1
        longest, before = max(longest, run), number
    return longest


def institution_of(account: Account) -> str:
    """Whose account it is; accounts without a code are each their own institution's, so that nothing is merged by accident."""
    return account.basics.institution_code or account.basics.account_no


def limits_by_institution(cards: Iterable[Account]) -> dict[str, int]:
    """Card limits by institution in fen. A limit that cards of one institution share counts once, whatever each card shows."""
    own: dict[str, int] = {}
    shared: dict[str, int] = {}
    for card in cards:
        institution = institution_of(card)
        if card.basics.shared_limit_fen:
            shared[institution] = max(shared.get(institution, 0), card.basics.shared_limit_fen)
        else:
            own[institution] = own.get(institution, 0) + (card.basics.limit_fen or 0)
    return {name: own.get(name, 0) + shared.get(name, 0) for name in dict.fromkeys([*own, *shared])}


def of_type(accounts: Sequence[Account], types: Iterable[AccountType]) -> Iterator[Account]:
    """Those of these types, in the report's order."""
    wanted = frozenset(types)
    return (account for account in accounts if account.type in wanted)


def balance_fen(account: Account) -> int:
    """What is owed: the latest month's figure, else the latest known."""
    month = account.latest_month.balance_fen if account.latest_month else None
    latest = account.latest.balance_fen if account.latest else None
    return month if month is not None else latest or 0
