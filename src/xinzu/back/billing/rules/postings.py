"""What each event of billing does to the books.

A rental is an operating lease (CAS 21 arts. 35, 45): rent in advance is a liability when it falls due and income over its days. A finance
lease is an investment (arts. 38, 39): the leased asset leaves the books, the lease receipts enter them with the income they hold as
unearned, and interest is income as it is earned. A loan is a financial asset (CAS 22): principal out, interest income as it accrues.

VAT is inside every amount (``rules.vat``): of rents, of both parts of a lease's instalments and of all charges on them 13 %, of a loan's
interest and charges 6 %, of a loan's principal none. It becomes payable when an amount falls due; until then it is deferred.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from xinzu.back.billing.model import ChargeKind, ChartLine, InstalmentState, ItemKind, Leg, Role, Suspended, Transfer
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
    ChargeKind.TERMINATION_LOSS: chart.TERMINATION_RESULT,
}
BANK_TRANSFER = "bank"
RECOVERED_THING = "recovered"
LATE_FEE = ItemKind.LATE_FEE


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
    """What came in: money at the bank, a recovered thing at its value, or money with a payment provider that clears later."""
    return {BANK_TRANSFER: chart.BANK, RECOVERED_THING: chart.LEASED_ASSET}.get(provider, chart.CLEARING)


def commenced(
    family: Family, legs: Iterable[tuple[Role, int]], subsidy_fen: int = 0, undrawn_fen: int = 0
) -> tuple[Transfer, ...]:
    """The thing was handed over or the loan paid out. A rental moves nothing: the thing stays the lessor's.

    A leased thing goes from the supplier to the lessee, so that it is bought and leased in one: what is financed is owed to the supplier
    with the input VAT in his price, the receipts become receivable, the income in them unearned and their VAT deferred. A loan's principal
    stands against the bank, but the tranches that are paid out later (``undrawn_fen``) against a deduction from it: both together are what
    was lent. What a supplier bears is receivable from him.
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
    transfers.append(Transfer(chart.BANK, chart.LOAN_UNDRAWN, undrawn_fen))
    return merged(transfers)


def tranche_paid_out(amount_fen: int) -> tuple[Transfer, ...]:
    """A later tranche of a loan left the bank."""
    return _moved(Transfer(chart.LOAN_UNDRAWN, chart.BANK, amount_fen))


def leg_fell_due(family: Family, role: Role, amount_fen: int, suspended_fen: int = 0) -> tuple[Transfer, ...]:
    """A leg may be asked for. Its VAT becomes payable. Suspended interest is claimed and not income, and a loan's not taxed before it is
    paid (``rules.suspension``)."""
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
            Transfer(chart.RECEIVABLE, chart.LEASE_RECEIVABLE, amount_fen),
            Transfer(chart.VAT_DEFERRED, payable, tax_fen),
            Transfer(chart.UNEARNED_INCOME, chart.LEASE_INCOME_SUSPENDED, _net_of_interest(family, suspended_fen)),
        )
    if kind is ItemKind.INTEREST:
        accrued_fen, held_fen = amount_fen - suspended_fen, _net_of_interest(family, suspended_fen)
        return _moved(
            Transfer(chart.INTEREST_RECEIVABLE, chart.INTEREST_ACCRUED, accrued_fen),
            Transfer(chart.VAT_DEFERRED, payable, vat_fen(accrued_fen, vat_rate_pct(family, kind))),
            Transfer(chart.INTEREST_RECEIVABLE, chart.INTEREST_SUSPENDED, held_fen),
            Transfer(chart.INTEREST_RECEIVABLE, chart.VAT_DEFERRED, suspended_fen - held_fen),
        )
    return ()


def leg_earned(family: Family, role: Role, before_fen: int, after_fen: int) -> tuple[Transfer, ...]:
    """More of a rent or of interest is income, without its VAT; taken of the totals, so that daily growth never drifts."""
    tax_fen = vat_of_growth_fen(before_fen, after_fen, vat_rate_pct(family, ItemKind(role.value)))
    return income_grown(family, after_fen - before_fen - tax_fen, tax_fen)


