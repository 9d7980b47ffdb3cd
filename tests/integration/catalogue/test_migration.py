"""Plans and accounts of before there was a kind of product are plain ones, and its products do not get lost on the way back."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError
from tests.integration.releases import release

from xinzu.platform.db import set_tenant

PLAN = f"""
{set_tenant(1)};
INSERT INTO catalogue_product (tenant_id, id, name, category, created_at)
    VALUES (1, '00000000-0000-0000-0000-000000000001', '手机', 'phone', now());
INSERT INTO catalogue_plan (tenant_id, id, product_id, period_months, period_count, rent_fen, deposit_fen, device_value_fen,
    residual_value_fen, early_return_fee_fen, late_fee_daily_rate, grace_days, restriction_clause_version, state, version, created_at)
    VALUES (1, '00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', 1, 12, 39900, 0, 599900, 170000, 0, 0, 0,
        'restriction-2026-01', 'draft', 1, now());
"""


async def test_what_was_offered_before_is_a_plain_rental(admin_url: str, home: Path) -> None:
    async with release(admin_url, home, "0007") as old:
        await old.raw.execute(f"BEGIN; {PLAN} COMMIT")
        await old.upgrade()
        async with old.raw.transaction():
            await old.raw.execute(set_tenant(1))
            row = await old.raw.fetchrow("SELECT first_rents, ends_in, due_shift, buyout_prices_fen FROM catalogue_plan")
            assert row is not None
            assert tuple(row) == (1, "return", "none", None)
            await old.raw.execute("UPDATE catalogue_plan SET first_rents = 3")
        with pytest.raises(DBAPIError, match="plain"):
            await old.downgrade()
        async with old.raw.transaction():
            await old.raw.execute(set_tenant(1))
            await old.raw.execute("UPDATE catalogue_plan SET first_rents = 1")
        await old.downgrade()
        await old.upgrade()


LOAN = """
INSERT INTO catalogue_plan (tenant_id, id, product_id, period_months, period_days, period_count, rent_fen, deposit_fen, device_value_fen,
    early_return_fee_fen, late_fee_daily_rate, grace_days, restriction_clause_version, state, version, created_at, financing, first_rents,
    ends_in, due_shift)
    VALUES (1, '00000000-0000-0000-0000-000000000003', '00000000-0000-0000-0000-000000000001', 1, 0, 12, 100, 0, 0, 0, 0, 0, 'none', 'draft',
        1, now(), '{"family": "loan"}', 1, 'return', 'none')
"""


async def test_what_was_offered_before_by_the_month_stays_so_and_what_is_not_keeps_its_release(
    admin_url: str, home: Path
) -> None:
    async with release(admin_url, home, "0010") as old:
        await old.raw.execute(_before())
        await old.upgrade()
        async with old.raw.transaction():
            await old.raw.execute(set_tenant(1))
            row = await old.raw.fetchrow("SELECT period_months, period_days, daily FROM catalogue_plan")
            assert row is not None
            assert tuple(row) == (1, 0, None)
            await old.raw.execute(LOAN)
        for made, unmade in (
            ("period_months = 0, period_days = 7", "period_months = 1, period_days = 0"),
            ("due_shift = 'preceding'", "due_shift = 'none'"),
            ("financing = financing || '{\"is_leaseback\": true}'", "financing = financing - 'is_leaseback'"),
        ):
            for change, is_refused in ((made, True), (unmade, False)):
                async with old.raw.transaction():
                    await old.raw.execute(set_tenant(1))
                    await old.raw.execute(f"UPDATE catalogue_plan SET {change} WHERE financing IS NOT NULL")
                if is_refused:
                    with pytest.raises(DBAPIError, match="check constraint"):
                        await old.downgrade()
        await old.downgrade()
        await old.upgrade()


def _before() -> str:
    """The same plan as a release with rental products writes it."""
    plan = PLAN.replace("state, version, created_at)", "state, version, created_at, first_rents, ends_in, due_shift)", 1)
    plan = plan.replace("'draft', 1, now())", "'draft', 1, now(), 1, 'return', 'none')", 1)
    return f"BEGIN; {plan} COMMIT"
