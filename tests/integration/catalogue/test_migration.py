"""Plans and accounts of before there were rental products are plain ones, and those products do not get lost on the way back."""

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