def income_grown(family: Family, net_fen: int, tax_fen: int) -> tuple[Transfer, ...]:
    """So much of what a family's agreements bring is income: net, and its VAT, which only a loan defers here (the others' fell due or is
    deferred with the rent)."""
    if family is Family.RENTAL:
        return _moved(Transfer(chart.DEFERRED_RENT, chart.RENTAL_INCOME, net_fen))
    if family is Family.FINANCE_LEASE:
        return _moved(Transfer(chart.UNEARNED_INCOME, chart.LEASE_INCOME, net_fen))
    return _moved(
        Transfer(chart.INTEREST_ACCRUED, chart.INTEREST_INCOME, net_fen),
        Transfer(chart.INTEREST_ACCRUED, chart.VAT_DEFERRED, tax_fen),
    )


def interest_taken_back(
    family: Family, *, is_to_come: bool, earned: tuple[int, int], suspended: tuple[int, int]
) -> tuple[Transfer, ...]:
    """Accrual is stopped: interest is income no more, what was and is earned, and suspended. Of interest to come the accrual is undone; of
    what is due the claim stays, and its VAT, which fell due with it."""
    if is_to_come:
        return taken_back(leg_earned(family, Role.INTEREST, earned[1], earned[0]))
    grown_fen = _net_of_interest(family, suspended[1]) - _net_of_interest(family, suspended[0])
    return _moved(Transfer(_income_of(family, ItemKind.INTEREST), suspended_of(family), grown_fen))


def interest_recognised(moved: Suspended, into: str | None = None) -> tuple[Transfer, ...]:
    """Suspended interest was paid, or accrual resumed: it is income, and what of its VAT was not payable is so now. What is
    written off was neither: both go ``into`` the allowance that the claim was taken from."""
    net_fen = _net_of_interest(moved.family, moved.before_fen) - _net_of_interest(moved.family, moved.after_fen)
    return _moved(
        Transfer(suspended_of(moved.family), into or _income_of(moved.family, ItemKind.INTEREST), net_fen),
        Transfer(chart.VAT_DEFERRED, into or vat_payable_of(moved.family), moved.vat_before_fen - moved.vat_after_fen),
    )


def suspended_of(family: Family) -> str:
    """Where interest that is claimed and not income stands against its claim."""
    return chart.INTEREST_SUSPENDED if family is Family.LOAN else chart.LEASE_INCOME_SUSPENDED


def _net_of_interest(family: Family, fen: int) -> int:
    return fen - vat_fen(fen, vat_rate_pct(family, ItemKind.INTEREST))


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


def in_books(family: Family, leg: Leg) -> dict[str, int]:
    """What a leg stands for on each account, debits above zero: what ``store.reconciliation`` sums up over all legs.

    >>> from datetime import date
    >>> leg = Leg(1, Role.INTEREST, date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1), 10_600, earned_fen=5_300)
    >>> in_books(Family.LOAN, leg)
    {'113201': 5300, '222110': -300}
    """
    rate_pct = vat_rate_pct(family, ItemKind(leg.role.value))
    unearned_fen = leg.amount_fen - leg.earned_fen - vat_of_growth_fen(leg.earned_fen, leg.amount_fen, rate_pct)
    account = receivable_of(family, ItemKind(leg.role.value))
    if leg.state is not InstalmentState.SCHEDULED:
        is_rent = leg.role is Role.RENT and leg.state is not InstalmentState.CANCELLED
        held = {
            suspended_of(family): -_net_of_interest(family, leg.suspended_fen),
            chart.VAT_DEFERRED: -leg.suspended_vat_fen,
        }
        return {account: leg.open_fen, **({chart.DEFERRED_RENT: -unearned_fen} if is_rent else held if leg.suspended_fen else {})}
    if leg.role is Role.FEE or family is Family.RENTAL:
        return {}
    if family is Family.LOAN:
        if leg.role is Role.PRINCIPAL:
            return {account: leg.open_fen}
        return {chart.INTEREST_ACCRUED: leg.earned_fen, chart.VAT_DEFERRED: -vat_fen(leg.earned_fen, rate_pct)}
    to_come = {chart.LEASE_RECEIVABLE: leg.amount_fen, chart.VAT_DEFERRED: -vat_fen(leg.amount_fen, rate_pct)}
    return to_come if leg.role is Role.PRINCIPAL else to_come | {chart.UNEARNED_INCOME: -unearned_fen}


