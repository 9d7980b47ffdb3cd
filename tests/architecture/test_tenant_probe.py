"""Every table and every route tried with another tenant's ids: nothing is seen, nothing is changed."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.world import Filled

from xinzu.app.demo.fill import operator_session
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import SystemClock
from xinzu.platform.actor import system_actor
from xinzu.platform.db import set_tenant, tenant_tables
from xinzu.platform.signed_http import signed_headers
from xinzu.records.evidence import api as evidence
from xinzu.records.evidence.jobs import sign_checkpoint

INSUFFICIENT_PRIVILEGE = "42501"  # also what row security raises for a row of another tenant
BY = system_actor("probe")
PLAN = {
    "period_count": 12,
    "rent_fen": 32_900,
    "deposit_fen": 200_000,
    "device_value_fen": 459_900,
    "residual_value_fen": 115_000,
    "early_return_fee_fen": 32_900,
    "restriction_clause_version": "2026-01",
}

# Rows that no rental makes when nothing goes wrong: written by the owner, so that the probe has something to be denied.
RARE_ROWS = {
    "credit_drift_base": (
        "INSERT INTO credit_drift_base (tenant_id, indicator, bins, value_count, begin_at, until_at, frozen_at)"
        " VALUES (:tenant, 'probe', '{\"edges\": null, \"shares\": {}}', 1, now() - interval '1 day', now(), now())"
    ),
    "credit_report": (
        "INSERT INTO credit_report (tenant_id, id, kind, party_id, report_no, institution_code, inquiry_purpose, consent_version,"
        " reported_at, imported_at, imported_by, is_synthetic, doubts, unknown_nodes, content_sealed, content_blind)"
        " SELECT tenant_id, gen_random_uuid(), 'personal_pboc', id, 'probe', 'probe', '02', 'probe', now(), now(), 'probe', true,"
        " '[]', '[]', 'probe', 'probe' FROM parties_person WHERE tenant_id = :tenant LIMIT 1"
    ),
    "credit_report_access": (
        "INSERT INTO credit_report_access (tenant_id, id, report_id, actor, purpose, accessed_at)"
        " SELECT tenant_id, gen_random_uuid(), id, 'probe', 'review', now() FROM credit_report WHERE tenant_id = :tenant LIMIT 1"
    ),
    "credit_source": (
        "INSERT INTO credit_source (tenant_id, capability, provider, style, is_enabled, rank, timeout_ms, cache_days, cost_fen, base_url,"
        " account_id, secret_sealed, options, configured_at) VALUES (:tenant, 'court_lists', 'probe', 'signed_json', false, 1, 1000, 0, 0,"
        " 'https://probe', 'probe', 'probe', '{}', now())"
    ),
    "credit_score_query": (
        "INSERT INTO credit_score_query (tenant_id, id, party_id, capability, state, asked_by, asked_at)"
        " SELECT tenant_id, gen_random_uuid(), id, 'court_lists', 'answered', 'probe', now() FROM parties_person"
        " WHERE tenant_id = :tenant LIMIT 1"
    ),
    "credit_score_result": (
        "INSERT INTO credit_score_result (tenant_id, id, query_id, party_id, capability, provider, outcome, reason, observed_at, known_at,"
        " latency_ms, is_cached, cost_fen) SELECT tenant_id, gen_random_uuid(), id, party_id, capability, 'probe', 'refused', 'probe',"
        " now(), now(), 1, false, 0 FROM credit_score_query WHERE tenant_id = :tenant LIMIT 1"
    ),
    "screening_address": (
        "INSERT INTO screening_address (tenant_id, application_id, address_key, changed_at)"
        " VALUES (:tenant, gen_random_uuid(), 'probe', now())"
    ),
    "screening_list_entry": (
        "INSERT INTO screening_list_entry (tenant_id, id, colour, kind, key, reason, source, added_by, added_at)"
        " VALUES (:tenant, gen_random_uuid(), 'grey', 'device', 'probe', 'broker', 'probe', 'probe', now())"
    ),
    "screening_watch_list": (
        "INSERT INTO screening_watch_list (tenant_id, name, kind, version, entry_count, content_sha256, imported_by, imported_at)"
        " VALUES (:tenant, 'probe', 'other', 1, 1, 'probe', 'probe', now()) ON CONFLICT DO NOTHING"
    ),
    "screening_watch_entry": (
        "INSERT INTO screening_watch_entry (tenant_id, id, list_name, reference, names)"
        " VALUES (:tenant, gen_random_uuid(), 'probe', 'probe', '{probe}') ON CONFLICT DO NOTHING"
    ),
    "screening_watch_key": (
        "INSERT INTO screening_watch_key (tenant_id, key, entry_id) SELECT tenant_id, 'probe', id FROM screening_watch_entry"
        " WHERE tenant_id = :tenant LIMIT 1 ON CONFLICT DO NOTHING"
    ),
    "screening_alert": (
        'INSERT INTO screening_alert (tenant_id, id, rule, party_id, raised_on, amount_fen, "references", state, keep_until_on, raised_at)'
        " SELECT tenant_id, gen_random_uuid(), 'S01', id, current_date, 1, '{probe}', 'open', current_date + interval '11 years', now()"
        " FROM parties_person WHERE tenant_id = :tenant LIMIT 1"
    ),
    "platform_delivery": (
        "INSERT INTO platform_delivery (tenant_id, subscriber, event_id, state, attempts, next_attempt_at, last_error)"
        " SELECT tenant_id, 'probe', id, 'pending', 1, occurred_at, 'probe' FROM platform_event WHERE tenant_id = :tenant LIMIT 1"
    ),
    "decisions_experiment": (
        "INSERT INTO decisions_experiment (tenant_id, key, accept_bp, accept_count_max, accept_max_fen, window_hours, count_min,"
        " approval_change_pct_max, refer_rise_pct_max, failure_rise_pct_max, changed_by, changed_at)"
        " VALUES (:tenant, 'probe', 0, 0, 0, 24, 100, 10, 10, 1, 'probe', now()) ON CONFLICT DO NOTHING"
    ),
    "decisions_model": (
        "INSERT INTO decisions_model (tenant_id, key, version, id, state, card, artefact, artefact_sha256, registered_by, registered_at)"
        " VALUES (:tenant, 'probe', 1, gen_random_uuid(), 'registered', '{}', 'probe', 'probe', 'probe', now())"
    ),
    "decisions_referral": (
        "INSERT INTO decisions_referral (tenant_id, decision_id, level, round, queued_at, escalated_count)"
        " SELECT tenant_id, id, 'reviewer', 1, now(), 0 FROM decisions_decision WHERE tenant_id = :tenant LIMIT 1 ON CONFLICT DO NOTHING"
    ),
    "decisions_appeal": (
        "INSERT INTO decisions_appeal (tenant_id, decision_id, grounds_sealed, asked_by, asked_at)"
        " SELECT tenant_id, id, NULL, 'probe', now() FROM decisions_decision WHERE tenant_id = :tenant LIMIT 1 ON CONFLICT DO NOTHING"
    ),
    "decisions_reviewer": (
        "INSERT INTO decisions_reviewer (tenant_id, login, level, is_available, held_max, changed_by, changed_at)"
        " VALUES (:tenant, 'probe', 'reviewer', true, 20, 'probe', now()) ON CONFLICT DO NOTHING"
    ),
    "decisions_review_policy": (
        "INSERT INTO decisions_review_policy (tenant_id, reviewer_minutes, senior_minutes, committee_minutes, claim_minutes, opens_minute,"
        " closes_minute, is_open_daily, changed_by, changed_at) VALUES (:tenant, 120, 240, 1080, 30, 540, 1080, false, 'probe', now())"
        " ON CONFLICT DO NOTHING"
    ),
    "decisions_credit_line": (
        "INSERT INTO decisions_credit_line (tenant_id, party_id, line_fen, is_frozen, contributions, computed_at, computed_by)"
        " SELECT tenant_id, id, 1, false, '[]', now(), 'probe' FROM parties_person WHERE tenant_id = :tenant LIMIT 1"
        " ON CONFLICT DO NOTHING"
    ),
    "decisions_backtest": (
        "INSERT INTO decisions_backtest (tenant_id, id, key, graph, graph_sha256, engine_version, since_on, until_on, limit_count, segments,"
        " maturity_days, state, decisions_total, decisions_done, asked_by, asked_at)"
        " VALUES (:tenant, gen_random_uuid(), 'probe', '{}', 'probe', 'probe', '2026-01-01', '2026-01-02', 1, '{}', 180, 'asked', 0, 0,"
        " 'probe', now())"
    ),
    "decisions_column": (
        "INSERT INTO decisions_column (tenant_id, key, begins_at, name, ends_before, decisions, ids_digest, cells)"
        " VALUES (:tenant, 'probe', now(), 'age_years', now(), 1, '', '')"
    ),
    "decisions_shadow": (
        "INSERT INTO decisions_shadow (tenant_id, decision_id, strategy_id, outcome, reason_codes, duration_us, computed_at)"
        " SELECT d.tenant_id, d.id, s.id, 'approve', '{}', 1, now() FROM decisions_decision d JOIN decisions_strategy s USING (tenant_id)"
        " WHERE d.tenant_id = :tenant LIMIT 1"
    ),
    "payments_refund": (
        "INSERT INTO payments_refund (tenant_id, id, payment_id, mandate_id, agreement_id, party_id, amount_fen, out_request_no,"
        " reason, state, created_at, changed_at, refunded_at) SELECT tenant_id, gen_random_uuid(), id, mandate_id, agreement_id,"
        " party_id, 1, 'probe', 'probe', 'succeeded', created_at, created_at, created_at"
        " FROM payments_payment WHERE tenant_id = :tenant AND mandate_id IS NOT NULL LIMIT 1"
    ),
    "billing_refund": (
        "INSERT INTO billing_refund (tenant_id, id, agreement_id, amount_fen, refunded_on, recorded_at)"
        " SELECT tenant_id, gen_random_uuid(), agreement_id, 1, commencement_on, opened_at"
        " FROM billing_account WHERE tenant_id = :tenant AND commencement_on IS NOT NULL LIMIT 1"
    ),
    "billing_disbursement": (
        "INSERT INTO billing_disbursement (tenant_id, id, agreement_id, number, reference, disbursed_on, made_by, recorded_at)"
        " SELECT tenant_id, gen_random_uuid(), agreement_id, 1, 'probe', commencement_on, 'probe', opened_at"
        " FROM billing_account WHERE tenant_id = :tenant AND commencement_on IS NOT NULL LIMIT 1"
    ),
    "billing_adjustment": (
        "INSERT INTO billing_adjustment (tenant_id, id, agreement_id, kind, item_id, amount_fen, reason, made_by, made_on, recorded_at)"
        " SELECT tenant_id, gen_random_uuid(), agreement_id, 'waiver', id, 1, 'probe', 'probe', due_on, now()"
        " FROM billing_instalment WHERE tenant_id = :tenant LIMIT 1"
    ),
    "billing_amendment": (
        "INSERT INTO billing_amendment (tenant_id, id, agreement_id, version, kind, effective_on, request, why, reason, made_by,"
        " recorded_at) SELECT tenant_id, gen_random_uuid(), agreement_id, 1, 'probe', current_date, '{}',"
        " jsonb_build_object('formula', 'probe', 'words_zh', 'probe', 'words_en', 'probe'), 'probe', 'probe', now()"
        " FROM billing_account WHERE tenant_id = :tenant LIMIT 1"
    ),
    "platform_approval": (
        "INSERT INTO platform_approval (tenant_id, id, command, request, subject_id, amount_fen, reason, evidence_ref, state,"
        " requested_by, requested_by_id, requested_at, expires_at)"
        " SELECT tenant_id, gen_random_uuid(), 'billing.write_off_accounts',"
        " jsonb_build_object('agreement_id', agreement_id, 'reason', 'probe'), agreement_id, 1, 'probe', '', 'waiting', 'probe',"
        " gen_random_uuid(), now(), now() + interval '1 day' FROM billing_account WHERE tenant_id = :tenant LIMIT 1"
    ),
    "billing_partner": (
        "INSERT INTO billing_partner (tenant_id, id, name, made_by, recorded_at)"
        " VALUES (:tenant, gen_random_uuid(), 'probe', 'probe', now()) ON CONFLICT DO NOTHING"
    ),
    "billing_share": (
        "INSERT INTO billing_share (tenant_id, id, agreement_id, partner_id, basis, share_bp, fixed_fen, floor_fen, from_on, agreed_ref,"
        " made_by, recorded_at) SELECT a.tenant_id, gen_random_uuid(), a.agreement_id, p.id, 'rent', 1, 0, 0, current_date, 'probe',"
        " 'probe', now() FROM billing_account a JOIN billing_partner p USING (tenant_id) WHERE a.tenant_id = :tenant LIMIT 1"
    ),
    "billing_share_due": (
        "INSERT INTO billing_share_due (tenant_id, id, agreement_id, partner_id, share_id, item_id, received_fen, amount_fen, due_on,"
        " recorded_at) SELECT tenant_id, gen_random_uuid(), agreement_id, partner_id, id, gen_random_uuid(), 1, 1, current_date, now()"
        " FROM billing_share WHERE tenant_id = :tenant LIMIT 1"
    ),
    "billing_payout": (
        "INSERT INTO billing_payout (tenant_id, id, partner_id, reference, amount_fen, paid_on, made_by, recorded_at)"
        " SELECT tenant_id, gen_random_uuid(), id, gen_random_uuid()::text, 1, current_date, 'probe', now()"
        " FROM billing_partner WHERE tenant_id = :tenant LIMIT 1"
    ),
}

GOLDEN_CASE = {"key": "probe", "name": "probe", "inputs": {}, "outcome": "refer", "reason_codes": ["AGE_UNKNOWN"]}
RISK_POLICY = {
    **{"attention_days": 5, "substandard_days": 60, "doubtful_days": 180, "loss_days": 270, "non_accrual_days": 60},
    "by_class": {"normal": 100, "attention": 200, "substandard": 2_500, "doubtful": 5_000, "loss": 10_000},
}


@pytest.fixture(scope="session")
async def probed(filled: Filled) -> Filled:
    """The filled world with at least one row of ours in every tenant table."""
    world, shop = filled.world, filled.ours
    owner, api = shop.headers("owner"), world.api
    cases = (await api.get("/v1/collections/cases?state=open", headers=owner)).json()["items"]
    async with _as_owner(filled) as connection:
        rented = (
            "SELECT d.id FROM devices_device d JOIN devices_binding b USING (tenant_id, asset_id) WHERE b.released_at IS NULL"
        )
        device = public_id(Prefix.DEVICE, (await connection.execute(text(rented))).scalars().all()[0])
    plan = (await api.post("/v1/plans", json={**PLAN, "product_id": shop.product_ids[0]}, headers=owner)).json()["id"]
    # Other tests use this world too: what they have done already is refused here with 409, and is there all the same.
    calls: Sequence[tuple[str, str, object]] = [
        ("PUT", "/v1/pricing-policy", {"annual_cost_max_pct": "23.5"}),
        ("PUT", "/v1/collections/policy", {"contacts_per_day_max": 1}),
        ("POST", f"/v1/collections/cases/{cases[0]['id']}/holds", {"reason": "hardship"}),
        ("POST", f"/v1/devices/{device}/holds", {"kind": "dispute", "is_placed": True}),
        ("POST", f"/v1/plans/{plan}/publication", None),
        ("POST", "/v1/quotes", {"plan_id": plan}),
        ("PUT", "/v1/billing/risk-policy", RISK_POLICY),
        ("PUT", "/v1/approval-limits", {"command": "billing.waive_items", "alone_max_fen": 40_000}),
        ("PUT", "/v1/golden-cases", GOLDEN_CASE),
        ("PUT", "/v1/assets/depreciation-policies", {"useful_life_months": 36, "residual_pct": 5}),
        ("POST", "/v1/assets/depreciation-runs", {"dry_run": False}),
        ("POST", "/v1/ledger/closures", {"through": "2026-01-11"}),
    ]
    for method, path, body in calls:
        response = await api.request(method, path, json=body, headers=owner)
        assert response.is_success or response.status_code == 409, response.text
    async with world.runtime.unit(shop.tenant_id, BY) as uow:
        subject = (await _uuids(filled, "agreements_agreement"))[0]
        facts = [evidence.Leaf(kind="probe.tile.filled", subject_id=subject, facts={"number": n}) for n in range(256)]
        evidence.append(uow, facts)
    await sign_checkpoint(world.runtime, shop.tenant_id, {})
    async with _as_owner(filled) as connection:
        for statement in RARE_ROWS.values():
            await connection.execute(text(statement), {"tenant": shop.tenant_id})
        await connection.commit()
    await world.settle()
    return filled


@asynccontextmanager
async def _as_owner(filled: Filled) -> AsyncIterator[AsyncConnection]:
    """The owner role inside our tenant (row security binds it too)."""
    async with filled.owner.connect() as connection:
        await connection.exec_driver_sql(set_tenant(filled.ours.tenant_id))
        yield connection


@asynccontextmanager
async def _as_other(filled: Filled) -> AsyncIterator[AsyncConnection]:
    """The application's role inside the other tenant."""
    async with filled.world.runtime.database.engine.connect() as connection:
        await connection.exec_driver_sql(set_tenant(filled.theirs.tenant_id))
        yield connection


