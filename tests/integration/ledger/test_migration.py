"""Books of the first release go on under the second one, and back."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.integration.releases import release

from xinzu.platform.db import set_tenant

BOOKED = f"""
{set_tenant(1)};
INSERT INTO ledger_account VALUES (1, '1122', '应收', 'Receivables', 'asset', 'debit'), (1, '6001', '收入', 'Income', 'income', 'credit');
INSERT INTO ledger_book (tenant_id, last_entry_no) VALUES (1, 1);
INSERT INTO ledger_entry (tenant_id, id, entry_no, business_date, kind, source_id, memo, recorded_at)
    SELECT 1, id, 1, '2026-02-10', 'test.sale', id, '', now() FROM gen_random_uuid() AS id;
INSERT INTO ledger_posting SELECT 1, id, 1, '1122', '6001', 100, id FROM ledger_entry;
"""


async def test_an_entry_of_the_first_release_takes_effect_on_its_business_date(admin_url: str, home: Path) -> None:
    async with release(admin_url, home, "0001") as old:
        await old.raw.execute(f"BEGIN; {BOOKED} COMMIT")
        await old.upgrade()
        async with old.raw.transaction():
            await old.raw.execute(set_tenant(1))
            row = await old.raw.fetchrow(
                "SELECT business_date, effective_on, closed_through FROM ledger_entry CROSS JOIN ledger_book"
            )
        assert tuple(row) == (date(2026, 2, 10), None, None)
        await old.downgrade()
        assert await old.raw.fetchval("SELECT to_regclass('ledger_closure')") is None
        await old.upgrade()
