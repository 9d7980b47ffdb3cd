"""Computing credit lines: on request for one party, and every month for everybody who holds or held something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from xinzu.back.devices import api as devices
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.middle.credit import api as credit
from xinzu.middle.decisions.errors import CreditLineUnknown, CreditLineWithoutConsent
from xinzu.middle.decisions.events import CreditLineChanged
from xinzu.middle.decisions.model import CreditLine, PartyHistory
from xinzu.middle.decisions.rules.credit_line import Behaviour, available_fen, credit_line
from xinzu.middle.decisions.schemas.credit_line import CreditLineView, credit_line_view
from xinzu.middle.decisions.store import credit_line as store
from xinzu.middle.decisions.store import decisions as decisions_store
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties

WANTED = (
    "own_settled_cnt",
    "own_paid_amt_180d",
    "own_ontime_ratio",
    "own_overdue_terms_365d",
    "own_max_dpd",
    "own_pay_fail_ratio_90d",
    "own_write_off_cnt",
    "own_restriction_cnt_365d",
    "own_damage_amt_365d",
)


async def compute_credit_lines(uow: UnitOfWork, party_ids: Sequence[UUID]) -> list[Outcome[CreditLineView]]:
    """Compute the lines of parties anew from what is known now: raised or lowered for agreements to come, never below what runs, frozen while
    in arrears. No accounting effect; agreements that run are not touched.

    Refused with CreditLineUnknown for a party that is not on file and CreditLineWithoutConsent (PIPL arts. 13 and 24), whose line is taken
    away. A change is kept as evidence and emits CreditLineChanged.
    """
    wanted = list(dict.fromkeys(party_ids))
    known = await parties.masked_people(uow, wanted)
    without = await parties.parties_without_consent(
        uow, [each for each in wanted if each in known], parties.ConsentPurpose.DECISION
    )
    looked_at = sorted(each for each in wanted if each in known and each not in without)
    before = await store.lock_lines(uow, wanted)
    seen = await _behaviours(uow, looked_at)
    lines = {party_id: credit_line(seen[party_id], before.get(party_id)) for party_id in looked_at}
    if without & before.keys():
        await store.drop_lines(uow, sorted(without & before.keys()))
    if lines:
        await store.put_lines(uow, lines)
    _say_changes(uow, before, lines)
    outcomes: list[Outcome[CreditLineView]] = []
    for party_id in party_ids:
        if party_id in lines:
            line = lines[party_id]
            outcomes.append(
                credit_line_view(
                    party_id, line, available_fen(line, seen[party_id].exposure_fen), seen[party_id].exposure_fen, uow.now
                )
            )
        else:
            outcomes.append(CreditLineWithoutConsent() if party_id in without else CreditLineUnknown())
    return outcomes


async def credit_line_of(read: ReadSession, party_id: UUID) -> CreditLineView:
    """A party's line as it was computed last, with why, and what is left of it now; raises CreditLineUnknown."""
    found = await store.line_of(read, party_id)
    if found is None:
        raise CreditLineUnknown
    line, computed_at = found
    history = (await decisions_store.histories(read, [party_id])).get(party_id, PartyHistory())
    return credit_line_view(party_id, line, _available_now_fen(line, history), history.exposure_fen, computed_at)


def _available_now_fen(line: CreditLine, history: PartyHistory) -> int:
    """Arrears since the last computing count at once."""
    return 0 if history.overdue_orders else available_fen(line, history.exposure_fen)


def _say_changes(uow: UnitOfWork, before: Mapping[UUID, CreditLine], lines: Mapping[UUID, CreditLine]) -> None:
    for party_id, line in lines.items():
        earlier = before.get(party_id)
        if earlier is not None and (earlier.line_fen, earlier.is_frozen) == (line.line_fen, line.is_frozen):
            continue
        line_before_fen = None if earlier is None else earlier.line_fen
        uow.emit(
            CreditLineChanged(
                subject_id=party_id, line_before_fen=line_before_fen, line_fen=line.line_fen, is_frozen=line.is_frozen
            )
        )
        facts = {
            "party_id": public_id(Prefix.PARTY, party_id),
            "line_before_fen": line_before_fen,
            "line_fen": line.line_fen,
            "is_frozen": line.is_frozen,
            "contributions": {part.code: part.fen for part in line.contributions},
        }
        evidence.append(uow, [evidence.Leaf("decisions.credit_line.changed", party_id, facts)])


async def _behaviours(read: ReadSession, party_ids: Sequence[UUID]) -> dict[UUID, Behaviour]:
    histories = await decisions_store.histories(read, party_ids)
    counted = await credit.behaviour_of(read, party_ids, WANTED)
    agreements = await store.running_agreements(read, party_ids)
    silent_days: dict[UUID, int] = {}
    for agreement_id, seen_at in (await devices.last_seen(read, list(agreements))).items():
        party_id = agreements[agreement_id]
        silent_days[party_id] = max(silent_days.get(party_id, 0), (read.now - seen_at).days)
    return {
        party_id: _behaviour(histories.get(party_id, PartyHistory()), counted[party_id], silent_days.get(party_id))
        for party_id in party_ids
    }


def _behaviour(history: PartyHistory, counted: Mapping[str, credit.Value], silent_days: int | None) -> Behaviour:
    def whole(key: str) -> int:
        return int(counted[key] or 0)

    def basis_points(key: str) -> int | None:
        share = counted[key]
        return None if share is None else round(float(share) * 10_000)

    return Behaviour(
        exposure_fen=history.exposure_fen,
        is_in_arrears=history.overdue_orders > 0,
        settled_count=whole("own_settled_cnt"),
        paid_180d_fen=whole("own_paid_amt_180d"),
        on_time_bp=basis_points("own_ontime_ratio"),
        late_count_365d=whole("own_overdue_terms_365d"),
        days_past_due_max=whole("own_max_dpd"),
        failed_90d_bp=basis_points("own_pay_fail_ratio_90d"),
        write_off_count=whole("own_write_off_cnt"),
        restricted_count_365d=whole("own_restriction_cnt_365d"),
        damage_365d_fen=whole("own_damage_amt_365d"),
        silent_days=silent_days,
    )
