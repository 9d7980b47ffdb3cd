"""A version is replayed on what was decided: the swap set is the engine's own, and what nobody knows is said to be unknown."""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractAsyncContextManager
from datetime import date
from uuid import UUID

import httpx
import pytest
from tests.conftest import key_headers
from tests.integration.decisions.backtest_history import Past, fill, with_score_floor
from tests.integration.decisions.strategists import save

from xinzu.kernel.errors import Invalid
from xinzu.kernel.ids import Prefix, parse_id
from xinzu.middle.decisions import api as decisions
from xinzu.middle.decisions.model import Arm, DecisionOutcome
from xinzu.middle.decisions.rules.evaluation import CompiledStrategy
from xinzu.middle.decisions.store import backtest as store
from xinzu.platform.actor import system_actor
from xinzu.platform.jobs import drain_jobs
from xinzu.platform.runtime import Runtime
from xinzu.platform.uow import ReadSession

COUNT = 2_000
FIRST = date(2024, 1, 1)
ASK = {"since_on": "2024-01-01", "segments": ["channel", "age_band"]}


async def replayed(runtime: Runtime, tenant_id: int, graph: dict[str, object], **how: object) -> decisions.BacktestReport:
    def reading() -> AbstractAsyncContextManager[ReadSession]:
        return runtime.reading(tenant_id)

    async with reading() as read:
        request = decisions.AskBacktest(UUID(int=0), FIRST, **how)  # type: ignore[arg-type]
        asked = decisions.asked_for(read, request, decisions.PHONE_RENTAL, None, graph, by="test")
    return await decisions.replay_history(reading, asked)


def engines_swaps(past: list[Past], graph: dict[str, object]) -> Counter[tuple[str, str, str]]:
    """Row by row with the engine: (before, after, what became of it); of the declined nothing is known unless they were accepted at random."""
    engine = CompiledStrategy(graph)
    found: Counter[tuple[str, str, str]] = Counter()
    for each in past:
        is_known = each.fate != "never" and (each.outcome is DecisionOutcome.APPROVE or each.arm is Arm.RANDOM_ACCEPT)
        found[each.outcome, engine.decide(each.inputs).outcome, each.fate if is_known else "unknown"] += 1
    return found


async def test_a_higher_score_floor_shows_whom_it_would_turn_away(runtime: Runtime, tenant_id: int) -> None:
    """650 becomes 680: every swap is the engine's, row by row; the parts add up to the whole."""
    past = await fill(runtime, tenant_id, COUNT)
    report = await replayed(runtime, tenant_id, with_score_floor(680), segments=("channel", "score_band"), maturity_days=30)
    swaps = Counter[tuple[str, str, str]]()
    for swap in report.swaps:
        for known in ("good", "bad", "unknown"):
            swaps[swap.before, swap.after, known] += getattr(swap, known)
    wanted = engines_swaps(past, with_score_floor(680))
    # The newest month is not mature: it is unknown, and everything else is as the engine says.
    assert {pair: sum(n for key, n in swaps.items() if key[:2] == pair) for pair in {key[:2] for key in +swaps}} == {
        pair: sum(n for key, n in wanted.items() if key[:2] == pair) for pair in {key[:2] for key in wanted}
    }
    assert all(swaps[key] <= wanted[key] for key in swaps if key[2] != "unknown")
    assert (
        sum(n for key, n in swaps.items() if key[2] != "unknown") / sum(n for key, n in wanted.items() if key[2] != "unknown")
        > 0.85
    )
    turned_away = next(swap for swap in report.swaps if (swap.before, swap.after) == ("approve", "decline"))
    assert turned_away.count > 100
    assert turned_away.bad > 0
    assert (report.decisions, report.failed, report.record_differs) == (COUNT, 0, 0)
    assert report.changed == sum(swap.count for swap in report.swaps if swap.before != swap.after)
    assert report.money.approved_before_fen - report.money.approved_after_fen == turned_away.exposed_fen
    assert report.money.avoided_bad_fen == turned_away.bad_fen
    assert report.money.avoided_unknown_share > 0
    assert report.cross_check.disagreements == 0
    assert report.cross_check.sampled > 300
    for name in ("channel", "score_band"):
        parts = [each for each in report.segments if each.segment == name]
        assert sum(each.before.approved for each in parts) == report.before.approved
        assert sum(each.after.approved_fen for each in parts) == report.after.approved_fen
    floor = next(row for row in report.rows if (row.node, row.row) == ("score_band", "S00"))
    engine = CompiledStrategy(with_score_floor(680))
    low = sum("SCORE_TOO_LOW" in engine.decide(each.inputs).reason_codes for each in past)
    assert next(each.after for each in report.reasons if each.code == "SCORE_TOO_LOW") == low
    assert floor.after is not None
    assert floor.before is not None
    assert floor.after > floor.before > 0


async def test_of_the_declined_only_those_accepted_at_random_tell_anything(runtime: Runtime, tenant_id: int) -> None:
    """A lower floor approves people who were declined: their bad rate is inferred from the random arm, or said to be unknown."""
    await fill(runtime, tenant_id, 1_500)
    known = (await replayed(runtime, tenant_id, with_score_floor(600))).inferred
    assert known is not None
    assert known.observed is not None
    assert known.random_arm.count > 20
    assert known.declined_before > 0
    assert known.observed < known.by_random_arm < known.pessimistic  # whom the champion declined pays worse


async def test_without_a_random_arm_the_bad_rate_of_the_declined_is_unknown(runtime: Runtime, tenant_id: int) -> None:
    await fill(runtime, tenant_id, 400, accepts=False)
    report = await replayed(runtime, tenant_id, with_score_floor(600))
    assert report.inferred is None
    assert report.money.added_unknown_share == 1.0
    assert (report.money.added_bad_fen, report.money.added_good_fen) == (0, 0)


