"""Synthetic reports: whole, consistent and made from a seed, so that the same seed gives the same report for ever.

Nobody's: the report number begins with ``SYNTHETIC`` and the inquiring institution is nobody, and importing one is refused outside a
demo. What is drawn is an account's story; all figures follow from it (balance from instalments paid, monthly amounts from the status,
every summary from the accounts), so that a report can be checked against itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from random import Random  # noqa: TID251 (seeded: the same report every time)
from types import MappingProxyType

from xinzu.kernel.time import add_months
from xinzu.middle.credit.rules.pboc.codes import CNY, IDENTITY_CARD, LOAN_APPROVAL, AccountType
from xinzu.middle.credit.rules.pboc.nodes.account import (
    Account,
    SpecialTrade,
)
from xinzu.middle.credit.rules.pboc.nodes.header import Header, Inquiry, ReportIdentity
from xinzu.middle.credit.rules.pboc.nodes.person import BasicPerson, Job, Marriage, Mobile, Mobiles, Person, Residence
from xinzu.middle.credit.rules.pboc.nodes.records import (
    CreditLine,
    CreditLineBasics,
    Enforcement,
    EnforcementBasics,
    Judgment,
    JudgmentBasics,
    Liability,
    LiabilityBasics,
    Postpaid,
    PostpaidBasics,
    Query,
    TaxArrears,
    TaxArrearsBasics,
)
from xinzu.middle.credit.rules.pboc.nodes.report import PersonalReport
from xinzu.middle.credit.rules.pboc.nodes.summaries import (
    LastQuery,
    PostpaidHint,
    PostpaidSummary,
    PublicHint,
    PublicSummary,
    QuerySummary,
    Score,
)
from xinzu.middle.credit.rules.pboc.summary import credit_summary, query_counts
from xinzu.middle.credit.rules.pboc.synthetic_accounts import (
    BANK,
    BANKS,
    CONSUMER,
    CONSUMER_FINANCE,
    MARK,
    MICRO,
    MICRO_LENDERS,
    Teller,
    month_end,
)


class Profile(StrEnum):
    """Whose report it is. Each is a kind of applicant a strategy treats differently."""

    THIN = "thin"  # one young card, nothing else
    PRIME = "prime"  # a mortgage, cards, a limit, years of payments in time
    OVERDUE = "overdue"  # late now, late before, many inquiries
    SPECIAL_BAD = "special_bad"  # bad debt, a claim taken over, a guarantor who paid, an enforcement


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom the report is about and when it is made. ``reported_at`` is Beijing's time without an offset."""

    name: str
    id_no: str
    reported_at: datetime
    phone: str | None = None
    reason: str = LOAN_APPROVAL
    institution_code: str = MARK


def is_synthetic(report: PersonalReport) -> bool:
    """Whether a report says of itself that it is nobody's."""
    return report.header.identity.report_no.startswith(MARK)


