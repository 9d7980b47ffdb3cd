"""A financing that is repaid ends by itself; what was paid too much goes back from the bank first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from httpx import AsyncClient
from tests.integration.billing.conftest import Rental, only

from xinzu.back.billing import api
from xinzu.back.billing.events import AccountSettled, InstalmentFellDue, RefundRecorded, SettlementDetermined
from xinzu.kernel.events import Event
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.terms import Family, Financing

MakeRental = Callable[..., Rental]
LOAN = Financing(family=Family.LOAN, principal_fen=1_200_000, annual_rate_pct="12")


async def lent(another_rental: MakeRental, period_count: int = 3) -> Rental:
    borrower = another_rental(
        product_name="小额贷款", rent_fen=408_027, deposit_fen=0, period_count=period_count, grace_days=0, financing=LOAN
    )
    await borrower.sign()
    await borrower.commence()
    return borrower


async def transfer(borrower: Rental, reference: str, amount_fen: int) -> list[Event]:
    async with borrower.runtime.unit(borrower.tenant_id, borrower.actor) as uow:
        [outcome] = await api.record_transfers(uow, [api.Transfer(borrower.agreement_id, reference, amount_fen, borrower.today)])
        accepted(outcome)
        said = list(uow.events)
    await borrower.check_books()
    return said


async def repay(borrower: Rental, *, too_much_fen: int = 0) -> list[Event]:
    """Everything on its day; with the last instalment something too much. What was said from the last day on."""
    said: list[Event] = []
    for _ in range(borrower.terms.period_count * 31 + 1):
        for due in only(InstalmentFellDue, await borrower.pass_days(1)):
            is_last = due.number == borrower.terms.period_count
            said = await transfer(borrower, f"T-{due.number}", due.outstanding_fen + (too_much_fen if is_last else 0))
    return said


def refunds_of(borrower: Rental) -> str:
    return f"/v1/agreements/{public_id(Prefix.AGREEMENT, borrower.agreement_id)}/refunds"


async def test_the_last_transfer_settles_the_account_and_the_books_end_even(another_rental: MakeRental) -> None:
    borrower = await lent(another_rental)
    said = await repay(borrower)
    assert [event.settled_on for event in only(AccountSettled, said)] == [(await borrower.instalments())[-1].due_on]
    assert (await borrower.account()).state == "settled"
    await borrower.pass_days(31)  # a month end later nothing is left but cash, income and its tax
    assert (await borrower.balances()).keys() == {"1002", "6011", "222106"}


async def test_money_that_was_there_before_the_last_due_date_settles_at_the_close(another_rental: MakeRental) -> None:
    borrower = await lent(another_rental, period_count=1)
    owed_fen = sum(leg.amount_fen for leg in await borrower.instalments())
    assert only(AccountSettled, await transfer(borrower, "T-1", owed_fen)) == []
    assert (await borrower.account()).state == "open"  # interest runs to the due date
    assert len(only(AccountSettled, await borrower.pass_days(31))) == 1


async def test_what_was_written_off_is_not_repaid(another_rental: MakeRental) -> None:
    borrower = await lent(another_rental, period_count=1)
    await borrower.pass_days(60)
    async with borrower.runtime.unit(borrower.tenant_id, borrower.actor) as uow:
        [outcome] = await api.write_off_accounts(uow, [api.WriteOff(borrower.agreement_id, "无法追回")])
        accepted(outcome)
    assert (await borrower.account()).state == "open"


async def test_what_was_paid_too_much_is_refunded_from_the_bank_and_then_the_account_settles(
    another_rental: MakeRental, api: AsyncClient, api_key: dict[str, str]
) -> None:
    borrower = await lent(another_rental)
    said = await repay(borrower, too_much_fen=5_000)
    assert only(AccountSettled, said) == []
    assert [(event.balance_due_fen, event.credit_balance_fen) for event in only(SettlementDetermined, said)] == [(0, 5_000)]
    bank_before_fen = (await borrower.balances())["1002"]

    async def refund(reference: str, amount_fen: int) -> Any:
        response = await api.post(refunds_of(borrower), json={"reference": reference, "amount_fen": amount_fen}, headers=api_key)
        await borrower.check_books()
        return response

    too_much = await refund("R-0", 5_001)
    assert (too_much.status_code, too_much.json()["code"]) == (409, "billing.refund_exceeds_credit")
    assert "5000" in too_much.json()["detail"].replace(",", "")
    first = await refund("R-1", 2_000)
    assert (first.status_code, first.json()["credit_balance_fen"], first.json()["is_new"]) == (200, 3_000, True)
    again = await refund("R-1", 2_000)
    assert again.json() == first.json() | {"is_new": False}
    other = await refund("R-1", 1_000)
    assert (other.status_code, other.json()["code"]) == (409, "billing.refund_conflict")
    assert (await borrower.account()).state == "settling"
    assert (await refund("R-2", 3_000)).json()["credit_balance_fen"] == 0
    assert (await borrower.account()).state == "settled"
    assert bank_before_fen - (await borrower.balances())["1002"] == 5_000
    async with borrower.runtime.reading(borrower.tenant_id) as read:
        facts = await read.rows(
            "SELECT body FROM evidence_leaf WHERE tenant_id = :tenant AND subject_id = :id AND kind = 'billing.refund.recorded'"
            " ORDER BY position",
            id=borrower.agreement_id,
        )
        told = await read.rows(
            "SELECT data FROM platform_event WHERE tenant_id = :tenant AND subject_id = :id AND type = :type ORDER BY id",
            id=borrower.agreement_id,
            type=RefundRecorded.type,
        )
    assert [name in str(row.body) for row, name in zip(facts, ("R-1", "R-2"), strict=True)] == [True, True]
    assert [(row.data["amount_fen"], row.data["credit_balance_fen"]) for row in told] == [(2_000, 3_000), (3_000, 0)]


async def test_a_refund_names_what_is_wrong_with_it(
    another_rental: MakeRental, api: AsyncClient, api_key: dict[str, str], other_api_key: dict[str, str]
) -> None:
    borrower = await lent(another_rental)
    body = {"reference": "R-1", "amount_fen": 100}
    for field, value in (("amount_fen", 0), ("amount_fen", "1"), ("reference", ""), ("reference", "a\nb")):
        refused = await api.post(refunds_of(borrower), json=body | {field: value}, headers=api_key)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, f"/{field}")
    nothing_held = await api.post(refunds_of(borrower), json=body, headers=api_key)
    assert (nothing_held.status_code, nothing_held.json()["code"]) == (409, "billing.refund_exceeds_credit")
    assert (await api.post(refunds_of(borrower), json=body, headers=other_api_key)).status_code == 404
