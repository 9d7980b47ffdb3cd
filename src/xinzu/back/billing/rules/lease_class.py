"""Finance lease or operating lease, by substance and with reasons (CAS 21, arts. 35 to 37).

A lease that hands over almost all risks and rewards of the thing is a finance lease, whatever its contract is called (art. 36). Five
situations usually make one; each is put as a test with its figures, and the answers are kept with the contract, because a lease is
classified once, at its inception, and again only when it is modified (art. 35). Three further signs may make one: they decide nothing
here and ask for a person's judgement when they stand alone.

The standard names no numbers. Those used are practice: 75 % of the useful life and 90 % of the fair value from the guidance to the
standard of 2006, 25 % for an option price from that guidance's example; the standard of 2018 left the practice as it was.

Lending money is no lease: nothing is let. A thing the lessee sold to the lessor and leases back is marked: unless control passed, the
books show a loan (arts. 50 to 52), and its VAT is that of lending (``vat.supply_of``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from xinzu.back.billing.rules.effective_interest import DatedFen, present_value_fen
from xinzu.back.billing.rules.vat import Supply, supply_of
from xinzu.kernel.errors import Invalid
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate

MAJOR_PART_PCT = 75
SUBSTANTIALLY_ALL_PCT = 90
BARGAIN_PCT_MAX = 25


class LeaseClass(StrEnum):
    """What the lessor's books show."""

    FINANCE = "finance"
    OPERATING = "operating"
    NO_LEASE = "no_lease"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseFacts:
    """What is known at inception. Amounts in fen, all with VAT or all without.

    ``family`` is what the parties call it; only that a loan is none counts here. ``payments`` are the lease receipts by date with the
    guaranteed residual value, without the option price, and are discounted at ``annual_rate_pct``, the rate implicit in the lease as an
    effective annual one (``effective_interest.net_investment``). ``useful_life_months`` is what is left of it at commencement. Of a
    sublease, life and fair value are those of the right of use, and one under a short-term head lease is an operating lease (art. 37).
    """

    family: Family
    commenced_on: BusinessDate
    term_months: int
    useful_life_months: int
    fair_value_fen: int
    payments: tuple[DatedFen, ...]
    annual_rate_pct: Decimal
    title_transfers: bool = False
    option_price_fen: int | None = None
    value_at_option_fen: int | None = None
    is_specialised: bool = False
    lessee_bears_cancellation_loss: bool = False
    lessee_bears_residual_changes: bool = False
    may_renew_far_below_market: bool = False
    is_leaseback: bool = False
    is_under_short_term_lease: bool = False


@dataclass(frozen=True, slots=True)
class LeaseTest:
    """One question of the standard, its figures and its answer."""

    code: str
    article: str
    holds: bool
    figures: Mapping[str, str | int | bool]
    words_zh: str
    words_en: str


@dataclass(frozen=True, slots=True)
class LeaseClassification:
    """The class and why. ``needs_judgement`` when only signs speak for a finance lease."""

    lease_class: LeaseClass
    is_leaseback: bool
    supply: Supply
    needs_judgement: bool
    tests: tuple[LeaseTest, ...]


def classify_lease(facts: LeaseFacts) -> LeaseClassification:
    """Put every test, and classify: a finance lease when one of the five situations holds.

    Raises Invalid (billing.lease_refused) for a term, life or fair value below one, an option price without the value expected when it may
    be exercised, and amounts below zero.
    """
    supply = supply_of(facts.family, is_leaseback=facts.is_leaseback)
    if facts.family is Family.LOAN:
        return LeaseClassification(LeaseClass.NO_LEASE, False, supply, False, (_NOTHING_IS_LET,))
    _check(facts)
    situations = (_title(facts), _option(facts), _life(facts), _present_value(facts), _specialised(facts))
    signs = _signs(facts)
    tests: tuple[LeaseTest, ...] = (*situations, *signs)
    if facts.is_under_short_term_lease:
        tests = (_SHORT_TERM_HEAD_LEASE, *tests)
        lease_class = LeaseClass.OPERATING
    else:
        lease_class = LeaseClass.FINANCE if any(test.holds for test in situations) else LeaseClass.OPERATING
    needs_judgement = (
        lease_class is LeaseClass.OPERATING and not facts.is_under_short_term_lease and any(sign.holds for sign in signs)
    )
    return LeaseClassification(lease_class, facts.is_leaseback, supply, needs_judgement, tests)


_NOTHING_IS_LET = LeaseTest(
    "nothing_is_let",
    "CAS 21 art. 2",
    True,
    {},
    "借款不涉及让渡资产使用权，不是租赁",
    "Lending money lets nothing: it is no lease",
)
_SHORT_TERM_HEAD_LEASE = LeaseTest(
    "short_term_head_lease",
    "CAS 21 art. 37",
    True,
    {},
    "原租赁为短期租赁并已作简化处理，转租分类为经营租赁",
    "The head lease is a short-term lease: the sublease is an operating lease",
)


def _title(facts: LeaseFacts) -> LeaseTest:
    return LeaseTest(
        "title_transfers",
        "CAS 21 art. 36 (1)",
        facts.title_transfers,
        {"title_transfers": facts.title_transfers},
        "租赁期届满时所有权转移给承租人" if facts.title_transfers else "租赁期届满时所有权不转移",
        "Title passes to the lessee at the end" if facts.title_transfers else "Title does not pass at the end",
    )


