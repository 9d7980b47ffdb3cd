"""A rented thing that its lessee buys leaves the register and the books; any other change of the agreement leaves it where it is."""

from __future__ import annotations

import pytest
from tests.integration.assets.stories import handed_over, hear

from xinzu.back.assets import api as assets
from xinzu.back.billing.events import AmendmentMade
from xinzu.kernel.ids import new_id
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime


@pytest.mark.parametrize(("kind", "state"), [("buyout", "retired"), ("renewal", "rented")])
async def test_a_thing_that_was_bought_out_is_sold(runtime: Runtime, tenant_id: int, actor: Actor, kind: str, state: str) -> None:
    agreement_id, asset_id = await handed_over(runtime, tenant_id, actor)
    async with runtime.reading(tenant_id) as read:
        today = read.business_date
    made = AmendmentMade(
        subject_id=agreement_id,
        party_id=new_id(),
        amendment_id=new_id(),
        kind=kind,
        formula=kind,
        effective_on=today,
        version=1,
        due_now_fen=0,
    )
    await hear(runtime, tenant_id, made)
    async with runtime.unit(tenant_id, actor) as uow:
        await assets.keep(uow, today)
        asset = await uow.scalar("SELECT state FROM assets_asset WHERE tenant_id = :tenant AND id = :id", id=asset_id)
        cause = await uow.scalar("SELECT leaves_as FROM assets_asset WHERE tenant_id = :tenant AND id = :id", id=asset_id)
        held = await assets.asset_id_of_agreement(uow, agreement_id)
    is_sold = kind == "buyout"
    assert (asset, cause, held) == (state, "sold" if is_sold else None, None if is_sold else asset_id)