def amended(
    family: Family, changed: Sequence[tuple[Leg, Leg]], new: Sequence[Leg], *, is_terminated: bool = False
) -> tuple[Transfer, ...]:
    """Legs changed (before, after) and new ones took their place. Every account moves by what the legs stand for on it.

    What fell away of a leg that was due takes its VAT with it; what was paid on it is credit again. Interest earned on legs that fall away
    leaves income, the new legs earn it again. Principal that grows is interest added to it (capitalised): income, and with a loan, whose
    principal bears no VAT later, its VAT at once. The differences that are left are income of interest, of fees; of a terminated lease,
    whose net investment leaves the books, they are the result of the termination (CAS 21, CAS 22 art. 11).
    """
    transfers: list[Transfer] = []
    for is_fee in (False, True):
        moved: dict[str, int] = {}
        grown_fen = 0
        for before, after in changed:
            if (before.role is Role.FEE) is not is_fee:
                continue
            _add(moved, in_books(family, before), -1)
            _add(moved, in_books(family, after), 1)
            _add(moved, {chart.CREDIT_BALANCE: after.paid_fen - before.paid_fen}, 1)
            grown_fen -= after.cancelled_fen - before.cancelled_fen if before.role is Role.PRINCIPAL else 0
            if before.state is not InstalmentState.SCHEDULED:
                rate_pct = vat_rate_pct(family, ItemKind(before.role.value))
                tax_fen = vat_of_growth_fen(after.standing_fen, before.standing_fen, rate_pct)
                _add(moved, {vat_payable_of(family): tax_fen - before.suspended_vat_fen + after.suspended_vat_fen}, 1)
        for leg in new:
            if (leg.role is Role.FEE) is is_fee:
                _add(moved, in_books(family, leg), 1)
                grown_fen += leg.amount_fen if leg.role is Role.PRINCIPAL else 0
        if family is Family.LOAN:
            rate_pct = vat_rate_pct(family, ItemKind.INTEREST)
            _add(
                moved, {vat_payable_of(family): vat_fen(max(grown_fen, 0), rate_pct) - vat_fen(max(-grown_fen, 0), rate_pct)}, -1
            )
        rest = chart.TERMINATION_RESULT if is_terminated else _income_of(family, ItemKind.FEE if is_fee else _BEARING[family])
        _add(moved, {rest: sum(moved.values())}, -1)
        transfers += _paired(moved)
    return merged(transfers)


_BEARING = {Family.RENTAL: ItemKind.RENT, Family.FINANCE_LEASE: ItemKind.INTEREST, Family.LOAN: ItemKind.INTEREST}


def _add(sums: dict[str, int], more: Mapping[str, int], sign: int) -> None:
    for account, fen in more.items():
        sums[account] = sums.get(account, 0) + sign * fen


def _paired(moved: Mapping[str, int]) -> list[Transfer]:
    """Changes of accounts, debits above zero and in all nothing, as transfers."""
    debits = {account: fen for account, fen in sorted(moved.items()) if fen > 0}
    transfers = []
    for credit, fen in sorted(moved.items()):
        left_fen = -fen
        while left_fen > 0:
            debit, debit_fen = next(iter(debits.items()))
            part_fen = min(left_fen, debit_fen)
            transfers.append(Transfer(debit, credit, part_fen))
            left_fen -= part_fen
            debits[debit] -= part_fen
            if debits[debit] == 0:
                del debits[debit]
    return transfers


def charge_raised(family: Family, kind: ChargeKind, before_fen: int, after_fen: int) -> tuple[Transfer, ...]:
    """A charge came to be or grew. VAT is taken of the totals, so that daily growth never drifts from the VAT of the whole."""
    rate_pct = vat_rate_pct(family, ItemKind(kind.value))
    tax_fen = vat_of_growth_fen(before_fen, after_fen, rate_pct)
    return _moved(
        Transfer(chart.RECEIVABLE, _INCOME_OF_CHARGE[kind], after_fen - before_fen - tax_fen),
        Transfer(chart.RECEIVABLE, vat_payable_of(family), tax_fen),
    )


