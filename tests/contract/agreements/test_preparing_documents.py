"""The job that verifies signers at the identity register's twin and renders their contracts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.contract.conftest import SIGNED_KEY_ID, SIGNED_SECRET, Sandbox
from tests.integration.agreements.stories import Shop
from tests.integration.decisions.people import identity_no

from xinzu.kernel.time import FixedClock
from xinzu.middle.agreements.jobs import prepare_documents, prepare_due_documents
from xinzu.platform.actor import Actor
from xinzu.platform.crypto.kms import FileKeyring
from xinzu.platform.outbound import Outbound
from xinzu.platform.runtime import Database, Runtime
from xinzu.platform.servers.roles import DatabaseUrls
from xinzu.platform.settings import Settings

BORN = date(1996, 5, 4)


def runtime_with(settings: Settings, database_urls: DatabaseUrls, home: Path, clock: FixedClock) -> Runtime:
    database = Database(database_urls.app.get_secret_value(), pool_size=5)
    return Runtime(settings, database, FileKeyring.open_or_create(home / "keyring.json"), Outbound(timeout_s=3), clock)


@pytest.fixture
async def runtime(sandbox: Sandbox, database_urls: DatabaseUrls, home: Path, clock: FixedClock) -> AsyncIterator[Runtime]:
    """A runtime that knows the twin."""
    settings = Settings(
        home=home,
        identity_url=SecretStr(f"{sandbox.url}/identity"),
        identity_key=SecretStr(f"{SIGNED_KEY_ID}:{SIGNED_SECRET}"),
        arbitration_commission="杭州仲裁委员会",
    )
    made = runtime_with(settings, database_urls, home, clock)
    yield made
    await made.close()


@pytest.fixture
def shop(runtime: Runtime, tenant_id: int, actor: Actor) -> Shop:
    return Shop(runtime, tenant_id, actor)


async def prepare(shop: Shop, *agreement_ids: object) -> None:
    await prepare_documents(shop.runtime, shop.tenant_id, {"agreement_ids": [str(each) for each in agreement_ids]})


async def test_a_confirmed_signer_gets_a_document_and_an_unknown_number_a_cancellation(shop: Shop, sandbox: Sandbox) -> None:
    refused = identity_no(BORN)
    sandbox.control("POST", "/control/identity/refused", {"identity_no": refused})
    [good], [bad], [foreign] = (
        await shop.customers(),
        await shop.customers(number=refused),
        await shop.customers(name="John Smith"),
    )
    drafts = [await shop.drafted(party_id) for party_id in (good, bad, foreign)]
    await prepare(shop, *(draft.id for draft in drafts))
    after = [await shop.agreement(draft.id) for draft in drafts]
    assert [each.state for each in after] == ["drafted", "cancelled", "cancelled"]
    assert after[0].document_id is not None
    checked = [(await shop.facts(draft.id))["identity.checked"]["code"] for draft in drafts]
    assert checked == ["match", "not_found", "name_mismatch"]


@pytest.mark.parametrize("kind", ["no_reply", "busy", "forged_reply"])
async def test_an_answer_that_cannot_be_believed_is_asked_for_again(shop: Shop, sandbox: Sandbox, kind: str) -> None:
    draft = await shop.drafted()
    sandbox.fault("identity", kind)
    await prepare(shop, draft.id)
    waiting = await shop.agreement(draft.id)
    assert (waiting.state, waiting.document_id) == ("drafted", None)
    await prepare(shop, draft.id)
    assert (await shop.agreement(draft.id)).document_id is not None
    async with shop.runtime.reading(shop.tenant_id) as read:
        row = await read.row("SELECT state, attempts FROM agreements_identity_check WHERE tenant_id = :tenant")
    assert row is not None
    assert (row.state, row.attempts) == ("passed", 2)


async def test_many_contracts_are_prepared_in_parts(shop: Shop) -> None:
    drafts = [await shop.drafted(party_id) for party_id in await shop.customers(40)]
    await prepare(shop, *(draft.id for draft in drafts))
    after = [await shop.agreement(draft.id) for draft in drafts]
    assert all(each.document_id is not None for each in after)
    assert len({each.document_sha256 for each in after}) == 40


async def test_drafts_made_before_the_register_was_configured_are_taken_up_later(
    shop: Shop, database_urls: DatabaseUrls, home: Path, clock: FixedClock
) -> None:
    draft = await shop.drafted()
    without = runtime_with(Settings(home=home), database_urls, home, clock)
    await prepare_documents(without, shop.tenant_id, {"agreement_ids": [str(draft.id)]})
    await prepare_due_documents(without, shop.tenant_id, {})
    await without.close()
    assert (await shop.agreement(draft.id)).document_id is None
    await prepare_due_documents(shop.runtime, shop.tenant_id, {})
    assert (await shop.agreement(draft.id)).document_id is None
    clock.advance(timedelta(minutes=11))
    await prepare_due_documents(shop.runtime, shop.tenant_id, {})
    assert (await shop.agreement(draft.id)).document_id is not None
