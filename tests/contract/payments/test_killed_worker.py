"""A worker killed between the claim of a call and its outcome: its job runs again and sees to it that Alipay is asked."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text
from tests.contract.payments.conftest import Merchant

from xinzu.back.payments.jobs import execute_payments, resolve_payments
from xinzu.back.payments.model import AttemptState
from xinzu.kernel.time import FixedClock
from xinzu.platform.actor import system_actor


async def test_the_job_of_a_killed_worker_asks_what_became_of_its_call(merchant: Merchant, clock: FixedClock) -> None:
    agreement_id = await merchant.sign()
    await merchant.accept(agreement_id)
    payment = (await merchant.payments(agreement_id))[0]
    async with merchant.runtime.unit(merchant.tenant_id, system_actor("test")) as uow:
        await uow.execute(
            "UPDATE payments_payment SET state = 'calling', changed_at = :now WHERE tenant_id = :tenant", now=uow.now
        )
    arguments = {"payment_ids": [str(payment.id)]}
    await execute_payments(merchant.runtime, merchant.tenant_id, arguments)
    assert (await merchant.payments(agreement_id))[0].state is AttemptState.CALLING, "its caller may still live"
    assert await _asked_for_later(merchant, str(payment.id))
    clock.advance(timedelta(seconds=31))
    await resolve_payments(merchant.runtime, merchant.tenant_id, arguments)
    assert (await merchant.payments(agreement_id))[0].state is AttemptState.SUCCEEDED


async def _asked_for_later(merchant: Merchant, payment_id: str) -> bool:
    async with merchant.runtime.database.engine.connect() as connection:
        found = await connection.execute(
            text(
                "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'payments.resolve_payments' AND status = 'queued'"
                " AND execute_after > now() + interval '20 seconds' AND convert_from(payload, 'UTF8') LIKE '%' || :id || '%'"
            ),
            {"id": payment_id},
        )
        return bool(found.scalar())
