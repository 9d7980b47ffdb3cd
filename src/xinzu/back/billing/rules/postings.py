"""What each event of billing does to the books, and the chart it books on.

A rental of this kind is an operating lease (CAS 21): rents are income as they fall due, VAT becomes payable with them (movable property
13 %, VAT Law art. 10), money before its due date is a liability. Late fees, compensation and early return fees belong to the
consideration and carry the same VAT.
"""

from __future__ import annotations

from decimal import Decimal

from xinzu.back.billing.model import ChargeKind, ChartLine, Transfer
from xinzu.kernel.money import Rounding, round_fen

VAT_PCT = 13

CLEARING = "1012"
RECEIVABLE = "1122"
CREDIT_BALANCE = "2203"
VAT_PAYABLE = "2221"
RENTAL_INCOME = "6001"
DAMAGE_INCOME = "605101"
LATE_FEE_INCOME = "630101"
EARLY_RETURN_INCOME = "630102"

CHART: tuple[ChartLine, ...] = (
    ChartLine(CLEARING, "其他货币资金-支付宝待清算", "Cash in clearing, Alipay", "asset", "debit"),
    ChartLine(RECEIVABLE, "应收租金", "Rents receivable", "asset", "debit"),
    ChartLine(CREDIT_BALANCE, "预收款-承租人溢缴款", "Credit balances of lessees", "liability", "credit"),
    ChartLine(VAT_PAYABLE, "应交税费-应交增值税(销项税额)", "Output VAT payable", "liability", "credit"),
    ChartLine(RENTAL_INCOME, "租赁收入", "Rental income", "income", "credit"),
    ChartLine(DAMAGE_INCOME, "其他业务收入-损坏赔偿", "Compensation for damage", "income", "credit"),
    ChartLine(LATE_FEE_INCOME, "营业外收入-滞纳金", "Late fees", "income", "credit"),
    ChartLine(EARLY_RETURN_INCOME, "营业外收入-提前退租违约金", "Early return fees", "income", "credit"),
)

_INCOME_OF_CHARGE = {
    ChargeKind.LATE_FEE: LATE_FEE_INCOME,
    ChargeKind.DAMAGE: DAMAGE_INCOME,
    ChargeKind.EARLY_RETURN: EARLY_RETURN_INCOME,
}


def vat_fen(gross_fen: int) -> int:
    """The VAT inside an amount that includes it, half up; the net is the rest, so that the two always make the whole.

    >>> vat_fen(11300), vat_fen(29900)
    (1300, 3440)
    """
    return round_fen(Decimal(gross_fen * VAT_PCT) / (100 + VAT_PCT), Rounding.HALF_UP)


def instalment_fell_due(amount_fen: int) -> tuple[Transfer, ...]:
    """The rent of a period becomes receivable, income and VAT."""
    return _earned(RENTAL_INCOME, 0, amount_fen)


def instalment_cancelled(amount_fen: int, paid_fen: int) -> tuple[Transfer, ...]:
    """A rent that had fallen due falls away: what was paid on it is credit again, income and VAT are taken back."""
    return _taken_back(RENTAL_INCOME, amount_fen, paid_fen)


def charge_raised(kind: ChargeKind, before_fen: int, after_fen: int) -> tuple[Transfer, ...]:
    """A charge came to be or grew. VAT is taken of the totals, so that daily growth never drifts from the VAT of the whole."""
    return _earned(_INCOME_OF_CHARGE[kind], before_fen, after_fen)


def charge_cancelled(kind: ChargeKind, amount_fen: int, paid_fen: int) -> tuple[Transfer, ...]:
    """A charge falls away: what was paid on it is credit again, income and VAT are taken back."""
    return _taken_back(_INCOME_OF_CHARGE[kind], amount_fen, paid_fen)


def receipt(allocated_fen: int, held_fen: int) -> tuple[Transfer, ...]:
    """Money came in: part settles receivables, the rest is held."""
    return _moved(Transfer(CLEARING, RECEIVABLE, allocated_fen), Transfer(CLEARING, CREDIT_BALANCE, held_fen))


def credit_applied(amount_fen: int) -> tuple[Transfer, ...]:
    """Held money settles a receivable."""
    return _moved(Transfer(CREDIT_BALANCE, RECEIVABLE, amount_fen))


def refund(amount_fen: int) -> tuple[Transfer, ...]:
    """Held money went back."""
    return _moved(Transfer(CREDIT_BALANCE, CLEARING, amount_fen))


def _earned(income: str, before_fen: int, after_fen: int) -> tuple[Transfer, ...]:
    tax_fen = vat_fen(after_fen) - vat_fen(before_fen)
    return _moved(
        Transfer(RECEIVABLE, income, after_fen - before_fen - tax_fen),
        Transfer(RECEIVABLE, VAT_PAYABLE, tax_fen),
    )


def _taken_back(income: str, amount_fen: int, paid_fen: int) -> tuple[Transfer, ...]:
    tax_fen = vat_fen(amount_fen)
    return _moved(
        Transfer(RECEIVABLE, CREDIT_BALANCE, paid_fen),
        Transfer(income, RECEIVABLE, amount_fen - tax_fen),
        Transfer(VAT_PAYABLE, RECEIVABLE, tax_fen),
    )


def _moved(*transfers: Transfer) -> tuple[Transfer, ...]:
    return tuple(transfer for transfer in transfers if transfer.amount_fen > 0)