def synthetic_report(profile: Profile, subject: Subject, seed: int) -> PersonalReport:
    """A report of the profile. The same arguments give the same report."""
    random = Random(f"{profile}:{seed}:{subject.id_no}")  # noqa: S311 (not a secret: the same report every time)
    reported_at = subject.reported_at.replace(microsecond=0)
    book = _PROFILES[profile](Teller(random, reported_at.date()))
    counts = query_counts(book.queries, reported_at.date())
    last = max(book.queries, key=lambda query: query.queried_on, default=None)
    return PersonalReport(
        header=Header(
            identity=ReportIdentity(
                report_no=f"{MARK}-{profile}-{seed}-{reported_at:%Y%m%d%H%M%S}-{random.randrange(10**6):06d}",
                reported_at=reported_at,
            ),
            inquiry=Inquiry(
                name=subject.name,
                id_type=IDENTITY_CARD,
                id_no=subject.id_no,
                institution_code=subject.institution_code,
                reason=subject.reason,
            ),
        ),
        person=_person(subject, random, reported_at.date()),
        marriage=Marriage(status=random.choice(("10", "20"))),
        residences=(Residence(kind="2", address="合成市示例区演示路 1 号", updated_on=reported_at.date() - timedelta(days=90)),),
        jobs=(
            Job(employment="91", employer="演示有限公司", since_year="2018", updated_on=reported_at.date() - timedelta(days=90)),
        ),
        score=Score(score=book.score, relative_position=">50%" if book.score > 600 else "<50%") if book.score else None,
        summary=credit_summary(book.accounts, book.liabilities),
        postpaid_summary=_postpaid_summary(book.postpaid),
        public_summary=_public_summary(book),
        query_summary=QuerySummary(
            last=LastQuery(queried_on=last.queried_on, institution_kind=last.institution_kind, reason=last.reason)
            if last
            else None,
            counts=counts,
        ),
        accounts=book.accounts,
        credit_lines=book.credit_lines,
        liabilities=book.liabilities,
        postpaid=book.postpaid,
        tax_arrears=book.tax_arrears,
        judgments=book.judgments,
        enforcements=book.enforcements,
        queries=book.queries,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    """What a profile adds up to before header and summaries."""

    accounts: tuple[Account, ...] = ()
    queries: tuple[Query, ...] = ()
    credit_lines: tuple[CreditLine, ...] = ()
    liabilities: tuple[Liability, ...] = ()
    postpaid: tuple[Postpaid, ...] = ()
    tax_arrears: tuple[TaxArrears, ...] = ()
    judgments: tuple[Judgment, ...] = ()
    enforcements: tuple[Enforcement, ...] = ()
    score: int | None = None


def _thin(teller: Teller) -> _Book:
    card = teller.card(
        months_ago=teller.random.randrange(1, 7), limit_fen=teller.between(3_000, 8_000), used_pct=teller.random.randrange(0, 40)
    )
    return _Book(accounts=(card,), queries=teller.queries({"03": 1, "02": teller.random.randrange(0, 2)}, 180))


def _prime(teller: Teller) -> _Book:
    random = teller.random
    limit = teller.between(50_000, 120_000, 1_000)
    line_no = f"{MARK}-L1"
    accounts = (
        teller.loan(
            business="11",
            months_ago=random.randrange(30, 90),
            term_months=360,
            lent_fen=teller.between(900_000, 2_000_000, 10_000),
        ),
        teller.loan(business="21", months_ago=50, term_months=36, lent_fen=teller.between(80_000, 200_000, 1_000)),
        teller.loan(type_=AccountType.REVOLVING, months_ago=20, term_months=36, lent_fen=teller.between(50_000, 200_000, 1_000)),
        teller.loan(
            type_=AccountType.REVOLVING_SUB,
            months_ago=8,
            term_months=12,
            lent_fen=teller.between(10_000, 30_000, 1_200),
            line_no=line_no,
        ),
        teller.card(
            bank=BANKS[1],
            months_ago=random.randrange(60, 110),
            limit_fen=limit,
            shared_fen=limit,
            used_pct=random.randrange(1, 30),
        ),
        teller.card(bank=BANKS[1], months_ago=24, limit_fen=limit, shared_fen=limit, used_pct=0),
        teller.card(bank=BANKS[1], months_ago=24, limit_fen=limit, shared_fen=limit, used_pct=0, currency="USD"),
        teller.card(
            bank=BANKS[2], months_ago=40, limit_fen=teller.between(20_000, 60_000, 1_000), used_pct=random.randrange(1, 60)
        ),
        teller.card(bank=BANKS[3], months_ago=70, limit_fen=teller.between(5_000, 20_000, 1_000), used_pct=0, status="4"),
    )
    line = CreditLine(
        basics=CreditLineBasics(
            line_no=line_no,
            institution_kind=BANK,
            institution_code=BANKS[0],
            purpose="10",
            limit_fen=5_000_000,
            currency=CNY,
            used_fen=accounts[3].latest.balance_fen if accounts[3].latest else 0,
            from_on=accounts[3].basics.opened_on,
            until_on=add_months(accounts[3].basics.opened_on, 12),
        )
    )
    guarantee = Liability(
        basics=LiabilityBasics(
            debtor_kind="1",
            institution_kind=BANK,
            institution_code=BANKS[4],
            business="41",
            opened_on=add_months(teller.last_month, -15),
            due_on=add_months(teller.last_month, 21),
            liability_kind="2",
            liability_fen=30_000_000,
            currency=CNY,
            balance_fen=18_000_000,
            five_class="1",
            account_type=AccountType.NON_REVOLVING,
            repayment_status="N",
            overdue_months=0,
            informed_on=min(month_end(teller.last_month), teller.reported_on),
        )
    )
    queries = teller.queries({"01": random.randrange(3, 9), "02": random.randrange(0, 2)}, 700)
    return _Book(
        accounts=accounts, credit_lines=(line,), liabilities=(guarantee,), queries=queries, score=random.randrange(720, 900)
    )


def _overdue_book(teller: Teller) -> _Book:
    random = teller.random
    depth = random.randrange(2, 7)
    late = {ago: depth - ago for ago in range(depth)} | {12: 1, 13: 2, 14: 1}
    accounts = (
        teller.loan(
            org=(CONSUMER, CONSUMER_FINANCE[0]),
            months_ago=24,
            term_months=36,
            lent_fen=teller.between(18_000, 54_000, 3_600),
            late=late,
        ),
        teller.loan(
            org=(MICRO, MICRO_LENDERS[0]),
            months_ago=10,
            term_months=12,
            lent_fen=teller.between(6_000, 12_000, 1_200),
            late={0: 1},
        ),
        teller.loan(
            org=(CONSUMER, CONSUMER_FINANCE[1]), months_ago=30, term_months=12, lent_fen=teller.between(3_600, 9_600, 1_200)
        ),
        teller.card(
            bank=BANKS[2], months_ago=36, limit_fen=teller.between(8_000, 20_000, 1_000), used_pct=95, late={0: 2, 1: 1, 20: 1}
        ),
    )
    queries = teller.queries({"02": random.randrange(6, 15), "03": random.randrange(1, 4), "01": 3}, 150)
    bill = Postpaid(
        basics=PostpaidBasics(
            kind="TE",
            institution="演示电信",
            business="1",
            opened_on=add_months(teller.last_month, -40),
            status="1",
            arrears_fen=teller.between(100, 600, 10),
            month=teller.last_month,
            last_24_months="N" * 22 + "11",
        )
    )
    return _Book(accounts=accounts, queries=queries, postpaid=(bill,), score=random.randrange(420, 560))


def _special_bad(teller: Teller) -> _Book:
    random = teller.random
    guarantor_paid = SpecialTrade(
        kind="2",
        traded_on=add_months(teller.last_month, -10),
        due_moved_months=0,
        amount_fen=teller.between(2_000, 6_000),
        detail="担保人代偿",
    )
    bad = {ago: 8 if ago < 6 else max(0, 14 - ago) for ago in range(14)}
    bad = {ago: min(stood, 8) if ago < 6 else min(stood, 7) for ago, stood in bad.items()}
    accounts = (
        teller.loan(
            org=(MICRO, MICRO_LENDERS[1]),
            months_ago=30,
            term_months=24,
            lent_fen=teller.between(12_000, 36_000, 2_400),
            late=bad,
            trades=[guarantor_paid],
        ),
        teller.claim(months_ago=18, lent_fen=3_000_000, left_fen=teller.between(8_000, 26_000)),
        teller.card(
            type_=AccountType.QUASI_CREDIT_CARD,
            bank=BANKS[4],
            months_ago=60,
            limit_fen=1_000_000,
            used_pct=80,
            late={0: 7, 1: 7, 2: 6, 3: 5, 4: 4, 5: 3, 6: 2, 7: 1},
            status="3",
        ),
        teller.card(
            bank=BANKS[3],
            months_ago=48,
            limit_fen=teller.between(10_000, 30_000, 1_000),
            used_pct=100,
            status="2",
            late={0: 4, 1: 3, 2: 2, 3: 1},
        ),
    )
    filed_on = add_months(teller.last_month, -8)
    return _Book(
        accounts=accounts,
        queries=teller.queries({"02": random.randrange(2, 6), "01": 2}, 300),
        judgments=(
            Judgment(
                basics=JudgmentBasics(
                    court="演示市示例区人民法院",
                    cause="金融借款合同纠纷",
                    filed_on=filed_on,
                    closed_by="1",
                    result="判令被告偿还本息",
                    effective_on=add_months(filed_on, 3),
                    subject="借款本金及利息",
                    amount_fen=2_400_000,
                )
            ),
        ),
        enforcements=(
            Enforcement(
                basics=EnforcementBasics(
                    court="演示市示例区人民法院",
                    cause="金融借款合同纠纷",
                    filed_on=add_months(filed_on, 5),
                    state="执行中",
                    subject="借款本金及利息",
                    amount_fen=2_400_000,
                    enforced_fen=0,
                )
            ),
        ),
        tax_arrears=(
            TaxArrears(
                basics=TaxArrearsBasics(
                    authority="演示市税务局", arrears_fen=teller.between(1_000, 9_000), counted_on=teller.last_month
                )
            ),
        ),
        score=random.randrange(300, 420),
    )


_PROFILES: Mapping[Profile, Callable[[Teller], _Book]] = MappingProxyType(
    {Profile.THIN: _thin, Profile.PRIME: _prime, Profile.OVERDUE: _overdue_book, Profile.SPECIAL_BAD: _special_bad}
)


def _person(subject: Subject, random: Random, reported_on: date) -> Person:
    number = subject.id_no
    has_birth = len(number) == 18 and number[6:14].isdigit()
    mobiles = (Mobile(phone=subject.phone, updated_on=reported_on - timedelta(days=60)),) if subject.phone else ()
    return Person(
        basic=BasicPerson(
            sex=("1" if int(number[16]) % 2 else "2") if has_birth else None,
            born_on=date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}") if has_birth else None,
            education=random.choice(("20", "30", "60")),
            employment="91",
            nationality="CHN",
        ),
        mobiles=Mobiles(mobiles_count=len(mobiles), mobiles=mobiles) if mobiles else None,
    )


def _postpaid_summary(postpaid: Sequence[Postpaid]) -> PostpaidSummary | None:
    late = [each.basics for each in postpaid if each.basics and each.basics.arrears_fen]
    if not late:
        return None
    hint = PostpaidHint(kind="1", arrears_accounts_count=len(late), arrears_fen=sum(each.arrears_fen or 0 for each in late))
    return PostpaidSummary(kinds_count=1, kinds=(hint,))


def _public_summary(book: _Book) -> PublicSummary | None:
    groups = (
        ("1", [each.basics.arrears_fen or 0 for each in book.tax_arrears if each.basics]),
        ("2", [each.basics.amount_fen or 0 for each in book.judgments if each.basics]),
        ("3", [each.basics.amount_fen or 0 for each in book.enforcements if each.basics]),
    )
    hints = tuple(PublicHint(kind=kind, records_count=len(found), amount_fen=sum(found)) for kind, found in groups if found)
    return PublicSummary(kinds_count=len(hints), kinds=hints) if hints else None