async def test_an_indicator_old_snapshots_do_not_hold_is_a_referral_and_not_a_guess(runtime: Runtime, tenant_id: int) -> None:
    """The engine alone would take it for missing and say nothing. Of a value of a strange kind the same is said as by the engine."""
    await fill(runtime, tenant_id, 300)
    async with runtime.unit(tenant_id, system_actor("test")) as uow:
        await uow.execute(
            "UPDATE decisions_decision SET inputs = inputs - 'credit_score' WHERE tenant_id = :tenant AND (inputs ->> 'age_years')::int < 30"
        )
        without = await uow.scalar(
            "SELECT count(*) FROM decisions_decision WHERE tenant_id = :tenant AND NOT inputs ? 'credit_score'"
        )
        await uow.execute(
            'UPDATE decisions_decision SET inputs = inputs || \'{"device_value_fen": "dear", "list_match": 1}\''
            " WHERE tenant_id = :tenant AND (inputs ->> 'age_years')::int > 60"
        )
    report = await replayed(runtime, tenant_id, with_score_floor(680))
    unknown = next(each.after for each in report.reasons if each.code == "INDICATOR_UNKNOWN")
    assert unknown == without > 20
    assert report.cross_check.disagreements == 0
    assert report.cross_check.sampled + report.cross_check.guards >= 300


async def test_columns_laid_down_say_what_the_snapshots_say(
    runtime: Runtime, tenant_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same figures from the snapshots, from columns, and from both; columns whose decisions are others by now are not believed."""
    await fill(runtime, tenant_id, 1_000)
    async with runtime.unit(tenant_id, system_actor("test")) as uow:
        await uow.execute(
            "UPDATE decisions_decision SET inputs = inputs - 'credit_score' WHERE tenant_id = :tenant AND (inputs ->> 'age_years')::int < 20"
        )
    graph, how = with_score_floor(680), {"segments": ("channel", "score_band", "periods")}
    wanted = await replayed(runtime, tenant_id, graph, **how)
    monkeypatch.setattr(store, "SLICE_ROWS", 300)
    laid = await decisions.lay_down_history(lambda: runtime.unit(tenant_id, system_actor("test")), decisions.PHONE_RENTAL)
    assert laid == 900
    assert await replayed(runtime, tenant_id, graph, **how) == wanted
    part = await replayed(runtime, tenant_id, graph, limit=500, **how)
    assert part.decisions == 500
    async with runtime.unit(tenant_id, system_actor("test")) as uow:
        await uow.execute("UPDATE decisions_column SET ids_digest = 'x', cells = 'j' WHERE tenant_id = :tenant")
    assert await replayed(runtime, tenant_id, graph, **how) == wanted


async def test_at_most_so_many_of_the_newest_decisions_are_replayed(runtime: Runtime, tenant_id: int) -> None:
    await fill(runtime, tenant_id, 300)
    assert (await replayed(runtime, tenant_id, with_score_floor(680), limit=100)).decisions == 100
    nobody = await replayed(runtime, tenant_id, with_score_floor(680), until_on=FIRST)
    assert (nobody.decisions, nobody.before.bad, nobody.inferred, nobody.cross_check.sampled) == (0, None, None, 0)


@pytest.mark.parametrize("segment", ["ethnicity", "sex", "shoe_size"])
async def test_protected_attributes_are_no_segments(runtime: Runtime, tenant_id: int, segment: str) -> None:
    with pytest.raises(Invalid) as refused:
        await replayed(runtime, tenant_id, with_score_floor(680), segments=(segment,))
    assert refused.value.errors[0].pointer == "/segments"


async def test_a_draft_is_replayed_by_a_job_and_its_figures_are_kept(
    runtime: Runtime, tenant_id: int, api: httpx.AsyncClient
) -> None:
    """Asked over HTTP, done by the worker, read again: with the digest of the graph, the engine's version, the period and the counts."""
    await fill(runtime, tenant_id, 500)
    draft = await save(runtime, tenant_id, with_score_floor(680))
    headers = await key_headers(runtime, tenant_id, "risk")
    asked = await api.post(f"/v1/strategies/{draft.id}/replays", json=ASK, headers=headers)
    assert asked.status_code == 202, asked.text
    place = asked.headers["Location"]
    assert (await api.get(place, headers=headers)).json()["state"] == "asked"
    await drain_jobs(runtime)
    found = (await api.get(place, headers=headers)).json()
    assert (found["state"], found["version"], found["decisions_done"], found["decisions_total"]) == (
        "done",
        draft.version,
        500,
        500,
    )
    assert found["engine_version"].startswith("zen-engine")
    assert len(found["graph_sha256"]) == 64
    assert found["report"]["after"]["approved"] < found["report"]["before"]["approved"]
    assert found["report"]["cross_check"]["disagreements"] == 0
    assert {each["segment"] for each in found["report"]["segments"]} == {"channel", "age_band"}
    listed = (await api.get(f"/v1/strategies/{draft.id}/replays", headers=headers)).json()
    assert [each["id"] for each in listed["items"]] == [found["id"]]
    async with runtime.reading(tenant_id) as read:
        kept = await decisions.backtest(read, parse_id(Prefix.BACKTEST, found["id"]))
    assert kept.report is not None
    assert kept.report.decisions == 500
    wrong = await api.post(f"/v1/strategies/{draft.id}/replays", json={**ASK, "segments": ["religion"]}, headers=headers)
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "decisions.protected_segment")
