"""What each event of billing does to the books.

A rental is an operating lease (CAS 21 arts. 35, 45): rent in advance is a liability when it falls due and income over its days. A finance
lease is an investment (arts. 38, 39): the leased asset leaves the books, the lease receipts enter them with the income they hold as
unearned, and interest is income as it is earned. A loan is a financial asset (CAS 22): principal out, interest income as it accrues.

VAT is inside every amount (``rules.vat``): of rents, of both parts of a lease's instalments and of all charges on them 13 %, of a loan's
interest and charges 6 %, of a loan's principal none. It becomes payable when an amount falls due; until then it is deferred.
"""

from __future__ import annotations

from collections.abc import Iterable

from xinzu.back.billing.model import ChargeKind, ChartLine, ItemKind, Role, Transfer
from xinzu.back.billing.rules import chart
from xinzu.back.billing.rules.vat import rate_pct_of, supply_of, vat_fen, vat_of_growth_fen
from xinzu.kernel.terms import Family

CHART: tuple[ChartLine, ...] = chart.LINES

_INCOME_OF_CHARGE = {
    ChargeKind.LATE_FEE: chart.LATE_FEE_INCOME,
    ChargeKind.DAMAGE: chart.DAMAGE_INCOME,
    ChargeKind.EARLY_RETURN: chart.EARLY_RETURN_INCOME,
    ChargeKind.PREPAYMENT_FEE: chart.PREPAYMENT_INCOME,
    ChargeKind.BUYOUT: chart.SALE_INCOME,
}
BANK_TRANSFER = "bank"


def vat_rate_pct(family: Family, kind: ItemKind) -> int:
    """The VAT rate inside an item of an agreement."""
    return rate_pct_of(supply_of(family), is_principal=kind is ItemKind.PRINCIPAL)


def receivable_of(family: Family, kind: ItemKind) -> str:
    """The account on which an item that is due stands: a loan's principal and interest on their own, everything else with the rents."""
    if family is Family.LOAN and kind is ItemKind.PRINCIPAL:
        return chart.LOAN_PRINCIPAL
    if family is Family.LOAN and kind is ItemKind.INTEREST:
        return chart.INTEREST_RECEIVABLE
    return chart.RECEIVABLE


def cash_of(provider: str) -> str:
    """Where money came in: at the bank, or with a payment provider that clears later."""
    return chart.BANK if provider == BANK_TRANSFER else chart.CLEARING


def commenced(family: Family, legs: Iterable[tuple[Role, int]], subsidy_fen: int = 0) -> tuple[Transfer, ...]:
    """The thing was handed over or the loan paid out. A rental moves nothing: the thing stays the lessor's.

    A leased thing goes from the supplier to the lessee, so that it is bought and leased in one: what is financed is owed to the supplier
    with the input VAT in his price, the receipts become receivable, the income in them unearned and their VAT deferred. A loan's principal
    stands against the bank. What a supplier bears is receivable from him.
    """
    if family is Family.RENTAL:
        return ()
    transfers: list[Transfer] = []
    paid_from = chart.PAYABLE if family is Family.FINANCE_LEASE else chart.BANK
    for role, amount_fen in legs:
        kind = ItemKind(role.value)
        tax_fen = vat_fen(amount_fen, vat_rate_pct(family, kind))
        if family is Family.LOAN:
            if kind is ItemKind.PRINCIPAL:
                transfers.append(Transfer(chart.LOAN_PRINCIPAL, paid_from, amount_fen))
        elif kind is ItemKind.PRINCIPAL:
            transfers.append(Transfer(chart.LEASE_RECEIVABLE, paid_from, amount_fen))
            transfers.append(Transfer(chart.VAT_INPUT, chart.VAT_DEFERRED, tax_fen))
        elif kind is ItemKind.INTEREST:
            transfers.append(Transfer(chart.LEASE_RECEIVABLE, chart.UNEARNED_INCOME, amount_fen - tax_fen))
            transfers.append(Transfer(chart.LEASE_RECEIVABLE, chart.VAT_DEFERRED, tax_fen))
    transfers.append(Transfer(chart.SUPPLIER_RECEIVABLE, paid_from, subsidy_fen))
    return merged(transfers)


