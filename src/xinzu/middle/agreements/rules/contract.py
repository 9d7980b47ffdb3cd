"""What stands in a contract: every figure and every line of its tables, from the terms. The wording is the template's.

Sources of the rental: Civil Code arts. 496 (standard terms are pointed out), 585 (penalty in proportion), 703–734 (lease); PIPL arts. 13,
17, 23, 24; Electronic Signature Law art. 13; the all-in cost table follows what the rules on disclosing financing cost ask of lenders.
Of finance lease and loan: ``rules.financing``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from typing import Any

from xinzu.kernel.terms import AgreementTerms, DailyRent, EndsIn
from xinzu.kernel.time import BusinessDate
from xinzu.middle.agreements.model import Disclosure, ScheduleLine
from xinzu.middle.agreements.rules.figures import figure, percent, shift_clause, term_zh, yuan
from xinzu.middle.agreements.rules.financing import financing_content

RESTRICTION_STEPS_ZH = (
    "提醒：设备上显示还款提示，不影响使用",
    "限制：停用部分娱乐类功能",
    "锁定：除紧急呼叫与付款外停用设备功能",
)


@dataclass(frozen=True, slots=True)
class Customer:
    """The lessee or borrower in clear: memory only."""

    name: str = field(repr=False)
    identity_no: str = field(repr=False)
    phone: str = field(repr=False)
    address: str | None = field(repr=False)


def contract_content(
    agreement_no: str,
    drafted_on: BusinessDate,
    merchant_name: str,
    customer: Customer,
    terms: AgreementTerms,
    disclosed: Disclosure | None,
    arbitration: str | None,
) -> dict[str, Any]:
    """The template's input. Amounts are ready-made texts, so that the template neither calculates nor rounds.

    ``disclosed`` is of a financing, counted from the drafting day; a rental's instalments and costs follow from its terms alone.
    """
    financing = terms.financing
    return {
        "agreement_no": agreement_no,
        "drafted_on": {"year": drafted_on.year, "month": drafted_on.month, "day": drafted_on.day},
        "merchant": merchant_name,
        "customer": {
            "name": customer.name,
            "identity_no": customer.identity_no,
            "phone": customer.phone,
            "address": customer.address or ("以订单收货地址为准" if financing is None else "以申请时所填地址为准"),
        },
        "product": terms.product_name,
        "device_value": yuan(terms.device_value_fen),
        "period_count": terms.period_count,
        "term": term_zh(terms),
        "late_fee_daily": percent(Decimal(terms.late_fee_daily_rate)),
        "grace_days": terms.grace_days,
        "annual_cost": terms.annual_cost_pct,
        "arbitration": arbitration,
    } | (
        rental_content(terms, disclosed)
        if financing is None or disclosed is None
        else financing_content(terms, financing, disclosed)
    )


def rental_content(terms: AgreementTerms, disclosed: Disclosure | None = None) -> dict[str, Any]:
    """What only a rental has; ``disclosed`` is of rent by the day, whose amounts do not follow from its terms alone."""
    return {
        "by_day": None if terms.daily is None else bands_zh(terms.daily),
        "rent": yuan(terms.rent_fen),
        "rent_total": yuan(terms.rent_total_fen),
        "deposit": yuan(terms.deposit_fen),
        "authorised": yuan(terms.authorised_fen),
        "first_rents": terms.first_rents,
        "first_payment": yuan(terms.first_payment_fen),
        "shift": shift_clause(terms.due_shift, "各期租金"),
        "buyout": None if terms.buyout_fen is None else yuan(terms.buyout_fen),
        "buyout_prices": buyout_lines(terms.buyout_prices_fen),
        "transfer": yuan(terms.transfer_fen) if terms.transfer_fen else None,
        "is_own": terms.ends_in is EndsIn.OWN,
        "early_return_fee": yuan(terms.early_return_fee_fen),
        "instalments": instalment_lines(terms) if disclosed is None else month_lines(disclosed.schedule),
        "costs": cost_lines(terms),
        "restriction_version": terms.restriction_clause_version,
        "restriction_steps": list(RESTRICTION_STEPS_ZH),
    }


def instalment_lines(terms: AgreementTerms) -> list[list[str]]:
    """Number, due day and amount of each rent. Due days count from the commencement, which is the day of handover."""
    in_turn = terms.period_count - terms.first_rents + 1
    return [
        [
            str(nth + 1),
            "起租日" if nth == 0 or nth >= in_turn else _due_zh(terms, nth),
            yuan(terms.rent_fen),
        ]
        for nth in range(terms.period_count)
    ]


def _due_zh(terms: AgreementTerms, nth: int) -> str:
    length = f"{nth * terms.period_days} 日" if terms.period_days else f"{nth * terms.period_months} 个月"
    return f"起租日起满 {length}之日"


def month_lines(schedule: Sequence[ScheduleLine]) -> list[list[str]]:
    """Number, due day and rent of each month of a rental by the day."""
    return [
        [str(line.number), "起租日" if line.number == 1 else f"起租日起满 {line.number - 1} 个月之日", yuan(line.total_fen)]
        for line in schedule
    ]


def bands_zh(daily: DailyRent) -> str:
    """The prices of days and the caps on days charged.

    >>> from xinzu.kernel.terms import PriceBand
    >>> bands_zh(DailyRent(bands=(PriceBand(1, 3_000), PriceBand(8, 2_000)), month_days_max=20))
    '第 1 日起每日 30.00 元，第 8 日起每日 20.00 元；每月最多计 20 日'
    """
    words = ["，".join(f"第 {band.from_day} 日起每日 {yuan(band.daily_fen)}" for band in daily.bands)]
    if daily.month_days_max is not None:
        words.append(f"每月最多计 {daily.month_days_max} 日")
    if daily.charged_days_max is not None:
        words.append(f"全程最多计 {daily.charged_days_max} 日")
    return "；".join(words)


def buyout_lines(prices_fen: Sequence[int]) -> list[list[str]]:
    """The price of each month of the term in yuan, months of one price together; the last stands from its month on.

    >>> buyout_lines((500_000, 500_000, 400_000))
    [['第 1 至 2 个月', '5,000.00'], ['第 3 个月起', '4,000.00']]
    """
    lines: list[list[str]] = []
    for price_fen, months in groupby(range(len(prices_fen)), key=prices_fen.__getitem__):
        begun = [month + 1 for month in months]
        span = f"{begun[0]}" if len(begun) == 1 else f"{begun[0]} 至 {begun[-1]}"
        words = f"第 {begun[0]} 个月起" if begun[-1] == len(prices_fen) else f"第 {span} 个月"
        lines.append([words, figure(price_fen)])
    return lines


def cost_lines(terms: AgreementTerms) -> list[list[str]]:
    """Everything the lessee may have to pay: item, when, how much. What is not in the table is not charged."""
    lines = [
        ["租金", _when_rents(terms), yuan(terms.rent_total_fen)],
        *([["超期租金", "仅在约定天数之后归还时，于归还日支付", "按同一价档与封顶连续计算"]] if terms.daily else []),
        ["押金", "信用免押，不实际支付；仅就欠付与赔偿按约扣划", "0.00 元"],
        ["提前归还费", "仅在租期届满前主动归还时收取一次，以不再收取的租金为限", yuan(terms.early_return_fee_fen)],
        [
            "逾期违约金",
            f"逾期超过 {terms.grace_days} 日宽限期后，按欠付租金每日计收，不超过当期租金的 30%",
            f"每日 {percent(Decimal(terms.late_fee_daily_rate))}",
        ],
        ["损坏或灭失赔偿", "正常损耗除外，按验机结果据实收取", f"不超过 {yuan(terms.device_value_fen)}"],
    ]
    if terms.ends_in is EndsIn.OWN:
        lines.append(["所有权转移价款", "租期届满时支付一次，付清后租赁物归承租人所有", yuan(terms.transfer_fen)])
    elif terms.buyout_fen is not None:
        lines.append(["买断价款", "仅在租期届满且承租人选择买断时支付", yuan(terms.buyout_fen)])
    if terms.buyout_prices_fen:
        lines.append(["中途买断价款", "仅在租期内承租人选择买断时支付，未开始的各期租金不再收取", "见各月买断价款表"])
    return lines


def _when_rents(terms: AgreementTerms) -> str:
    if terms.daily is not None:
        return f"按天计租，共 {terms.period_count} 日，每月租金于该月首日支付"
    if terms.first_rents == 1:
        return f"每期先付，共 {terms.period_count} 期"
    return f"共 {terms.period_count} 期：起租日付首期与最后 {terms.first_rents - 1} 期，其余每期先付"
