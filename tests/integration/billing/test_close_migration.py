"""Days closed by an earlier release stand, and the next close compares the books from the beginning."""

from __future__ import annotations

from pathlib import Path

from tests.integration.releases import release

from xinzu.platform.db import set_tenant

DAY = f"""
{set_tenant(1)};
INSERT INTO billing_day (tenant_id, business_date, fell_due_count, became_overdue_count, delinquent_count, late_fee_fen, income_fen,
    reclassified_count, provision_fen, closed_at)
    VALUES (1, '2026-04-30', 3, 1, 2, 40, 29900, 1, 500, now());
"""
INDEXES = "SELECT indexname FROM pg_indexes WHERE indexname LIKE 'ix_billing_instalment_%' ORDER BY 1"


async def test_days_closed_before_stand_and_were_not_compared(admin_url: str, home: Path) -> None:
    async with release(admin_url, home, "0008") as old:
        await old.raw.execute(f"BEGIN; {DAY} COMMIT")
        before = [row[0] for row in await old.raw.fetch(INDEXES)]
        await old.upgrade()
        async with old.raw.transaction():
            await old.raw.execute(set_tenant(1))
            row = await old.raw.fetchrow(
                "SELECT income_fen, accrued_fen, differing_count, compared_entry_no, compared_fen FROM billing_day"
            )
            assert row is not None
            assert tuple(row) == (29_900, 0, 0, None, None)
        await old.downgrade()
        assert [row[0] for row in await old.raw.fetch(INDEXES)] == before
        await old.upgrade()