def charge_reduced(family: Family, kind: ChargeKind, before_fen: int, after_fen: int) -> tuple[Transfer, ...]:
    """Part of a charge should not have been: income and VAT of the difference are taken back, taken of the totals."""
    tax_fen = vat_of_growth_fen(after_fen, before_fen, vat_rate_pct(family, ItemKind(kind.value)))
    return _moved(
        Transfer(_INCOME_OF_CHARGE[kind], chart.RECEIVABLE, before_fen - after_fen - tax_fen),
        Transfer(vat_payable_of(family), chart.RECEIVABLE, tax_fen),
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
    """Held money settles a receivable; below zero, what had settled it is held again."""
    if amount_fen < 0:
        return _moved(Transfer(account, chart.CREDIT_BALANCE, -amount_fen))
    return _moved(Transfer(chart.CREDIT_BALANCE, account, amount_fen))


def refund(amount_fen: int, cash: str = chart.CLEARING) -> tuple[Transfer, ...]:
    """Held money went back, through the provider unless from the bank."""
    return _moved(Transfer(chart.CREDIT_BALANCE, cash, amount_fen))


def partner_share(amount_fen: int) -> tuple[Transfer, ...]:
    """A partner has a share in what came in: cost, and owed to him. Below zero, less stands received than before. The share is of amounts
    with VAT; the VAT of the partner's own invoice is booked with the invoice, which is not here."""
    if amount_fen < 0:
        return _moved(Transfer(chart.PARTNER_PAYABLE, chart.PARTNER_COST, -amount_fen))
    return _moved(Transfer(chart.PARTNER_COST, chart.PARTNER_PAYABLE, amount_fen))


def payout(amount_fen: int) -> tuple[Transfer, ...]:
    """What is owed to a partner was paid from the bank."""
    return _moved(Transfer(chart.PARTNER_PAYABLE, chart.BANK, amount_fen))


def waived(family: Family, kind: ItemKind, amount_fen: int, suspended: Sequence[Suspended] = ()) -> tuple[Transfer, ...]:
    """Part of what is due is let off. Price and its VAT are taken back (a red invoice, 红字发票); principal let off is a loss. Of suspended
    interest the price was never income, and VAT that was not payable never will be."""
    account = receivable_of(family, kind)
    if kind is ItemKind.PRINCIPAL:
        return _moved(Transfer(chart.CREDIT_LOSS, account, amount_fen))
    transfers: list[Transfer] = []
    for moved in suspended:
        net_fen = _net_of_interest(family, moved.before_fen) - _net_of_interest(family, moved.after_fen)
        deferred_fen = moved.vat_before_fen - moved.vat_after_fen
        let_off_fen = moved.before_fen - moved.after_fen
        transfers += (
            Transfer(suspended_of(family), account, net_fen),
            Transfer(chart.VAT_DEFERRED, account, deferred_fen),
            Transfer(vat_payable_of(family), account, let_off_fen - net_fen - deferred_fen),
        )
        amount_fen -= let_off_fen
    tax_fen = vat_fen(amount_fen, vat_rate_pct(family, kind))
    return merged(
        [
            *transfers,
            Transfer(_income_of(family, kind), account, amount_fen - tax_fen),
            Transfer(vat_payable_of(family), account, tax_fen),
        ]
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


def taken_back(transfers: Iterable[Transfer]) -> tuple[Transfer, ...]:
    """The same the other way round."""
    return tuple(Transfer(moved.credit_account, moved.debit_account, moved.amount_fen) for moved in transfers)


def merged(transfers: Iterable[Transfer]) -> tuple[Transfer, ...]:
    """Transfers between the same two accounts as one."""
    sums: dict[tuple[str, str], int] = {}
    for transfer in transfers:
        pair = transfer.debit_account, transfer.credit_account
        sums[pair] = sums.get(pair, 0) + transfer.amount_fen
    return _moved(*(Transfer(debit, credit, fen) for (debit, credit), fen in sums.items()))


def _moved(*transfers: Transfer) -> tuple[Transfer, ...]:
    return tuple(transfer for transfer in transfers if transfer.amount_fen > 0)
