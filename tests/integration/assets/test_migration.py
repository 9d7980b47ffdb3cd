"""Things registered before there were books of them are taken into the books as if they had always been there."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.integration.releases import release

from xinzu.platform.db import set_tenant

REGISTERED = f"""
{set_tenant(1)};
INSERT INTO assets_asset (tenant_id, id, serial, product_id, purchase_cost_fen, state, registered_at) VALUES
    (1, gen_random_uuid(), 'SN-1', gen_random_uuid(), 520000, 'rented', '2026-01-31 16:30+00'),
    (1, gen_random_uuid(), 'SN-2', gen_random_uuid(), 520000, 'retired', '2026-01-31 15:30+00');
"""


async def test_what_was_registered_is_ready_since_then_and_what_was_retired_leaves(admin_url: str, home: Path) -> None:
    async with release(admin_url, home, "0005") as old:
        await old.raw.execute(f"BEGIN; {REGISTERED} COMMIT")
        await old.upgrade()
        async with old.raw.transaction():
            await old.raw.execute(set_tenant(1))
            rows = await old.raw.fetch(
                "SELECT acquired_on, leaves_as, leaves_on IS NULL AS stays, is_booked FROM assets_asset ORDER BY serial"
            )
        assert [tuple(row) for row in rows] == [
            (date(2026, 2, 1), None, True, False),
            (date(2026, 1, 31), "scrapped", False, False),
        ]
        await old.downgrade()
        assert await old.raw.fetchval("SELECT to_regclass('assets_book')") is None
        await old.upgrade()