async def _uuids(filled: Filled, table: str, column: str = "id") -> list[Any]:
    async with _as_owner(filled) as connection:
        return list((await connection.execute(text(f"SELECT {column} FROM {table} ORDER BY {column} LIMIT 3"))).scalars())


async def _ids(filled: Filled, table: str, prefix: Prefix, column: str = "id") -> list[str]:
    return [public_id(prefix, found) for found in await _uuids(filled, table, column)]


async def _fingerprints(filled: Filled) -> dict[str, tuple[int, str]]:
    """Rows and checksum of each of our tables."""
    found = {}
    async with _as_owner(filled) as connection:
        for table in tenant_tables():
            statement = (
                f"SELECT count(*), coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') FROM {table.name} AS t"
            )
            found[table.name] = tuple((await connection.execute(text(statement))).one())
    return found


async def _refused(connection: AsyncConnection, statement: str, **values: object) -> str:
    """The SQLSTATE a statement is refused with, or what it did."""
    try:
        async with connection.begin_nested():
            done = await connection.execute(text(statement), values)
    except DBAPIError as error:
        return str(getattr(error.orig, "sqlstate", "?"))
    return f"did {done.rowcount}"


async def test_every_table_denies_another_tenant(probed: Filled) -> None:
    before = await _fingerprints(probed)
    assert [name for name, (count, _) in before.items() if count == 0] == []
    wrong: list[str] = []
    for table in tenant_tables():
        async with _as_owner(probed) as connection:
            row = (await connection.execute(text(f"SELECT row_to_json(t)::text FROM {table.name} AS t LIMIT 1"))).scalar()
        async with _as_other(probed) as connection:
            wrong += [f"{table.name}: {finding}" for finding in await _probe_table(probed, connection, table.name, str(row))]
        async with probed.world.runtime.database.engine.connect() as connection:
            if (seen := (await connection.execute(text(f"SELECT count(*) FROM {table.name}"))).scalar()) != 0:
                wrong.append(f"{table.name}: {seen} rows seen without a tenant")
    assert wrong == []
    assert await _fingerprints(probed) == before


