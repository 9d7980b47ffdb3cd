"""Screening comes to a merchant with customers, and goes again as long as no name was opened for a watch list."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError
from tests.integration.releases import release

from xinzu.app.modules import load_tables
from xinzu.platform.db import set_tenant

CUSTOMER = f"""
{set_tenant(1)};
INSERT INTO parties_person (tenant_id, id, identity_no_blind, identity_no_sealed, identity_no_masked, name_blind, name_sealed, name_masked,
    phone_blind, phone_sealed, phone_masked, registered_at, updated_at)
VALUES (1, gen_random_uuid(), 'b', 's', 'm', 'b', 's', 'm', 'b', 's', 'm', now(), now());
INSERT INTO parties_disclosure (tenant_id, id, party_id, purpose, actor, opened_at)
SELECT 1, gen_random_uuid(), id, '{{}}', 'probe', now() FROM parties_person;
"""


async def test_the_way_back_is_open_until_a_name_was_opened_for_a_watch_list(admin_url: str, home: Path) -> None:
    async with release(admin_url, home, "0016") as old:
        await old.raw.execute(f"BEGIN; {CUSTOMER.replace('{}', 'contract')} COMMIT")
        load_tables()  # as whoever migrates does: row security is forced for what the product declares
        await old.upgrade()
        open_ = await old.raw.fetch(
            "SELECT relname FROM pg_class WHERE relname LIKE 'screening%' AND relkind = 'r' AND NOT relforcerowsecurity"
        )
        assert [row[0] for row in open_] == []
        await old.downgrade()
        await old.upgrade()
        async with old.raw.transaction():
            await old.raw.execute(set_tenant(1))
            await old.raw.execute("UPDATE parties_disclosure SET purpose = 'watch_list'")
        with pytest.raises(IntegrityError, match="purpose_known"):
            await old.downgrade()
