"""Past decisions made up from a seed: decided by the engine itself, with what became of those who were accepted."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from xinzu.middle.decisions.model import Arm, DecisionOutcome, Indicators, Report, StrategyState
from xinzu.middle.decisions.rules.credit_indicators import CREDIT_KINDS, CREDIT_TEXTS
from xinzu.middle.decisions.rules.evaluation import ENGINE_VERSION, CompiledStrategy
from xinzu.middle.decisions.rules.indicators import DECLARED, with_snapshot
from xinzu.middle.decisions.rules.strategy import graph_digest
from xinzu.middle.decisions.store.strategies import insert_version
from xinzu.middle.decisions.strategies import PHONE_RENTAL, shipped_graph
from xinzu.platform.actor import system_actor
from xinzu.platform.runtime import Runtime

FAR = timedelta(days=400)  # of the oldest
_INSERT = """
INSERT INTO decisions_decision (tenant_id, id, application_id, party_id, strategy_key, strategy_version, engine_version, outcome, state,
    reason_codes, inputs, inputs_salt, outputs, trace, duration_us, decided_at, arm, accepted_fen)
SELECT :tenant, gen_random_uuid(), cast(md5('a' || n || '-' || copy) AS uuid), cast(md5('p' || n || '-' || copy) AS uuid), :key, 1, :engine,
    outcome, CASE outcome WHEN 'refer' THEN 'referred' ELSE 'decided' END, ARRAY(SELECT jsonb_array_elements_text(codes)), inputs, '', outputs,
    trace, 150, cast(:first AS timestamptz) + cast(:span AS interval) * ((copy - 1) * :size + n) / (:size * :copies), arm,
    CASE arm WHEN 'random_accept' THEN (inputs ->> 'device_value_fen')::bigint END
FROM unnest(cast(:outcomes AS text[]), cast(:codes AS jsonb[]), cast(:inputs AS jsonb[]), cast(:outputs AS jsonb[]), cast(:traces AS jsonb[]),
            cast(:arms AS text[])) WITH ORDINALITY AS d(outcome, codes, inputs, outputs, trace, arm, n), generate_series(1, :copies) AS copy
"""
_EXPOSE = """
INSERT INTO decisions_exposure (tenant_id, application_id, party_id, device_value_fen, opened_at, agreement_id, bad_on)
SELECT d.tenant_id, d.application_id, d.party_id, (d.inputs ->> 'device_value_fen')::bigint, d.decided_at,
    CASE WHEN fate <> 'never' THEN gen_random_uuid() END, CASE fate WHEN 'bad' THEN d.decided_at::date + 61 END