def leg_fell_due(family: Family, role: Role, amount_fen: int) -> tuple[Transfer, ...]:
    """A leg may be asked for. Its VAT becomes payable."""
    kind = ItemKind(role.value)
    tax_fen = vat_fen(amount_fen, vat_rate_pct(family, kind))
    payable = vat_payable_of(family)
    if kind is ItemKind.FEE:
        return _moved(
            Transfer(chart.RECEIVABLE, chart.FEE_INCOME, amount_fen - tax_fen), Transfer(chart.RECEIVABLE, payable, tax_fen)
        )
    if family is Family.RENTAL:
        return _moved(
            Transfer(chart.RECEIVABLE, chart.DEFERRED_RENT, amount_fen - tax_fen), Transfer(chart.RECEIVABLE, payable, tax_fen)
        )
    if family is Family.FINANCE_LEASE:
        return _moved(
            Transfer(chart.RECEIVABLE, chart.LEASE_RECEIVABLE, amount_fen), Transfer(chart.VAT_DEFERRED, payable, tax_fen)
        )
    if kind is ItemKind.INTEREST:
        return _moved(
            Transfer(chart.INTEREST_RECEIVABLE, chart.INTEREST_ACCRUED, amount_fen),
            Transfer(chart.VAT_DEFERRED, payable, tax_fen),
        )
    return ()


def leg_earned(family: Family, role: Role, before_fen: int, after_fen: int) -> tuple[Transfer, ...]:
    """More of a rent or of interest is income, without its VAT; taken of the totals, so that daily growth never drifts."""
    rate_pct = vat_rate_pct(family, ItemKind(role.value))
    tax_fen = vat_of_growth_fen(before_fen, after_fen, rate_pct)
    net_fen = after_fen - before_fen - tax_fen
    if family is Family.RENTAL:
        return _moved(Transfer(chart.DEFERRED_RENT, chart.RENTAL_INCOME, net_fen))
    if family is Family.FINANCE_LEASE:
        return _moved(Transfer(chart.UNEARNED_INCOME, chart.LEASE_INCOME, net_fen))
    return _moved(
        Transfer(chart.INTEREST_ACCRUED, chart.INTEREST_INCOME, net_fen),
        Transfer(chart.INTEREST_ACCRUED, chart.VAT_DEFERRED, tax_fen),
    )


def rent_cancelled(amount_fen: int, paid_fen: int, earned_fen: int) -> tuple[Transfer, ...]:
    """A rent that had fallen due falls away: what was paid on it is credit again; income, deferred rent and VAT are taken back."""
    rate_pct = vat_rate_pct(Family.RENTAL, ItemKind.RENT)
    tax_fen = vat_fen(amount_fen, rate_pct)
    income_fen = earned_fen - vat_fen(earned_fen, rate_pct)
    return _moved(
        Transfer(chart.RECEIVABLE, chart.CREDIT_BALANCE, paid_fen),
        Transfer(chart.RENTAL_INCOME, chart.RECEIVABLE, income_fen),
        Transfer(chart.DEFERRED_RENT, chart.RECEIVABLE, amount_fen - tax_fen - income_fen),
        Transfer(chart.VAT_PAYABLE, chart.RECEIVABLE, tax_fen),
    )


def charge_raised(family: Family, kind: ChargeKind, before_fen: int, after_fen: int) -> tuple[Transfer, ...]:
    """A charge came to be or grew. VAT is taken of the totals, so that daily growth never drifts from the VAT of the whole."""
    rate_pct = vat_rate_pct(family, ItemKind(kind.value))
    tax_fen = vat_of_growth_fen(before_fen, after_fen, rate_pct)
    return _moved(
        Transfer(chart.RECEIVABLE, _INCOME_OF_CHARGE[kind], after_fen - before_fen - tax_fen),
        Transfer(chart.RECEIVABLE, vat_payable_of(family), tax_fen),
    )


def charge_cancelled(family: Family, kind: ChargeKind, amount_fen: int, paid_fen: int) -> tuple[Transfer, ...]:
    """A charge falls away: what was paid on it is credit again, income and VAT are taken back."""
    tax_fen = vat_fen(amount_fen, vat_rate_pct(family, ItemKind(kind.value)))
    return _moved(
        Transfer(chart.RECEIVABLE, chart.CREDIT_BALANCE, paid_fen),
        Transfer(_INCOME_OF_CHARGE[kind], chart.RECEIVABLE, amount_fen - tax_fen),
        Transfer(vat_payable_of(family), chart.RECEIVABLE, tax_fen),
    )


