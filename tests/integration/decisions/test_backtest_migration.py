"""Orders that went bad before the upgrade keep the day they did, from what the closes of business stated."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.integration.releases import release

from xinzu.platform.db import set_tenant

BEFORE = f"""
{set_tenant(1)};
INSERT INTO decisions_exposure (tenant_id, application_id, party_id, device_value_fen, opened_at, agreement_id)
SELECT 1, gen_random_uuid(), gen_random_uuid(), 100, '2026-01-01T01:00Z', md5(n::text)::uuid FROM generate_series(1, 3) n;
INSERT INTO platform_event (tenant_id, id, type, subject_id, occurred_at, actor, data)
SELECT 1, gen_random_uuid(), 'xinzu.billing.' || kind || '.v1', md5(n::text)::uuid, '2026-04-30T17:00Z', 'system:x', data::jsonb
FROM (VALUES
    (1, 'arrears.aged', '{{"days_past_due": 29, "business_date": "2026-03-01"}}'),
    (1, 'arrears.aged', '{{"days_past_due": 31, "business_date": "2026-03-03"}}'),
    (1, 'arrears.aged', '{{"days_past_due": 30, "business_date": "2026-03-02"}}'),
    (2, 'account.written_off', '{{"amount_fen": 5}}'),
    (3, 'arrears.aged', '{{"days_past_due": 5, "business_date": "2026-03-02"}}')
) AS e(n, kind, data);
"""


async def test_the_day_an_order_went_bad_is_filled_from_events(admin_url: str, home: Path) -> None:
    async with release(admin_url, home, "0018") as old:
        await old.raw.execute(f"BEGIN; {BEFORE} COMMIT")
        await old.upgrade()
        async with old.raw.transaction():
            await old.raw.execute(set_tenant(1))
            found = await old.raw.fetch(
                "SELECT n, bad_on FROM decisions_exposure x JOIN generate_series(1, 3) n ON x.agreement_id = md5(n::text)::uuid ORDER BY n"
            )
        assert [tuple(row) for row in found] == [(1, date(2026, 3, 2)), (2, date(2026, 5, 1)), (3, None)]
        await old.downgrade()
        await old.upgrade()