def _option(facts: LeaseFacts) -> LeaseTest:
    price_fen, value_fen = facts.option_price_fen, facts.value_at_option_fen
    if price_fen is None or value_fen is None:
        return LeaseTest("bargain_option", "CAS 21 art. 36 (2)", False, {}, "没有购买选择权", "There is no purchase option")
    return LeaseTest(
        "bargain_option",
        "CAS 21 art. 36 (2)",
        price_fen * 100 <= value_fen * BARGAIN_PCT_MAX,
        {"option_price_fen": price_fen, "value_at_option_fen": value_fen, "bargain_pct_max": BARGAIN_PCT_MAX},
        f"购买价款 {price_fen} 分，预计届时公允价值 {value_fen} 分；不高于其 {BARGAIN_PCT_MAX}% 即足够低",
        f"The option costs {price_fen} fen of an expected value of {value_fen} fen; {BARGAIN_PCT_MAX} % or less is a bargain",
    )


def _life(facts: LeaseFacts) -> LeaseTest:
    term, life = facts.term_months, facts.useful_life_months
    return LeaseTest(
        "major_part_of_life",
        "CAS 21 art. 36 (3)",
        term * 100 >= life * MAJOR_PART_PCT,
        {"term_months": term, "useful_life_months": life, "major_part_pct": MAJOR_PART_PCT},
        f"租赁期 {term} 个月，尚可使用 {life} 个月；达到 {MAJOR_PART_PCT}% 即为大部分",
        f"The term is {term} of {life} months of useful life; from {MAJOR_PART_PCT} % it is the major part",
    )


def _present_value(facts: LeaseFacts) -> LeaseTest:
    worth_fen = present_value_fen(facts.payments, facts.commenced_on, facts.annual_rate_pct)
    rate = format(facts.annual_rate_pct, "f")
    return LeaseTest(
        "substantially_all_of_value",
        "CAS 21 art. 36 (4)",
        worth_fen * 100 >= facts.fair_value_fen * SUBSTANTIALLY_ALL_PCT,
        {
            "present_value_fen": worth_fen,
            "fair_value_fen": facts.fair_value_fen,
            "annual_rate_pct": rate,
            "substantially_all_pct": SUBSTANTIALLY_ALL_PCT,
        },
        f"租赁收款额按 {rate}% 折现为 {worth_fen} 分，公允价值 {facts.fair_value_fen} 分；达到 {SUBSTANTIALLY_ALL_PCT}% 即几乎相当于",
        f"The lease receipts are worth {worth_fen} fen at {rate} %, the thing {facts.fair_value_fen} fen; from"
        f" {SUBSTANTIALLY_ALL_PCT} % it is almost all",
    )


def _specialised(facts: LeaseFacts) -> LeaseTest:
    return LeaseTest(
        "specialised",
        "CAS 21 art. 36 (5)",
        facts.is_specialised,
        {"is_specialised": facts.is_specialised},
        "不作较大改造只有承租人才能使用" if facts.is_specialised else "他人无需较大改造即可使用",
        "Only the lessee can use it without major changes" if facts.is_specialised else "Others can use it as it is",
    )


def _signs(facts: LeaseFacts) -> tuple[LeaseTest, ...]:
    asked = (
        (
            "cancellation_loss",
            facts.lessee_bears_cancellation_loss,
            "承租人撤销租赁给出租人造成的损失由承租人承担",
            "The lessee bears the lessor's loss from a cancellation",
        ),
        (
            "residual_changes",
            facts.lessee_bears_residual_changes,
            "余值公允价值波动的利得或损失归属于承租人",
            "Gains and losses of the residual value are the lessee's",
        ),
        (
            "cheap_renewal",
            facts.may_renew_far_below_market,
            "承租人有能力以远低于市场水平的租金续租",
            "The lessee can renew far below the market rent",
        ),
    )
    return tuple(
        LeaseTest(
            code, f"CAS 21 art. 36, sign {n}", holds, {code: holds}, f"{zh}：{'是' if holds else '否'}", f"{en}: {_yes(holds)}"
        )
        for n, (code, holds, zh, en) in enumerate(asked, 1)
    )


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"


def _check(facts: LeaseFacts) -> None:
    for name in ("term_months", "useful_life_months", "fair_value_fen"):
        if getattr(facts, name) < 1:
            raise _refused(name, "须大于零", "must be above zero")
    if (facts.option_price_fen is None) is not (facts.value_at_option_fen is None):
        raise _refused(
            "value_at_option_fen", "须与购买价款一并给出或都不填", "and the option price must both be given or both be left out"
        )
    for name in ("option_price_fen", "value_at_option_fen"):
        if (getattr(facts, name) or 0) < 0:
            raise _refused(name, "不能为负", "must not be below zero")
    if any(fen < 0 or on < facts.commenced_on for on, fen in facts.payments):
        raise _refused("payments", "不能为负或早于租赁期开始日", "must not be below zero or before commencement")
    if not (facts.annual_rate_pct.is_finite() and facts.annual_rate_pct >= 0):
        raise _refused("annual_rate_pct", "须为不小于零的百分数", "must be a percentage from zero up")


def _refused(name: str, zh: str, en: str) -> Invalid:
    return Invalid.field(f"/{name}", "billing.lease_refused", f"{name}：{zh}", f"{name} {en}")