def receipt(cash: str, settled: Iterable[tuple[str, int]], held_fen: int) -> tuple[Transfer, ...]:
    """Money came in: parts settle receivables (account, fen), the rest is held."""
    return merged([*(Transfer(cash, account, fen) for account, fen in settled), Transfer(cash, chart.CREDIT_BALANCE, held_fen)])


def receipt_reversed(cash: str, unsettled: Iterable[tuple[str, int]], held_fen: int) -> tuple[Transfer, ...]:
    """Money did not come in after all, or was taken back by the payer's bank: what it settled is owed again."""
    return merged([*(Transfer(account, cash, fen) for account, fen in unsettled), Transfer(chart.CREDIT_BALANCE, cash, held_fen)])


def credit_applied(account: str, amount_fen: int) -> tuple[Transfer, ...]:
    """Held money settles a receivable."""
    return _moved(Transfer(chart.CREDIT_BALANCE, account, amount_fen))


def refund(amount_fen: int, cash: str = chart.CLEARING) -> tuple[Transfer, ...]:
    """Held money went back, through the provider unless from the bank."""
    return _moved(Transfer(chart.CREDIT_BALANCE, cash, amount_fen))


def waived(family: Family, kind: ItemKind, amount_fen: int) -> tuple[Transfer, ...]:
    """Part of what is due is let off. Price and its VAT are taken back (a red invoice, 红字发票); principal let off is a loss."""
    account = receivable_of(family, kind)
    if kind is ItemKind.PRINCIPAL:
        return _moved(Transfer(chart.CREDIT_LOSS, account, amount_fen))
    tax_fen = vat_fen(amount_fen, vat_rate_pct(family, kind))
    return _moved(
        Transfer(_income_of(family, kind), account, amount_fen - tax_fen), Transfer(vat_payable_of(family), account, tax_fen)
    )


def written_off(family: Family, kind: ItemKind, amount_fen: int) -> tuple[Transfer, ...]:
    """What is due and will not come in leaves the books against the allowance; the claim itself stays (核销不等于放弃债权)."""
    return _moved(Transfer(allowance_of(family), receivable_of(family, kind), amount_fen))


def reinstated(family: Family, kind: ItemKind, amount_fen: int) -> tuple[Transfer, ...]:
    """Money comes in on what had been written off: so much of it is a receivable again, and so much less was lost."""
    return _moved(Transfer(receivable_of(family, kind), chart.CREDIT_LOSS, amount_fen))


def provided(family: Family, before_fen: int, after_fen: int) -> tuple[Transfer, ...]:
    """The allowance for expected losses grew or shrank (CAS 22 arts. 46–63)."""
    allowance = allowance_of(family)
    if after_fen > before_fen:
        return _moved(Transfer(chart.CREDIT_LOSS, allowance, after_fen - before_fen))
    return _moved(Transfer(allowance, chart.CREDIT_LOSS, before_fen - after_fen))


def allowance_of(family: Family) -> str:
    return chart.LOAN_ALLOWANCE if family is Family.LOAN else chart.ALLOWANCE


def vat_payable_of(family: Family) -> str:
    """The two rates are booked apart, or all would be taxed at the higher one (VAT Law art. 12)."""
    return chart.VAT_PAYABLE_LENDING if family is Family.LOAN else chart.VAT_PAYABLE


def _income_of(family: Family, kind: ItemKind) -> str:
    if kind is ItemKind.FEE:
        return chart.FEE_INCOME
    if kind in (ItemKind.RENT, ItemKind.INTEREST):
        incomes = {
            Family.RENTAL: chart.RENTAL_INCOME,
            Family.FINANCE_LEASE: chart.LEASE_INCOME,
            Family.LOAN: chart.INTEREST_INCOME,
        }
        return incomes[family]
    return _INCOME_OF_CHARGE[ChargeKind(kind.value)]


def merged(transfers: Iterable[Transfer]) -> tuple[Transfer, ...]:
    """Transfers between the same two accounts as one."""
    sums: dict[tuple[str, str], int] = {}
    for transfer in transfers:
        pair = transfer.debit_account, transfer.credit_account
        sums[pair] = sums.get(pair, 0) + transfer.amount_fen
    return _moved(*(Transfer(debit, credit, fen) for (debit, credit), fen in sums.items()))


def _moved(*transfers: Transfer) -> tuple[Transfer, ...]:
    return tuple(transfer for transfer in transfers if transfer.amount_fen > 0)
