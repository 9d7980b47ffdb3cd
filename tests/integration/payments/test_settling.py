"""The end of a rental: the final balance is collected, a credit is given back, the rest of the deposit is released."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from tests.integration.payments.shop import ACTOR, AUTHORISED_FEN, Shop, due

from xinzu.back.billing.events import AccountSettled, DayClosed, InstalmentFellDue, LesseeTransferred, SettlementDetermined
from xinzu.back.payments.commands.refunds import settle_refunds
from xinzu.back.payments.commands.releases import settle_releases, settle_withdrawals
from xinzu.back.payments.events import DepositReleased, MandateAuthorised, RefundSucceeded
from xinzu.back.payments.model import AttemptState, MandateState, Purpose, Verdict
from xinzu.kernel.ids import new_id
from xinzu.kernel.time import FixedClock
from xinzu.middle.agreements.events import AgreementCancelled


async def ids_of(shop: Shop, table: str) -> list[UUID]:
    async with shop.runtime.reading(shop.tenant_id) as read:
        rows = await read.rows(f"SELECT id FROM {table} WHERE tenant_id = :tenant AND state <> 'succeeded' ORDER BY id")
    return [row.id for row in rows]


async def answer_releases(shop: Shop, state: AttemptState) -> None:
    verdicts = [
        Verdict(id=id_, state=state, channel_no="op2", occurred_at=shop.runtime.clock.now())
        for id_ in await ids_of(shop, "payments_release")
    ]
    async with shop.runtime.unit(shop.tenant_id, ACTOR) as uow:
        await uow.execute("UPDATE payments_release SET state = 'calling' WHERE tenant_id = :tenant AND state = 'intended'")
        await settle_releases(uow, verdicts)


async def answer_refunds(shop: Shop, state: AttemptState) -> None:
    verdicts = [
        Verdict(id=id_, state=state, occurred_at=shop.runtime.clock.now()) for id_ in await ids_of(shop, "payments_refund")
    ]
    async with shop.runtime.unit(shop.tenant_id, ACTOR) as uow:
        await uow.execute("UPDATE payments_refund SET state = 'calling' WHERE tenant_id = :tenant AND state = 'intended'")
        await settle_refunds(uow, verdicts)


def determined(agreement_id: UUID, balance_fen: int = 0, credit_fen: int = 0) -> SettlementDetermined:
    return SettlementDetermined(
        subject_id=agreement_id, party_id=new_id(), balance_due_fen=balance_fen, credit_balance_fen=credit_fen
    )


def settled(shop: Shop, agreement_id: UUID) -> AccountSettled:
    return AccountSettled(subject_id=agreement_id, party_id=new_id(), settled_on=due(shop))


async def test_damage_is_collected_and_only_the_rest_of_the_deposit_goes_back(shop: Shop) -> None:
    agreement_id = await shop.rent()
    await shop.happen(determined(agreement_id, balance_fen=80_000))
    assert (await shop.payments(agreement_id))[0].purpose is Purpose.SETTLEMENT
    await shop.settle(agreement_id, "succeeded")
    await shop.happen(settled(shop, agreement_id))
    assert await shop.jobs("payments.execute_releases") == 1
    await answer_releases(shop, AttemptState.SUCCEEDED)
    mandate = await shop.mandate(agreement_id)
    assert (mandate.state, mandate.collected_fen, mandate.released_fen) == (
        MandateState.FINISHED,
        110_000,
        AUTHORISED_FEN - 110_000,
    )
    released = await shop.events(agreement_id, DepositReleased)
    assert [(event.collected_fen, event.released_fen) for event in released] == [(110_000, 450_000)]
    assert (await shop.leaves(agreement_id))[-1] == "payments.deposit.released"


async def test_the_release_waits_for_a_payment_under_way(shop: Shop) -> None:
    agreement_id = await shop.rent()
    await shop.happen(determined(agreement_id, balance_fen=80_000))
    await shop.happen(settled(shop, agreement_id))
    assert await ids_of(shop, "payments_release") == []
    await shop.settle(agreement_id, "failed")
    async with shop.runtime.reading(shop.tenant_id) as read:
        assert await read.scalar("SELECT amount_fen FROM payments_release WHERE tenant_id = :tenant") == AUTHORISED_FEN - 30_000


async def test_nothing_is_collected_once_the_rest_is_being_released(shop: Shop) -> None:
    agreement_id = await shop.rent()
    await shop.happen(settled(shop, agreement_id))
    await shop.happen(
        InstalmentFellDue(
            subject_id=agreement_id, party_id=new_id(), instalment_id=new_id(), number=2, due_on=due(shop), outstanding_fen=30_000
        )
    )
    assert [payment.purpose for payment in await shop.payments(agreement_id)] == [Purpose.FIRST_RENT]


async def test_an_account_settled_twice_releases_once(shop: Shop) -> None:
    agreement_id = await shop.rent()
    await shop.happen(settled(shop, agreement_id), settled(shop, agreement_id))
    await shop.happen(settled(shop, agreement_id))
    assert len(await ids_of(shop, "payments_release")) == 1
    await answer_releases(shop, AttemptState.SUCCEEDED)
    await shop.happen(settled(shop, agreement_id))
    assert len(await shop.events(agreement_id, DepositReleased)) == 1


async def test_a_refused_release_is_tried_again_the_next_day_under_a_new_number(shop: Shop, clock: FixedClock) -> None:
    agreement_id = await shop.rent()
    await shop.happen(settled(shop, agreement_id))
    await answer_releases(shop, AttemptState.FAILED)
    closed = DayClosed(subject_id=new_id(), business_date=due(shop))
    await shop.happen(closed)
    assert len(await ids_of(shop, "payments_release")) == 1
    clock.advance(timedelta(days=1))
    await shop.happen(closed)
    assert len(await ids_of(shop, "payments_release")) == 2


async def test_a_mandate_used_up_to_the_last_fen_ends_without_a_release(shop: Shop) -> None:
    agreement_id = await shop.rent()
    await shop.happen(determined(agreement_id, balance_fen=AUTHORISED_FEN))
    await shop.settle(agreement_id, "succeeded")
    await shop.happen(settled(shop, agreement_id))
    mandate = await shop.mandate(agreement_id)
    assert (mandate.state, mandate.collected_fen) == (MandateState.FINISHED, AUTHORISED_FEN)
    assert [event.released_fen for event in await shop.events(agreement_id, DepositReleased)] == [0]


async def test_a_settlement_ends_the_retries_of_instalments(shop: Shop, clock: FixedClock) -> None:
    agreement_id = await shop.rent()
    await shop.happen(
        InstalmentFellDue(
            subject_id=agreement_id, party_id=new_id(), instalment_id=new_id(), number=2, due_on=due(shop), outstanding_fen=30_000
        )
    )
    await shop.settle(agreement_id, "failed")
    await shop.happen(determined(agreement_id, balance_fen=10_000))
    await shop.settle(agreement_id, "succeeded")
    clock.advance(timedelta(days=1))
    await shop.happen(DayClosed(subject_id=new_id(), business_date=due(shop)))
    assert (await shop.payments(agreement_id))[0].purpose is Purpose.SETTLEMENT


async def test_a_credit_balance_is_refunded_out_of_the_newest_payments(shop: Shop) -> None:
    agreement_id = await shop.rent()
    await shop.happen(
        InstalmentFellDue(
            subject_id=agreement_id, party_id=new_id(), instalment_id=new_id(), number=2, due_on=due(shop), outstanding_fen=20_000
        )
    )
    await shop.settle(agreement_id, "succeeded")
    await shop.happen(determined(agreement_id, credit_fen=35_000))
    await answer_refunds(shop, AttemptState.SUCCEEDED)
    assert sorted(event.amount_fen for event in await shop.events(agreement_id, RefundSucceeded)) == [15_000, 20_000]
    assert [payment.refunded_fen for payment in await shop.payments(agreement_id)] == [20_000, 15_000]
    # What was given back was collected all the same: it never returns to the mandate.
    assert (await shop.mandate(agreement_id)).rest_fen == AUTHORISED_FEN - 50_000


async def test_a_refused_refund_leaves_the_payment_as_it_was(shop: Shop) -> None:
    agreement_id = await shop.rent()
    await shop.happen(determined(agreement_id, credit_fen=10_000))
    await answer_refunds(shop, AttemptState.FAILED)
    assert (await shop.payments(agreement_id))[0].refunded_fen == 0
    assert await shop.events(agreement_id, RefundSucceeded) == []


def cancelled(agreement_id: UUID) -> AgreementCancelled:
    return AgreementCancelled(subject_id=agreement_id, application_id=new_id(), party_id=new_id(), reason="customer_withdrew")


async def test_an_agreement_called_off_after_the_first_rent_gives_everything_back(shop: Shop) -> None:
    agreement_id = await shop.rent()
    await shop.happen(cancelled(agreement_id))
    await answer_refunds(shop, AttemptState.SUCCEEDED)
    await answer_releases(shop, AttemptState.SUCCEEDED)
    assert [event.amount_fen for event in await shop.events(agreement_id, RefundSucceeded)] == [30_000]
    assert (await shop.mandate(agreement_id)).released_fen == AUTHORISED_FEN - 30_000


async def test_money_that_arrives_after_the_agreement_was_called_off_goes_back(shop: Shop) -> None:
    agreement_id = await shop.sign()
    await shop.confirm(agreement_id)
    await shop.happen(cancelled(agreement_id))
    await shop.settle(agreement_id, "succeeded")
    assert await ids_of(shop, "payments_refund") == []  # billing decides what is owed back, once
    await shop.happen(determined(agreement_id, credit_fen=30_000))
    await answer_refunds(shop, AttemptState.SUCCEEDED)
    assert [event.amount_fen for event in await shop.events(agreement_id, RefundSucceeded)] == [30_000]
    assert len(await ids_of(shop, "payments_release")) == 1


async def test_an_agreement_called_off_before_confirmation_is_withdrawn_and_closed(shop: Shop) -> None:
    agreement_id = await shop.sign()
    await shop.happen(cancelled(agreement_id))
    assert await shop.jobs("payments.withdraw_mandates") == 1
    mandate = await shop.mandate(agreement_id)
    async with shop.runtime.unit(shop.tenant_id, ACTOR) as uow:
        await settle_withdrawals(uow, [(mandate.id, None, False)])
    assert (await shop.mandate(agreement_id)).state is MandateState.CLOSED


@pytest.mark.parametrize("closed_first", [True, False])
async def test_a_customer_who_confirms_in_the_second_of_the_withdrawal_gets_everything_back(
    shop: Shop, closed_first: bool
) -> None:
    agreement_id = await shop.sign()
    await shop.happen(cancelled(agreement_id))
    if closed_first:
        mandate = await shop.mandate(agreement_id)
        async with shop.runtime.unit(shop.tenant_id, ACTOR) as uow:
            await settle_withdrawals(uow, [(mandate.id, None, False)])
    await shop.confirm(agreement_id)
    assert await shop.events(agreement_id, MandateAuthorised) == []
    assert await shop.payments(agreement_id) == []
    await answer_releases(shop, AttemptState.SUCCEEDED)
    mandate = await shop.mandate(agreement_id)
    assert (mandate.state, mandate.released_fen) == (MandateState.CLOSED, AUTHORISED_FEN)


async def test_nothing_more_is_taken_from_a_lessee_who_passed_the_rental_on(shop: Shop) -> None:
    agreement_id = await shop.rent()
    passed = LesseeTransferred(subject_id=agreement_id, party_before_id=new_id(), party_id=new_id(), effective_on=due(shop))
    await shop.happen(passed)
    assert await shop.jobs("payments.execute_releases") == 1
    await answer_releases(shop, AttemptState.SUCCEEDED)
    assert (await shop.mandate(agreement_id)).state is MandateState.FINISHED
    before = len(await shop.payments(agreement_id))
    fell_due = InstalmentFellDue(
        subject_id=agreement_id, party_id=new_id(), instalment_id=new_id(), number=2, due_on=due(shop), outstanding_fen=29_900
    )
    await shop.happen(fell_due)
    assert len(await shop.payments(agreement_id)) == before
