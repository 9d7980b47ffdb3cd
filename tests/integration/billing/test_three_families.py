"""A loan and a finance lease beside the rental: commenced, earned, paid, late, and in the end nothing left but cash, income and tax."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import groupby

from tests.integration.billing.conftest import Rental, only

from xinzu.back.billing import api
from xinzu.back.billing.events import (
    AccountWrittenOff,
    AssetReclassified,
    InstalmentBecameOverdue,
    InstalmentFellDue,
    ReceiptReversed,
)
from xinzu.back.billing.model import AdjustmentKind
from xinzu.kernel.ids import Prefix, parse_id
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.terms import Family, Financing

MakeRental = Callable[..., Rental]
LOAN = Financing(family=Family.LOAN, principal_fen=1_200_000, annual_rate_pct="12")
LEASE = Financing(
    family=Family.FINANCE_LEASE, principal_fen=10_000_000, annual_rate_pct="8.5", day_count="actual/365", balloon_fen=3_000_000
)
MARCH = date(2026, 3, 31)


def loan(another_rental: MakeRental, **changes: object) -> Rental:
    return another_rental(product_name="小额贷款", rent_fen=106_619, deposit_fen=0, financing=LOAN, **changes)


def lease(another_rental: MakeRental, **changes: object) -> Rental:
    return another_rental(
        product_name="厢式货车", period_count=24, rent_fen=346_000, deposit_fen=0, grace_days=0, financing=LEASE, **changes
    )


async def transfer(rental: Rental, reference: str, amount_fen: int) -> api.Allocated:
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        [outcome] = await api.record_transfers(uow, [api.Transfer(rental.agreement_id, reference, amount_fen, rental.today)])
    await rental.check_books()
    return accepted(outcome)


async def pay_everything(rental: Rental) -> None:
    """Live to the end of the term; what falls due is paid on its day."""
    for _ in range(rental.terms.period_count * 31 + 5):
        for due in only(InstalmentFellDue, await rental.pass_days(1)):
            await transfer(rental, f"T-{due.number}", due.outstanding_fen)


async def test_a_loan_is_paid_out_earns_its_interest_by_month_ends_and_comes_back(another_rental: MakeRental) -> None:
    borrower = loan(another_rental)
    await borrower.sign()
    await borrower.commence()  # 2 March
    assert await borrower.balances() == {"1303": 1_200_000, "1002": -1_200_000}
    legs = await borrower.instalments()
    assert [(leg.number, leg.role, leg.amount_fen) for leg in legs[:4]] == [
        (1, "principal", 94_619),
        (1, "interest", 12_000),
        (2, "principal", 95_565),
        (2, "interest", 11_054),
    ]
    await borrower.pass_days(30)  # 1 April: 30 of 31 days of the first month's interest stand in March's books
    earned_fen = 12_000 * 30 // 31
    tax_fen = round(earned_fen * 6 / 106)
    assert {code: fen for code, fen in (await borrower.balances(MARCH)).items() if code in {"113201", "6011", "222110"}} == {
        "113201": earned_fen,
        "6011": earned_fen - tax_fen,
        "222110": tax_fen,
    }
    assert not (await borrower.balances()).keys() & {
        "113201",
        "6011",
        "222110",
    }  # April begins without: the whole leg is earned in it
    for _, together in groupby(legs, key=lambda leg: leg.number):
        assert len({leg.due_on for leg in together}) == 1
    await pay_everything(borrower)
    assert {leg.state for leg in await borrower.instalments()} == {"paid"}
    left = await borrower.balances()
    assert left.keys() == {"1002", "6011", "222106"}
    assert left["1002"] == left["6011"] + left["222106"] == sum(leg.amount_fen for leg in legs) - 1_200_000


async def test_a_vehicle_lease_with_residual_runs_over_29_february_and_leaves_nothing_unearned(
    another_rental: MakeRental,
) -> None:
    lessee = lease(another_rental)
    await lessee.sign()
    await lessee.commence()
    legs = await lessee.instalments()
    assert sum(leg.amount_fen for leg in legs if leg.role == "principal") == 10_000_000
    assert legs[-2].amount_fen > 3_000_000  # the residual falls due with the last instalment
    begun = await lessee.balances()
    assert begun.keys() == {"1531", "1532", "2202", "222101", "222110"}
    assert begun["2202"] == 10_000_000  # the dealer delivers the vehicle, and is owed its price
    assert begun["1531"] == sum(leg.amount_fen for leg in legs)
    await pay_everything(lessee)
    left = await lessee.balances()
    # The allowance of the last month end, when the residual was still to come, goes with the next one.
    assert left.pop("1231") == left.pop("6702")
    assert left.keys() == {"1002", "2202", "2221", "222101", "6041"}
    assert left["1002"] == sum(leg.amount_fen for leg in legs)
    assert left["1002"] - left["2202"] == left["6041"] + left["2221"] - left["222101"]


async def test_every_interest_tells_its_days_base_and_rate(another_rental: MakeRental) -> None:
    lessee = lease(another_rental)
    await lessee.sign()
    await lessee.commence()
    second = next(leg for leg in await lessee.instalments() if leg.number == 2 and leg.role == "interest")
    async with lessee.runtime.reading(lessee.tenant_id) as read:
        why = await api.why(read, lessee.agreement_id, parse_id(Prefix.INSTALMENT, second.id))
    [segment] = why.segments
    assert (segment.from_on, segment.to_on, segment.days) == (date(2026, 4, 2), date(2026, 5, 1), 30)
    assert segment.rate_pct == "8.5"
    assert segment.amount_fen == second.amount_fen == round(segment.base_fen * 8.5 / 100 * 30 / 365)
    assert why.inputs["day_count"] == "actual/365"


async def test_what_is_late_on_a_loan_bears_fees_on_principal_only_and_is_cleared_instalment_by_instalment(
    another_rental: MakeRental,
) -> None:
    borrower = loan(another_rental, grace_days=0)
    await borrower.sign()
    await borrower.commence()
    said = await borrower.pass_days(31 + 30 + 10)
    overdue = only(InstalmentBecameOverdue, said)
    assert [(each.number, each.outstanding_fen) for each in overdue] == [(1, 106_619), (2, 106_619)]
    account = await borrower.account()
    assert [charge.kind for charge in account.charges] == ["late_fee", "late_fee"]
    first_fee, second_fee = (charge.amount_fen for charge in account.charges)
    assert first_fee == 94_619 * 39 * 3 // 10_000
    paid = await transfer(borrower, "T-1", 106_619 + first_fee)
    assert paid.allocated_fen == paid.amount_fen
    open_now = [(leg.number, leg.role) for leg in await borrower.instalments() if leg.state == "overdue"]
    assert open_now == [(2, "principal"), (2, "interest")]
    assert (await borrower.account()).overdue_fen == 106_619 + second_fee


async def test_the_same_bank_reference_is_recorded_once(another_rental: MakeRental) -> None:
    borrower = loan(another_rental)
    await borrower.sign()
    await borrower.commence()
    assert (await transfer(borrower, "2026-1", 5_000)).is_new
    again = await transfer(borrower, "2026-1", 5_000)
    assert not again.is_new
    assert (await borrower.account()).credit_balance_fen == 5_000


async def test_a_transfer_that_bounced_is_owed_again_and_everything_is_as_if_it_had_not_come(another_rental: MakeRental) -> None:
    """Pay and reverse is nothing, in the books too."""
    borrower = loan(another_rental, grace_days=0)
    await borrower.sign()
    await borrower.commence()
    await borrower.pass_days(40)
    before, account_before = await borrower.balances(), await borrower.account()
    paid = await transfer(borrower, "T-1", 300_000)
    async with borrower.runtime.unit(borrower.tenant_id, borrower.actor) as uow:
        reversal = api.Reversal(borrower.agreement_id, parse_id(Prefix.RECEIPT, paid.id), AdjustmentKind.REVERSAL, "银行退票")
        [outcome] = await api.reverse_receipts(uow, [reversal])
        assert only(ReceiptReversed, list(uow.events))[0].amount_fen == 300_000
    assert accepted(outcome).balance_due_fen == account_before.balance_due_fen
    await borrower.check_books()
    assert await borrower.balances() == before
    await borrower.pass_days(1)
    account = await borrower.account()
    assert account.days_past_due == account_before.days_past_due + 1
    async with borrower.runtime.unit(borrower.tenant_id, borrower.actor) as uow:
        [again] = await api.reverse_receipts(uow, [reversal])
    assert accepted(again).amount_fen == 0


async def test_a_late_fee_is_let_off_with_its_tax_and_a_lost_loan_is_written_off_and_partly_recovered(
    another_rental: MakeRental,
) -> None:
    borrower = loan(another_rental, grace_days=0, period_count=2)
    await borrower.sign()
    await borrower.commence()
    await borrower.pass_days(100)
    fee = (await borrower.account()).charges[0]
    async with borrower.runtime.unit(borrower.tenant_id, borrower.actor) as uow:
        waiver = api.Waiver(borrower.agreement_id, parse_id(Prefix.CHARGE, fee.id), None, "首次逾期，客户说明情况")
        [waived] = await api.waive_items(uow, [waiver])
    assert accepted(waived).amount_fen == fee.amount_fen
    await borrower.check_books()
    owed_fen = (await borrower.account()).balance_due_fen
    async with borrower.runtime.unit(borrower.tenant_id, borrower.actor) as uow:
        [lost] = await api.write_off_accounts(uow, [api.WriteOff(borrower.agreement_id, "法院终结执行")])
        assert only(AccountWrittenOff, list(uow.events))[0].amount_fen == owed_fen
    assert (accepted(lost).amount_fen, accepted(lost).balance_due_fen) == (owed_fen, 0)
    await borrower.check_books()
    assert "1303" not in await borrower.balances()
    await borrower.pass_days(3)
    recovered = await transfer(borrower, "R-1", 200_000)
    assert recovered.allocated_fen == 200_000
    balances = await borrower.balances()
    assert balances["6702"] == owed_fen - 200_000
    async with borrower.runtime.reading(borrower.tenant_id) as read:
        kinds = {each.kind for each in await api.adjustments_of(read, borrower.agreement_id)}
    assert kinds == {"waiver", "write_off", "recovery"}


async def test_a_loan_that_is_never_paid_moves_through_the_classes_and_its_allowance_with_it(another_rental: MakeRental) -> None:
    """Measures on risk classification 2023, arts. 10 to 13: the lines lie at 7, 90, 270 and 360 days past due."""
    borrower = loan(another_rental, grace_days=0, period_count=3)
    await borrower.sign()
    await borrower.commence()
    said = await borrower.pass_days(31 + 365)
    assert [(each.asset_class, each.days_past_due) for each in only(AssetReclassified, said)] == [
        ("attention", 8),
        ("substandard", 91),
        ("doubtful", 271),
        ("loss", 361),
    ]
    account = await borrower.account()
    balances = await borrower.balances()
    assert balances["1304"] == balances["6702"] == account.provision_fen  # as of the end of March: all was lost by then
    assert account.asset_class == "loss"
    await borrower.pass_days(29)  # the end of April was closed this morning
    balances = await borrower.balances()
    # Interest that is claimed and was never income is no exposure.
    owed_fen = sum(balances.get(code, 0) for code in ("1303", "1132", "1122")) - balances["113202"]
    assert (await borrower.account()).provision_fen == balances["1304"] == owed_fen


async def test_measures_2023_art_16_a_cleared_loan_stays_substandard_for_six_months(another_rental: MakeRental) -> None:
    borrower = loan(another_rental, grace_days=0)
    await borrower.sign()
    await borrower.commence()
    await borrower.pass_days(31 + 100)
    assert (await borrower.account()).asset_class == "substandard"
    await transfer(borrower, "T-all", (await borrower.account()).balance_due_fen + 106_619 * 8)  # and all that is still to come
    said = await borrower.pass_days(5 * 30)
    assert only(AssetReclassified, said) == []
    said = await borrower.pass_days(45)
    assert [each.asset_class for each in only(AssetReclassified, said)] == ["normal"]
