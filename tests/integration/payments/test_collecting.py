"""From a signed agreement to collected rents: one mandate, one payment at a time, three attempts, never more than was authorised."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from asyncpg.exceptions import PostgresError
from tests.integration.payments.shop import ACTOR, AUTHORISED_FEN, TERMS, Shop, due

from xinzu.back.billing.events import DayClosed, InstalmentFellDue
from xinzu.back.payments.commands.payments import pay_actively, settle_payments
from xinzu.back.payments.errors import MandateNotUsable, MandateUnknown, PaymentUnderWay
from xinzu.back.payments.events import MandateAuthorised, PaymentFailed, PaymentSucceeded
from xinzu.back.payments.model import AttemptState, MandateState, Purpose, Verdict
from xinzu.back.payments.providers.base import OperationStatus
from xinzu.back.payments.schemas import ActivePayment, PaymentView
from xinzu.kernel.errors import Invalid, Problem
from xinzu.kernel.ids import new_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.terms import EndsIn
from xinzu.kernel.time import FixedClock
from xinzu.platform.runtime import Runtime


def fell_due(shop: Shop, agreement_id: UUID, amount_fen: int = 30_000, instalment_id: UUID | None = None) -> InstalmentFellDue:
    return InstalmentFellDue(
        subject_id=agreement_id,
        party_id=new_id(),
        instalment_id=instalment_id or new_id(),
        number=2,
        due_on=due(shop),
        outstanding_fen=amount_fen,
    )


async def next_day(shop: Shop, clock: FixedClock) -> None:
    """A day passes and is closed."""
    clock.advance(timedelta(days=1))
    await shop.happen(DayClosed(subject_id=new_id(), business_date=due(shop) - timedelta(days=1)))


async def pay(shop: Shop, agreement_id: UUID, amount_fen: int | None) -> Outcome[PaymentView]:
    async with shop.runtime.unit(shop.tenant_id, ACTOR) as uow:
        return (await pay_actively(uow, [ActivePayment(agreement_id=agreement_id, amount_fen=amount_fen)]))[0]


async def test_a_signed_agreement_waits_for_a_pre_authorisation_of_deposit_and_all_rents(shop: Shop) -> None:
    mandate = await shop.mandate(await shop.sign())
    assert (mandate.state, mandate.authorised_fen, mandate.first_rent_fen) == (MandateState.INTENDED, AUTHORISED_FEN, 30_000)


async def test_several_rents_at_the_start_are_one_first_payment_and_a_price_at_the_end_is_authorised_too(shop: Shop) -> None:
    agreement_id = await shop.sign(replace(TERMS, first_rents=3, ends_in=EndsIn.OWN, buyout_fen=9_900))
    mandate = await shop.mandate(agreement_id)
    assert (mandate.authorised_fen, mandate.first_rent_fen) == (AUTHORISED_FEN + 9_900, 90_000)
    await shop.confirm(agreement_id)
    first = (await shop.payments(agreement_id))[0]
    assert (first.purpose, first.amount_fen) == (Purpose.FIRST_RENT, 90_000)


async def test_confirming_starts_the_first_rent_and_leaves_evidence(shop: Shop) -> None:
    agreement_id = await shop.sign()
    assert set((await shop.confirm(agreement_id)).values()) == {None}
    assert [event.authorised_fen for event in await shop.events(agreement_id, MandateAuthorised)] == [AUTHORISED_FEN]
    first = (await shop.payments(agreement_id))[0]
    assert (first.purpose, first.amount_fen, first.state) == (Purpose.FIRST_RENT, 30_000, AttemptState.INTENDED)
    assert await shop.jobs("payments.execute_payments") == 1
    assert await shop.leaves(agreement_id) == ["payments.mandate.authorised"]


async def test_a_confirmation_heard_twice_starts_one_first_rent(shop: Shop) -> None:
    agreement_id = await shop.sign()
    await shop.confirm(agreement_id)
    await shop.confirm(agreement_id)
    assert len(await shop.payments(agreement_id)) == 1
    assert len(await shop.events(agreement_id, MandateAuthorised)) == 1


@pytest.mark.parametrize(
    ("wrong", "reason"), [({"amount_fen": 1, "credit_fen": 1}, "amount_mismatch"), ({"request_no": "x"}, "wrong_request_no")]
)
async def test_a_confirmation_that_contradicts_the_mandate_changes_nothing(
    shop: Shop, wrong: dict[str, object], reason: str
) -> None:
    agreement_id = await shop.sign()
    assert list((await shop.confirm(agreement_id, **wrong)).values()) == [reason]
    assert (await shop.mandate(agreement_id)).state is MandateState.INTENDED


async def test_an_order_that_ran_out_is_followed_by_one_under_a_new_number(shop: Shop) -> None:
    agreement_id = await shop.sign()
    before = await shop.mandate(agreement_id)
    await shop.confirm(agreement_id, status=OperationStatus.CLOSED)
    after = await shop.mandate(agreement_id)
    assert (after.state, after.order_round) == (MandateState.INTENDED, 2)
    assert after.out_order_no != before.out_order_no
    await shop.confirm(agreement_id)
    assert (await shop.mandate(agreement_id)).state is MandateState.AUTHORISED


async def test_success_is_booked_stated_and_proven_once_whoever_brings_the_news(shop: Shop, runtime: Runtime) -> None:
    agreement_id = await shop.sign()
    await shop.confirm(agreement_id)
    payment = (await shop.payments(agreement_id))[0]

    async def bring() -> None:
        async with runtime.unit(shop.tenant_id, ACTOR) as uow:
            verdict = Verdict(id=payment.id, state=AttemptState.SUCCEEDED, channel_no="2026t", occurred_at=uow.now)
            await settle_payments(uow, [verdict])

    # The answer, the notification and the query, all at the same time.
    await asyncio.gather(bring(), bring(), bring())
    mandate = await shop.mandate(agreement_id)
    assert (mandate.collected_fen, mandate.rest_fen) == (30_000, 530_000)
    succeeded = await shop.events(agreement_id, PaymentSucceeded)
    assert [(event.purpose, event.amount_fen, event.provider_trade_no) for event in succeeded] == [
        ("first_rent", 30_000, "2026t")
    ]
    assert await shop.leaves(agreement_id) == ["payments.mandate.authorised", "payments.payment.succeeded"]


async def test_an_instalment_that_fell_due_is_collected_once_although_heard_twice(shop: Shop) -> None:
    agreement_id = await shop.rent()
    event = fell_due(shop, agreement_id)
    await shop.happen(event)
    await shop.happen(event, event)
    assert [payment.purpose for payment in await shop.payments(agreement_id)] == [Purpose.INSTALMENT, Purpose.FIRST_RENT]


async def test_a_failed_instalment_is_tried_on_three_successive_days_and_then_left_to_the_customer(
    shop: Shop, clock: FixedClock
) -> None:
    agreement_id = await shop.rent()
    await shop.happen(fell_due(shop, agreement_id))
    await shop.happen(DayClosed(subject_id=new_id(), business_date=due(shop)))
    for attempt in (1, 2, 3):
        newest = (await shop.payments(agreement_id))[0]
        assert (newest.attempt, newest.state) == (attempt, AttemptState.INTENDED)
        await shop.settle(agreement_id, "failed", "ACQ.BUYER_BALANCE_NOT_ENOUGH")
        # The same day closed again brings no second attempt.
        await shop.happen(DayClosed(subject_id=new_id(), business_date=due(shop)))
        assert len(await shop.payments(agreement_id)) == attempt + 1
        await next_day(shop, clock)
    assert len(await shop.payments(agreement_id)) == 4
    failed = await shop.events(agreement_id, PaymentFailed)
    assert [(event.attempt, event.reason) for event in failed] == [(n, "ACQ.BUYER_BALANCE_NOT_ENOUGH") for n in (1, 2, 3)]


async def test_what_the_customer_paid_meanwhile_is_not_asked_for_again(shop: Shop, clock: FixedClock) -> None:
    agreement_id = await shop.rent()
    await shop.happen(fell_due(shop, agreement_id))
    await shop.settle(agreement_id, "failed")
    assert isinstance(await pay(shop, agreement_id, 12_000), PaymentView)
    await shop.settle(agreement_id, "succeeded")
    await next_day(shop, clock)
    newest = (await shop.payments(agreement_id))[0]
    assert (newest.purpose, newest.attempt, newest.amount_fen) == (Purpose.INSTALMENT, 2, 18_000)
    await shop.settle(agreement_id, "failed")
    assert isinstance(await pay(shop, agreement_id, 18_000), PaymentView)
    await shop.settle(agreement_id, "succeeded")
    await next_day(shop, clock)
    assert (await shop.payments(agreement_id))[0].purpose is Purpose.ARREARS


async def test_no_payment_takes_more_than_is_left(shop: Shop) -> None:
    agreement_id = await shop.rent()
    await shop.happen(
        fell_due(shop, agreement_id, 500_000), fell_due(shop, agreement_id, 500_000), fell_due(shop, agreement_id, 500_000)
    )
    amounts = [(payment.amount_fen, payment.state.value) for payment in await shop.payments(agreement_id)][:-1]
    assert sorted(amounts) == [(30_000, "intended"), (500_000, "failed"), (500_000, "intended")]
    assert (await shop.mandate(agreement_id)).rest_fen == 0
    assert [event.reason for event in await shop.events(agreement_id, PaymentFailed)] == ["mandate_exhausted"]


async def test_the_database_itself_refuses_an_overdrawn_mandate(shop: Shop, runtime: Runtime) -> None:
    agreement_id = await shop.rent()
    with pytest.raises(PostgresError, match="not_overdrawn"):
        async with runtime.unit(shop.tenant_id, ACTOR) as uow:
            await uow.execute(
                "UPDATE payments_mandate SET collected_fen = authorised_fen + 1"
                " WHERE tenant_id = :tenant AND agreement_id = :agreement",
                agreement=agreement_id,
            )


async def test_a_first_rent_that_failed_is_what_the_customer_pays_actively(shop: Shop, clock: FixedClock) -> None:
    agreement_id = await shop.sign()
    await shop.confirm(agreement_id)
    assert isinstance(await pay(shop, agreement_id, None), PaymentUnderWay)
    await shop.settle(agreement_id, "failed")
    wrong = await pay(shop, agreement_id, 1)
    assert isinstance(wrong, Invalid)
    assert wrong.errors[0].code == "payments.amount_differs"
    view = await pay(shop, agreement_id, None)
    assert isinstance(view, PaymentView)
    assert (view.purpose, view.amount_fen, view.attempt) == (Purpose.FIRST_RENT, 30_000, 2)
    await shop.settle(agreement_id, "succeeded")
    await next_day(shop, clock)
    assert len(await shop.payments(agreement_id)) == 2


async def test_active_payments_are_refused_with_the_reason(shop: Shop) -> None:
    waiting, standing = await shop.sign(), await shop.rent()
    assert isinstance(await pay(shop, new_id(), 100), MandateUnknown)
    assert isinstance(await pay(shop, waiting, 100), MandateNotUsable)
    codes = []
    for amount_fen in (None, AUTHORISED_FEN):
        refused = await pay(shop, standing, amount_fen)
        assert isinstance(refused, Problem)
        codes.append(refused.errors[0].code)
    assert codes == ["payments.amount_required", "payments.amount_exceeds_mandate"]


async def test_a_batch_of_active_payments_has_one_outcome_each(shop: Shop, runtime: Runtime) -> None:
    first, second = await shop.rent(), await shop.rent()
    async with runtime.unit(shop.tenant_id, ACTOR) as uow:
        outcomes = await pay_actively(
            uow,
            [
                ActivePayment(agreement_id=first, amount_fen=100),
                ActivePayment(agreement_id=new_id(), amount_fen=100),
                ActivePayment(agreement_id=second, amount_fen=200),
                ActivePayment(agreement_id=first, amount_fen=100),
            ],
        )
    assert [type(outcome) for outcome in outcomes] == [PaymentView, MandateUnknown, PaymentView, PaymentUnderWay]
    assert [outcome.amount_fen for outcome in outcomes if isinstance(outcome, PaymentView)] == [100, 200]


async def test_money_that_came_although_the_attempt_was_given_up_is_believed(shop: Shop) -> None:
    agreement_id = await shop.rent()
    await shop.happen(fell_due(shop, agreement_id))
    await shop.settle(agreement_id, "failed")
    await shop.settle(agreement_id, "succeeded")
    assert (await shop.mandate(agreement_id)).collected_fen == 60_000
    assert len(await shop.events(agreement_id, PaymentSucceeded)) == 2


async def test_another_tenant_sees_and_pays_nothing(shop: Shop, runtime: Runtime, other_tenant_id: int) -> None:
    agreement_id = await shop.rent()
    stranger = Shop(runtime, other_tenant_id)
    assert await stranger.payments(agreement_id) == []
    assert isinstance(await pay(stranger, agreement_id, 100), MandateUnknown)
