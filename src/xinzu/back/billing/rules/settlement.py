"""What a return does to an account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from xinzu.back.billing.model import ChargeKind, Instalment, InstalmentState, Leg, Settlement, SettlementCharge, Why
from xinzu.back.billing.rules.legs import recounted
from xinzu.kernel.terms import DailyRent
from xinzu.kernel.time import BusinessDate


@dataclass(frozen=True, slots=True)
class ByDay:
    """What rent by the day is counted anew from."""

    rent: DailyRent
    days_agreed: int
    commencement_on: BusinessDate


def determine(
    instalments: Sequence[Instalment],
    returned_on: BusinessDate,
    early_return_fee_fen: int,
    damage_fen: int,
    inspection_id: UUID,
    by_day: ByDay | None = None,
) -> Settlement:
    """Instalments whose period had not begun on the day of return fall away; those begun stay whole. Rent ``by_day`` is counted anew by the
    days the thing was kept (``legs.recounted``).

    A return before the end of the term that makes instalments fall away brings the agreed early return fee, at most the rent that falls
    away: a penalty may not exceed what the breach costs the lessor (Civil Code art. 585). Damage is what the inspection found beyond
    ordinary wear (Civil Code arts. 710, 714).
    """
    standing = [instalment for instalment in instalments if instalment.state is not InstalmentState.CANCELLED]
    come: tuple[Leg, ...] = ()
    if by_day is None:
        away = {instalment.number for instalment in standing if instalment.from_on > returned_on}
    else:
        numbers, come = recounted(standing, by_day.rent, by_day.days_agreed, by_day.commencement_on, returned_on)
        away = set(numbers)
    cancelled = [instalment for instalment in standing if instalment.number in away]
    forgone_fen = sum(instalment.amount_fen for instalment in cancelled) - sum(leg.amount_fen for leg in come) if cancelled else 0
    charges = []
    fee_fen = min(early_return_fee_fen, forgone_fen)
    if fee_fen > 0:
        charges.append(
            SettlementCharge(ChargeKind.EARLY_RETURN, fee_fen, _why_early(early_return_fee_fen, forgone_fen, returned_on))
        )
    if damage_fen > 0:
        charges.append(SettlementCharge(ChargeKind.DAMAGE, damage_fen, _why_damage(damage_fen, inspection_id)))
    return Settlement(tuple(instalment.number for instalment in cancelled), tuple(charges), come)


def _why_early(agreed_fen: int, forgone_fen: int, returned_on: BusinessDate) -> Why:
    return Why(
        formula="early_return_fee",
        words_zh="合同约定的提前退租违约金，以因提前退租免收的租金为限",
        words_en="The agreed early return fee, at most the rent that falls away by the early return",
        inputs={"agreed_fen": agreed_fen, "forgone_rent_fen": forgone_fen, "returned_on": returned_on.isoformat()},
    )


def _why_damage(damage_fen: int, inspection_id: UUID) -> Why:
    return Why(
        formula="inspected_damage",
        words_zh="验机认定的超出正常损耗的损坏",
        words_en="Damage beyond ordinary wear, as the inspection found it",
        inputs={"inspected_fen": damage_fen, "inspection_id": str(inspection_id)},
    )
