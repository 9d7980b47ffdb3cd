"""Every operation of the API under generated requests, right and wrong ones: never a 5xx, always an answer the document describes.

The requests go over HTTP to the running server of a filled world, so that half of them meet things that exist. The same requests
are generated each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.contract.openapi.document import openapi_document, operation_ids
from tests.world import Filled

from xinzu.kernel.ids import Prefix, parse_id, public_id
from xinzu.kernel.paging import encode_cursor
from xinzu.platform.db import set_tenant

EXAMPLES = {GenerationMode.POSITIVE: 15, GenerationMode.NEGATIVE: 10}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
# Where the real values of a parameter or member of this name are found.
SOURCES: Mapping[str, tuple[Prefix, str]] = {
    "party_id": (Prefix.PARTY, "SELECT id FROM parties_person"),
    "leaf_id": (Prefix.LEAF, "SELECT id FROM evidence_leaf"),
    "entry_id": (Prefix.ENTRY, "SELECT id FROM ledger_entry"),
    "agreement_id": (Prefix.AGREEMENT, "SELECT agreement_id FROM billing_account"),
    "item_id": (Prefix.INSTALMENT, "SELECT id FROM billing_instalment"),
    "receipt_id": (Prefix.RECEIPT, "SELECT id FROM billing_receipt"),
    "payment_id": (Prefix.PAYMENT, "SELECT id FROM payments_payment"),
    "asset_id": (Prefix.ASSET, "SELECT asset_id FROM assets_occupancy"),
    "inspection_id": (Prefix.INSPECTION, "SELECT id FROM assets_inspection"),
    "device_id": (Prefix.DEVICE, "SELECT id FROM devices_device"),
    "case_id": (Prefix.CASE, "SELECT id FROM collections_case"),
    "decision_id": (Prefix.DECISION, "SELECT id FROM decisions_decision"),
    "strategy_id": (Prefix.STRATEGY, "SELECT id FROM decisions_strategy"),
    "replay_id": (Prefix.BACKTEST, "SELECT id FROM decisions_backtest"),
    "product_id": (Prefix.PRODUCT, "SELECT id FROM catalogue_product"),
    "plan_id": (Prefix.PLAN, "SELECT id FROM catalogue_plan"),
    "application_id": (Prefix.APPLICATION, "SELECT id FROM applications_application"),
    "subject": (Prefix.AGREEMENT, "SELECT id FROM agreements_agreement"),
}
Real = Mapping[str, str]


@pytest.fixture(scope="session")
async def real(filled: Filled) -> Real:
    """One real value for each name."""
    async with filled.owner.connect() as connection:
        await connection.exec_driver_sql(set_tenant(filled.ours.tenant_id))
        found: dict[str, str] = {}
        for name, (prefix, query) in SOURCES.items():
            if name == "replay_id":  # nobody has asked for one in the filled world
                replays = f"/v1/strategies/{found['strategy_id']}/replays"
                asked = await filled.world.api.post(
                    replays, json={"since_on": "2026-01-01"}, headers=filled.ours.headers("owner")
                )
                assert asked.status_code == 202, asked.text
            row = (await connection.exec_driver_sql(f"{query} LIMIT 1")).one()
            found[name] = public_id(prefix, row[0])
    cursor = encode_cursor(parse_id(Prefix.AGREEMENT, found["agreement_id"]))
    return {**found, "cursor": cursor, "account": "1122", "tenant": filled.ours.slug, "tenant_slug": filled.ours.slug}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
@pytest.mark.parametrize("operation_id", operation_ids())
async def test_an_operation_keeps_its_contract(operation_id: str, mode: GenerationMode, filled: Filled, real: Real) -> None:
    base_url = str(filled.world.api.base_url).rstrip("/")
    headers = filled.ours.headers("owner")
    await asyncio.to_thread(_fuzz, operation_id, mode, base_url, headers, real)


def _fuzz(operation_id: str, mode: GenerationMode, base_url: str, headers: dict[str, str], real: Real) -> None:
    operation = schemathesis.openapi.from_dict(openapi_document()).find_operation_by_id(operation_id)

    @given(case=operation.as_strategy(generation_mode=mode), meets_real=st.booleans())
    @hypothesis_settings(
        max_examples=EXAMPLES[mode],
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Case[Any], meets_real: bool) -> None:
        if meets_real:
            _put_in(case, real)
        # Waiting for decisions that nobody makes here would only take time.
        case.headers.pop("Prefer", None)
        case.call_and_validate(base_url=base_url, headers=headers, checks=CHECKS)

    try:
        ask()
    except Unsatisfiable:
        pytest.skip("nothing about this operation can be sent wrongly")


def _put_in(case: Case[Any], real: Real) -> None:
    """Real ids in the places of generated ones."""
    for place in (case.path_parameters, case.query, case.body):
        if isinstance(place, dict):
            place.update({name: real[name] for name in place.keys() & real.keys()})