async def _probe_table(filled: Filled, connection: AsyncConnection, table: str, row: str) -> list[str]:
    """What the other tenant can do to a table of ours; empty when nothing."""
    ours = {"ours": filled.ours.tenant_id}
    seen = (await connection.execute(text(f"SELECT count(*) FROM {table} WHERE tenant_id = :ours"), ours)).scalar()
    own = (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar()
    copied = f"INSERT INTO {table} SELECT * FROM json_populate_record(null::{table}, cast(:row AS json))"
    findings = {
        "rows seen": (f"did {seen}", "did 0"),
        "update": (
            await _refused(connection, f"UPDATE {table} SET tenant_id = tenant_id WHERE tenant_id = :ours", **ours),
            "did 0",
        ),
        "delete": (await _refused(connection, f"DELETE FROM {table} WHERE tenant_id = :ours", **ours), "did 0"),
        "insert": (await _refused(connection, copied, row=row), INSUFFICIENT_PRIVILEGE),
        "truncate": (await _refused(connection, f"TRUNCATE {table} CASCADE"), INSUFFICIENT_PRIVILEGE),
        "open": (await _refused(connection, f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"), INSUFFICIENT_PRIVILEGE),
    }
    if own:
        given_away = await _refused(connection, f"UPDATE {table} SET tenant_id = :ours", **ours)
        findings["give away"] = (given_away, INSUFFICIENT_PRIVILEGE)
    return [f"{what}: {found}" for what, (found, right) in findings.items() if found != right]


# --- the routes ---

BODIES: Mapping[str, object] = {
    "change_party_phone": {"phone": "13900001111"},
    "pay_actively": {"amount_fen": 100},
    "order_level": {"level": "lock", "legal_basis": "probe"},
    "set_hold": {"kind": "dispute", "is_placed": True},
    "place_hold": {"reason": "dispute"},
    "appeal_decision": {},
    "review_decision": {"outcome": "approve", "reason_code": "REVIEW_CONFIRMED"},
    "edit_strategy": {"graph": {"nodes": [], "edges": []}, "revision": 1},
    "replay_strategy": {"since_on": "2026-01-01"},
    "reject_strategy": {"reason": "probe"},
    "publish_strategy": {"share_pct": 100},
    "roll_back_strategy": {"reason": "probe"},
    "set_strategy_shadow": {"is_shadowed": True},
    "accept_agreement": {"code": "000000", "document_sha256": "0" * 64, "restriction_clause_accepted": True},
    "commence_agreement": {"commencement_on": "2026-01-05", "reference": "probe", "disbursed_fen": 100},
    "record_receipt": {"reference": "probe", "amount_fen": 100, "received_on": "2026-01-05"},
    "record_disbursement": {"reference": "probe", "disbursed_on": "2026-03-02", "disbursed_fen": 100},
    "record_refund": {"reference": "probe", "amount_fen": 100},
    "reverse_receipt": {"reason": "probe"},
    "waive_amount": {"reason": "probe"},
    "write_off_account": {"reason": "probe"},
    "remove_list_entry": {"reason": "probe"},
    "assign_alert": {},
    "decide_alert": {"is_reported": False, "reason": "probe"},
    "approve_request": {"reason": "probe"},
    "refuse_request": {"reason": "probe"},
    "record_payout": {"reference": "probe", "amount_fen": 1},
    "set_shares": {"from_on": "2026-01-05", "agreed_ref": "probe"},
    "preview_amendment": {"kind": "payoff", "on": "2026-01-05", "reason": "probe"},
    "amend_agreement": {"kind": "payoff", "on": "2026-01-05", "reason": "probe"},
    "cancel_application": {"reason": "customer_request"},
    "reopen_ledger_period": {"reason": "probing"},
    "change_delivery_address": {"delivery_address": "广东省深圳市南山区科技园 1 号"},
    "receive_sms_report": {
        "event_id": "e-probe",
        "message_id": "m",
        "reference": "{MESSAGE}",
        "status": "undelivered",
        "occurred_at": "2026-03-01T00:00:00Z",
    },
    "dispose_asset": {"cause": "lost"},
    "courier_callback": {
        "event_id": "e-probe",
        "shipment_id": "{COURIER}",
        "reference": "{SHIPMENT}",
        "status": "signed_for",
        "occurred_at": "2026-03-01T00:00:00Z",
    },
}
FOREIGN = {401, 403, 404, 409, 422}


async def _values(filled: Filled) -> dict[str, list[str]]:
    """Our real values for every path parameter and for the placeholders in bodies."""
    async with _as_owner(filled) as connection:
        serial = (await connection.execute(text("SELECT serial FROM assets_asset ORDER BY id LIMIT 1"))).scalar()
        courier = (await connection.execute(text("SELECT courier_shipment_id FROM assets_shipment LIMIT 1"))).scalar()
    return {
        "party_id": await _ids(filled, "parties_person", Prefix.PARTY),
        "purpose": ["application", "decision"],
        "leaf_id": await _ids(filled, "evidence_leaf", Prefix.LEAF),
        "entry_id": await _ids(filled, "ledger_entry", Prefix.ENTRY),
        "closure_id": await _ids(filled, "ledger_closure", Prefix.CLOSURE),
        "agreement_id": await _ids(filled, "agreements_agreement", Prefix.AGREEMENT),
        "item_id": [
            *await _ids(filled, "billing_instalment", Prefix.INSTALMENT),
            *await _ids(filled, "billing_charge", Prefix.CHARGE),
        ],
        "receipt_id": await _ids(filled, "billing_receipt", Prefix.RECEIPT),
        "list_entry_id": await _ids(filled, "screening_list_entry", Prefix.LIST_ENTRY),
        "alert_id": await _ids(filled, "screening_alert", Prefix.ALERT),
        "approval_id": await _ids(filled, "platform_approval", Prefix.APPROVAL),
        "partner_id": await _ids(filled, "billing_partner", Prefix.PARTNER),
        "payment_id": await _ids(filled, "payments_payment", Prefix.PAYMENT),
        "asset_id": await _ids(filled, "assets_occupancy", Prefix.ASSET, "asset_id"),
        "inspection_id": await _ids(filled, "assets_inspection", Prefix.INSPECTION),
        "device_id": await _ids(filled, "devices_device", Prefix.DEVICE),
        "report_id": await _ids(filled, "credit_report", Prefix.CREDIT_REPORT),
        "case_id": await _ids(filled, "collections_case", Prefix.CASE),
        "hold_id": await _ids(filled, "collections_hold", Prefix.HOLD),
        "decision_id": await _ids(filled, "decisions_decision", Prefix.DECISION),
        "strategy_id": await _ids(filled, "decisions_strategy", Prefix.STRATEGY),
        "replay_id": await _ids(filled, "decisions_backtest", Prefix.BACKTEST),
        "model_id": await _ids(filled, "decisions_model", Prefix.MODEL),
        "product_id": list(filled.ours.product_ids),
        "plan_id": list(filled.ours.plan_ids),
        "application_id": await _ids(filled, "applications_application", Prefix.APPLICATION),
        "tenant": [filled.ours.slug, filled.theirs.slug],
        "tenant_slug": [filled.ours.slug, filled.theirs.slug],
        "SERIAL": [str(serial)],
        "COURIER": [str(courier)],
        "MESSAGE": await _ids(filled, "parties_message", Prefix.MESSAGE),
        "SHIPMENT": await _ids(filled, "assets_shipment", Prefix.SHIPMENT),
    }


def _filled_in(template: str, values: Mapping[str, list[str]]) -> list[str]:
    """The template once for each of our values: all parameters move along together."""
    names = re.findall(r"\{(\w+)\}", template)

    def at(turn: int) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: values[found[1]][turn % len(values[found[1]])], template)

    return list(dict.fromkeys(at(turn) for turn in range(max(len(values[name]) for name in names))))


def _is_empty_page(response: httpx.Response) -> bool:
    """An owner of nothing may be told so: some modules do not know whether an agreement exists, only that they have nothing of it."""
    return response.status_code == 200 and response.json() == {"items": [], "next_cursor": None}


async def test_every_route_denies_another_tenant(probed: Filled) -> None:
    filled, api = probed, probed.world.api
    document = (await api.get("/schema/openapi.json")).json()
    values = await _values(filled)
    assert all(values.values())
    bodies = {**BODIES, "ship": {"serial": values["SERIAL"][0]}, "hand_over": {"serial": values["SERIAL"][0]}}
    credentials = [filled.theirs.headers("owner"), await operator_session(filled.world, filled.theirs, "owner")]
    before = await _fingerprints(filled)
    wrong: list[str] = []
    tried = 0
    for template, item in document["paths"].items():
        if "{" not in template:
            continue
        for method, operation in item.items():
            name = operation["operationId"]
            assert ("requestBody" in operation) <= (name in bodies), f"the probe needs a body for {name}"
            text_body = json.dumps(bodies.get(name)) if name in bodies else ""
            content = re.sub(r"\{([A-Z]+)\}", lambda found: values[found[1]][0], text_body).encode()
            for path in _filled_in(template, values):
                for headers in credentials:
                    sent = {**headers, "content-type": "application/json"} if content else dict(headers)
                    response = await api.request(method.upper(), path, content=content, headers=sent)
                    tried += 1
                    refused = FOREIGN | ({400} if name == "take_alipay_notification" else set())
                    if response.status_code not in refused and not _is_empty_page(response):
                        wrong.append(f"{method} {path}: {response.status_code} {response.text[:200]}")
    assert wrong == []
    assert tried > 150
    await filled.world.settle()
    assert await _fingerprints(filled) == before


async def test_our_ids_in_queries_and_bodies_find_nothing(probed: Filled) -> None:
    filled, api, theirs = probed, probed.world.api, probed.theirs.headers("owner")
    values = await _values(filled)
    before = await _fingerprints(filled)
    agreement, party = values["agreement_id"][0], values["party_id"][0]
    for path in (
        f"/v1/messages?subject={agreement}",
        f"/v1/ledger/entries?subject={agreement}",
        f"/v1/ledger/entries/{values['entry_id'][0]}",
        f"/v1/evidence?subject={agreement}",
        f"/v1/agreements?party_id={party}",
        f"/v1/applications?party_id={party}",
        f"/v1/plans?product_id={values['product_id'][0]}",
        f"/v1/credit/reports?party_id={party}",
        f"/v1/credit/score-results?party_id={party}",
        f"/v1/assets?serial={values['SERIAL'][0]}",
        f"/v1/assets?product_id={values['product_id'][0]}",
    ):
        response = await api.get(path, headers=theirs)
        assert response.status_code in FOREIGN or _is_empty_page(response), f"{path}: {response.text[:200]}"
    for path, body in (
        ("/v1/quotes", {"plan_id": values["plan_id"][0]}),
        ("/v1/plans", {**PLAN, "product_id": values["product_id"][0]}),
        ("/v1/credit/score-queries", {"party_id": party, "capability": "court_lists"}),
        (
            "/v1/credit/consents",
            {"party_id": party, "purpose": "credit_inquiry", "text_version": "probe", "channel": "probe"},
        ),
        (
            "/v1/credit/reports",
            {"party_id": party, "purpose": "02", "consent_version": "probe", "institution_code": "probe", "document": {}},
        ),
        ("/v1/inspections", {"asset_id": values["asset_id"][0], "items": []}),
        (f"/v1/deliveries/{agreement}/handovers", {"serial": values["SERIAL"][0]}),
    ):
        response = await api.post(path, json=body, headers=theirs)
        assert response.status_code in FOREIGN, f"{path}: {response.status_code} {response.text[:200]}"
    person = await api.post("/v1/party-searches", json={"phone": filled.rentals[0].customer.phone}, headers=theirs)
    assert person.json()["items"] == []
    await filled.world.settle()
    assert await _fingerprints(filled) == before


async def test_a_rightly_signed_callback_reaches_only_the_tenant_it_names(probed: Filled) -> None:
    """The carrier's key is the installation's: it must not carry our message's report into another tenant, or the reverse."""
    filled, api = probed, probed.world.api
    values = await _values(filled)
    before = await _fingerprints(filled)
    for service, key, name in (
        ("sms", filled.settings.sms_key, "receive_sms_report"),
        ("courier", filled.settings.courier_key, "courier_callback"),
    ):
        assert key is not None
        key_id, _, secret = key.get_secret_value().partition(":")
        body = re.sub(r"\{([A-Z]+)\}", lambda found: values[found[1]][0], json.dumps(BODIES[name])).encode()
        path = f"/v1/callbacks/{service}/{filled.theirs.slug}"
        headers = signed_headers(key_id, secret, "POST", path, body, SystemClock().now())
        response = await api.post(path, content=body, headers={**headers, "content-type": "application/json"})
        assert response.status_code == 404, f"{path}: {response.text}"
    await filled.world.settle()
    assert await _fingerprints(filled) == before
