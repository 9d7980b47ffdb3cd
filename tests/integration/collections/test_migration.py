"""Agreements signed before collections knew families climb the ladder of theirs."""

from __future__ import annotations

from pathlib import Path

from tests.integration.releases import release

from xinzu.platform.db import set_tenant

LOAN_ID, RENTAL_ID = "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002"
# Of the account only the family matters here; what else it must hold is made of its column's type.
SIGNED = f"""
{set_tenant(1)};
INSERT INTO collections_agreement VALUES (1, '{LOAN_ID}', 'XZ-1'), (1, '{RENTAL_ID}', 'XZ-2');
INSERT INTO billing_account SELECT (jsonb_populate_record(null::billing_account, of_types || named)).* FROM (
    SELECT jsonb_object_agg(column_name, CASE WHEN data_type = 'text' THEN 'x' WHEN data_type LIKE 'timestamp%' THEN '2026-03-02T01:00Z'
        WHEN data_type = 'uuid' THEN '{LOAN_ID}' WHEN data_type = 'boolean' THEN 'false' ELSE '1' END) AS of_types
    FROM information_schema.columns WHERE table_name = 'billing_account' AND is_nullable = 'NO') AS c,
    (SELECT cast('{{"family": "loan", "financing": {{}}, "state": "open", "asset_class": "normal"}}' AS jsonb) AS named) AS n;
"""


async def test_a_loan_signed_before_is_known_as_one_and_a_rental_as_a_rental(admin_url: str, home: Path) -> None:
    async with release(admin_url, home, "0006") as old:
        await old.raw.execute(f"BEGIN; {SIGNED} COMMIT")
        await old.upgrade()
        async with old.raw.transaction():
            await old.raw.execute(set_tenant(1))
            rows = await old.raw.fetch("SELECT agreement_no, family FROM collections_agreement ORDER BY agreement_no")
        assert [tuple(row) for row in rows] == [("XZ-1", "loan"), ("XZ-2", "rental")]
        forced = (
            "SELECT bool_and(relforcerowsecurity) FROM pg_class WHERE relname IN ('collections_agreement', 'billing_account')"
        )
        assert await old.raw.fetchval(forced)  # held to a tenant again
        await old.downgrade()
        await old.upgrade()