FROM unnest(cast(:fates AS text[])) WITH ORDINALITY AS f(fate, n) CROSS JOIN generate_series(1, :copies) AS copy
JOIN decisions_decision d ON d.tenant_id = :tenant AND d.application_id = cast(md5('a' || f.n || '-' || copy) AS uuid)
WHERE d.outcome = 'approve' OR d.arm = 'random_accept'
"""


@dataclass(frozen=True, slots=True)
class Past:
    """A decision as it was made, and what became of it: good, bad, or never commenced."""

    inputs: Indicators
    outcome: DecisionOutcome
    arm: Arm
    fate: str


def _applicants(count: int, seed: int) -> list[Indicators]:
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        value_fen = int(np.rint(draw.lognormal(12.9, 0.5) / 10_000)) * 10_000
        others_fen = int(draw.choice([0, 0, 0, 300_000, 900_000, 2_600_000]))
        orders = 0 if not others_fen else int(draw.integers(1, 4))
        score = None if draw.random() < 0.05 else int(np.clip(draw.normal(680, 60), 350, 950))
        inputs: Indicators = {
            "as_of": "2026-01-05",
            "channel": str(draw.choice(["alipay", "wechat", "direct"], p=[0.6, 0.3, 0.1])),
            "age_years": None if draw.random() < 0.01 else int(draw.integers(17, 70)),
            "device_value_fen": value_fen,
            "deposit_fen": value_fen // 5,
            "rent_fen": value_fen // 12,
            "rent_total_fen": value_fen,
            "period_count": int(draw.choice([6, 12, 24])),
            "family": str(draw.choice(["rental", "finance_lease", "loan"], p=[0.8, 0.1, 0.1])),
            "principal_fen": 0,
            "applications_before": int(draw.poisson(0.8)),
            "applications_24h": int(draw.poisson(0.3)),
            "declines_90d": int(draw.poisson(0.2)),
            "active_orders": orders,
            "overdue_orders": 0,
            "exposure_fen": others_fen,
            "exposure_after_fen": others_fen + value_fen,
            "credit_score": score,
            "rent_risk_rank": [None, "low", "medium", "high"][int(draw.choice(4, p=[0.2, 0.6, 0.15, 0.05]))],
            "channel_admitted": None if draw.random() < 0.05 else bool(draw.random() < 0.97),
            **{
                name: None if draw.random() < 0.1 else bool(draw.random() < 0.01)
                for name in ("list_match", "identity_mismatch", "agent_suspected", "shared_address", "shared_device")
            },
        }
        credit: dict[str, Any] = {}
        for name, kind in CREDIT_KINDS.items():
            if draw.random() < 0.5:
                continue
            if kind is bool:
                credit[name] = bool(draw.random() < 0.05)
            elif kind is str:
                credit[name] = str(draw.choice(CREDIT_TEXTS[name]))
            else:
                credit[name] = int(draw.poisson(3)) if kind is int else round(float(draw.beta(2, 5)), 4)
        found.append({**dict.fromkeys(DECLARED), **with_snapshot(inputs, credit, "5f" * 32)})
    return found


def with_score_floor(score: int) -> dict[str, Any]:
    """The shipped strategy with a table after its score band: below the floor nobody is approved any more."""
    graph = deepcopy(shipped_graph(PHONE_RENTAL))
    band = next(node for node in graph["nodes"] if node["id"] == "score_band")["content"]
    floor = dict.fromkeys((column["id"] for column in band["inputs"]), "")
    floor |= {"_id": "S00", "_description": "评分下限", "score": f"< {score}", "outcome": "'decline'", "code": "'SCORE_TOO_LOW'"}
    band["rules"].insert(0, floor)
    return graph


async def fill(
    runtime: Runtime, tenant_id: int, count: int, *, copies: int = 1, seed: int = 20260105, accepts: bool = True
) -> list[Past]:
    """``count`` different decisions, each ``copies`` times, over the year before now. Version 1 decided them: a floor of 650 on the score."""
    graph = with_score_floor(650)
    engine, draw = CompiledStrategy(graph), np.random.default_rng(seed + 1)
    past, rows = [], []
    for inputs in _applicants(count, seed):
        verdict = engine.evaluate(inputs)
        arm = Arm.CHAMPION
        if accepts and verdict.outcome is DecisionOutcome.DECLINE and verdict.reason_codes == ["SCORE_TOO_LOW"]:
            arm = Arm.RANDOM_ACCEPT if draw.random() < 0.3 else arm
        score = inputs["credit_score"]
        odds = 0.3 if not isinstance(score, int) else float(np.clip((760 - score) / 500, 0.01, 0.6))
        fate = "never" if draw.random() < 0.1 else "bad" if draw.random() < odds else "good"
        past.append(Past(inputs, verdict.outcome, arm, fate))
        rows.append(verdict)
    async with runtime.unit(tenant_id, system_actor("history")) as uow:
        await insert_version(
            uow, PHONE_RENTAL, graph, graph_digest(graph), ENGINE_VERSION, "", Report([], [], 0), StrategyState.RETIRED, "history"
        )
        first: datetime = uow.now - FAR
        await uow.execute(
            _INSERT,
            key=PHONE_RENTAL,
            engine=ENGINE_VERSION,
            first=first,
            span=FAR - timedelta(days=1),
            size=count,
            copies=copies,
            outcomes=[verdict.outcome for verdict in rows],
            codes=[_json(verdict.reason_codes) for verdict in rows],
            inputs=[_json(each.inputs) for each in past],
            outputs=[_json(verdict.outputs) for verdict in rows],
            traces=[None if verdict.trace is None else _json(verdict.trace) for verdict in rows],
            arms=[each.arm for each in past],
        )
        await uow.execute(_EXPOSE, fates=[each.fate for each in past], copies=copies)
    return past


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
