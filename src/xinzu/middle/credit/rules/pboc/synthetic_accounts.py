"""The accounts of synthetic reports: each is a story (when opened, how late in which month), from which all its figures follow."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from random import Random  # noqa: TID251 (seeded: the same report every time)
from types import MappingProxyType

from xinzu.kernel.time import add_months
from xinzu.middle.credit.rules.pboc.codes import CNY, AccountType
from xinzu.middle.credit.rules.pboc.nodes.account import (
    Account,
    AccountBasics,
    Last24Months,
    Last60Months,
    LatestMonth,
    LatestState,
    MonthHistory,
    MonthStatus,
    SpecialTrade,
    SpecialTrades,
)
from xinzu.middle.credit.rules.pboc.nodes.records import Query

MARK = "SYNTHETIC"
YUAN = 100
BANKS = ("A0000000000101", "A0000000000102", "A0000000000103", "A0000000000104", "A0000000000105")
CONSUMER_FINANCE = ("X0000000000241", "X0000000000242")
MICRO_LENDERS = ("X0000000000511", "X0000000000512")
BANK, CONSUMER, MICRO, ASSET_MANAGER = "11", "24", "51", "26"


def month_end(month: date) -> date:
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


class Teller:
    """Makes the accounts of one report: numbers them, draws from the seed, knows the day. The last reported month is the one before."""

    def __init__(self, random: Random, reported_on: date) -> None:
        self.random = random
        self.reported_on = reported_on
        self.last_month = add_months(reported_on.replace(day=1), -1)
        self._made = 0

    def between(self, low_yuan: int, high_yuan: int, step_yuan: int = 100) -> int:
        """An amount in fen."""
        return self.random.randrange(low_yuan, high_yuan + 1, step_yuan) * YUAN

    def _number(self) -> str:
        self._made += 1
        return f"{MARK}-{self._made:03d}"

    def _opened(self, months_ago: int) -> date:
        return add_months(self.last_month, -months_ago).replace(day=self.random.randrange(1, 28))

    def loan(
        self,
        *,
        type_: AccountType = AccountType.NON_REVOLVING,
        business: str = "91",
        org: tuple[str, str] = (BANK, BANKS[0]),
        months_ago: int,
        term_months: int,
        lent_fen: int,
        late: Mapping[int, int] = MappingProxyType({}),
        line_no: str | None = None,
        trades: Sequence[SpecialTrade] = (),
        five_class: str | None = None,
    ) -> Account:
        """A loan repaid in equal parts of principal. ``late`` says how many instalments late it stood, by months before the last one.

        A loan past its term without arrears is settled; a severity of 7 or more makes it a bad debt.
        """
        opened_on = self._opened(months_ago)
        part_fen = -(-lent_fen // (term_months * YUAN)) * YUAN
        months = [add_months(opened_on.replace(day=1), number) for number in range(1, months_ago + 1)]
        now_late = late.get(0, 0)
        is_bad = now_late > 7
        settled = term_months < months_ago and now_late == 0
        kept = [
            month
            for month in months
            if (month.year - opened_on.year) * 12 + month.month - opened_on.month <= term_months or not settled
        ]
        paid_parts = min(term_months, len(kept)) - min(now_late, 7)
        owed_fen = max(0, lent_fen - part_fen * max(0, paid_parts))
        rows = []
        for month in kept[-60:]:
            ago = (self.last_month.year - month.year) * 12 + self.last_month.month - month.month
            stood = late.get(ago, 0)
            status = "N" if stood == 0 else "B" if stood > 7 else str(stood)
            if settled and month == kept[-1]:
                status = "C"
            rows.append(MonthHistory(month=month, status=status, overdue_fen=min(stood, 7) * part_fen))
        overdue_fen = min(now_late, 7) * part_fen if not is_bad else owed_fen
        code = "4" if is_bad else "3" if settled else "2" if now_late else "1"
        class_ = five_class or (
            "5" if is_bad else "1" if now_late == 0 else "2" if now_late < 3 else "3" if now_late < 6 else "4"
        )
        basics = AccountBasics(
            account_no=self._number(),
            type=type_,
            institution_kind=org[0],
            institution_code=org[1],
            credit_line_no=line_no,
            business=business,
            opened_on=opened_on,
            currency=CNY,
            lent_fen=lent_fen if type_ is not AccountType.REVOLVING else None,
            limit_fen=lent_fen if type_ is AccountType.REVOLVING else None,
            due_on=add_months(opened_on, term_months),
            repayment_frequency="03",
            instalments_count=term_months,
            security="4",
            joint_borrowing="0",
        )
        informed_on = min(month_end(self.last_month), self.reported_on)
        if settled:
            closed_on = month_end(kept[-1])
            latest = LatestState(
                status=code, closed_on=closed_on, balance_fen=0, five_class="1", repayment_status="C", informed_on=closed_on
            )
            month_state = None
        else:
            latest = LatestState(
                status=code,
                balance_fen=owed_fen,
                repaid_on=month_end(kept[-1]) if kept else None,
                repaid_fen=0 if now_late else part_fen,
                five_class=class_,
                repayment_status=rows[-1].status if rows else "*",
                informed_on=informed_on,
            )
            month_state = LatestMonth(
                month=self.last_month,
                status=code,
                balance_fen=owed_fen,
                five_class=class_,
                instalments_left=max(0, term_months - len(kept)),
                due_on=month_end(self.last_month),
                due_fen=min(part_fen, owed_fen) if not is_bad else 0,
                repaid_fen=0 if now_late else part_fen,
                overdue_instalments=min(now_late, 7),
                overdue_fen=overdue_fen,
                principal_31_60_days_fen=part_fen if now_late >= 2 and not is_bad else 0,
                principal_61_90_days_fen=part_fen if now_late >= 3 and not is_bad else 0,
                principal_91_180_days_fen=(min(now_late, 6) - 3) * part_fen if now_late >= 4 and not is_bad else 0,
                principal_over_180_days_fen=part_fen if now_late == 7 else owed_fen if is_bad else 0,
                informed_on=informed_on,
            )
        return Account(
            basics=basics,
            latest=latest,
            latest_month=month_state,
            last_24_months=_last_24(rows),
            last_60_months=_last_60(rows),
            special_trades=SpecialTrades(trades_count=len(trades), trades=tuple(trades)) if trades else None,
        )

    def card(
        self,
        *,
        type_: AccountType = AccountType.CREDIT_CARD,
        bank: str = BANKS[0],
        months_ago: int,
        limit_fen: int,
        used_pct: int,
        late: Mapping[int, int] = MappingProxyType({}),
        shared_fen: int | None = None,
        status: str = "1",
        currency: str = CNY,
    ) -> Account:
        """A card of which some percents are used. ``late`` as for loans. A cancelled one (status 4) owes nothing."""
        opened_on = self._opened(months_ago)
        quasi = type_ is AccountType.QUASI_CREDIT_CARD
        is_open = status != "4"
        used_fen = limit_fen // 100 * used_pct // 100 // YUAN * 100 * YUAN if is_open else 0
        average_fen = used_fen * 9 // 10 // YUAN * YUAN
        now_late = late.get(0, 0)
        part_fen = max(YUAN, used_fen // 10 // YUAN * YUAN) if used_fen else 0
        rows = []
        for number in range(1, months_ago + 1):
            month = add_months(opened_on.replace(day=1), number)
            ago = (self.last_month.year - month.year) * 12 + self.last_month.month - month.month
            stood = late.get(ago, 0)
            word = str(stood) if stood else "C" if not is_open and ago == 0 else "N" if used_fen or quasi else "*"
            rows.append(MonthHistory(month=month, status=word, overdue_fen=stood * part_fen))
        rows = rows[-60:]
        informed_on = min(month_end(self.last_month), self.reported_on)
        return Account(
            basics=AccountBasics(
                account_no=self._number(),
                type=type_,
                institution_kind=BANK,
                institution_code=bank,
                business="71" if quasi else "81",
                opened_on=opened_on,
                currency=currency,
                limit_fen=limit_fen,
                shared_limit_fen=shared_fen,
                security="4",
            ),
            latest=LatestState(
                status=status,
                closed_on=None if is_open else month_end(self.last_month),
                balance_fen=used_fen,
                repaid_fen=part_fen if not now_late else 0,
                repayment_status=rows[-1].status if rows else "*",
                informed_on=informed_on,
            ),
            latest_month=LatestMonth(
                month=self.last_month,
                status=status,
                balance_fen=used_fen,
                used_fen=None if quasi else used_fen,
                due_on=month_end(self.last_month),
                due_fen=part_fen,
                repaid_fen=part_fen if not now_late else 0,
                overdue_instalments=now_late,
                overdue_fen=now_late * part_fen,
                overdraft_over_180_days_fen=(used_fen if now_late == 7 else 0) if quasi else None,
                used_average_fen=None if quasi else average_fen,
                overdraft_average_fen=average_fen if quasi else None,
                used_max_fen=None if quasi else used_fen,
                overdraft_max_fen=used_fen if quasi else None,
                informed_on=informed_on,
            )
            if is_open
            else None,
            last_24_months=_last_24(rows),
            last_60_months=_last_60(rows),
        )

    def claim(self, *, months_ago: int, lent_fen: int, left_fen: int) -> Account:
        """A claim that an asset manager took over and pursues (C1)."""
        informed_on = min(month_end(self.last_month), self.reported_on)
        return Account(
            basics=AccountBasics(
                account_no=self._number(),
                type=AccountType.RECOURSE,
                institution_kind=ASSET_MANAGER,
                institution_code="X0000000000261",
                business="A1",
                opened_on=self._opened(months_ago),
                currency=CNY,
                lent_fen=lent_fen,
                status_at_transfer="7",
            ),
            latest=LatestState(status="1", balance_fen=left_fen, informed_on=informed_on),
        )

    def queries(self, reasons: Mapping[str, int], within_days: int) -> tuple[Query, ...]:
        """So many inquiries of each reason, spread over the days before the report."""
        found = [
            Query(
                queried_on=self.reported_on - timedelta(days=self.random.randrange(1, within_days)),
                institution_kind=BANK if reason == "03" else CONSUMER,
                institution=self.random.choice(BANKS if reason == "03" else CONSUMER_FINANCE + MICRO_LENDERS),
                reason=reason,
            )
            for reason, times in reasons.items()
            for _ in range(times)
        ]
        return tuple(sorted(found, key=lambda query: (query.queried_on, query.reason), reverse=True))


def _last_24(rows: Sequence[MonthHistory]) -> Last24Months | None:
    kept = rows[-24:]
    if not kept:
        return None
    return Last24Months(
        from_month=kept[0].month,
        to_month=kept[-1].month,
        months=tuple(MonthStatus(month=row.month, status=row.status) for row in kept),
    )


def _last_60(rows: Sequence[MonthHistory]) -> Last60Months | None:
    if not rows:
        return None
    return Last60Months(from_month=rows[0].month, to_month=rows[-1].month, months_count=len(rows), months=tuple(rows))
