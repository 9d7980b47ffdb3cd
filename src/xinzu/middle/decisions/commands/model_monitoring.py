"""How a model does in use: drift against the distributions frozen at training, and what its decisions came to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from xinzu.kernel.errors import Invalid
from xinzu.kernel.time import BusinessDate
from xinzu.middle.credit import api as credit
from xinzu.middle.decisions.cards import Parts, RegisteredModel
from xinzu.middle.decisions.errors import ModelUnknown
from xinzu.middle.decisions.rules.models.monitoring import Performance, performance
from xinzu.middle.decisions.rules.models.reading import input_name
from xinzu.middle.decisions.store import models as store
from xinzu.platform.uow import ReadSession

DAYS_MAX = 1_100


@dataclass(frozen=True, slots=True)
class Watched:
    """The score, or one feature. ``psi`` is None with too few values; ``missing_then`` is the share that was missing at training."""

    name: str
    count: int
    psi: float | None
    missing: float | None
    missing_then: float


@dataclass(frozen=True, slots=True)
class ModelWatch:
    """A model over the decisions of some business dates, both included. ``is_capped``: only the newest of them were looked at."""

    model: RegisteredModel
    from_on: BusinessDate
    to_on: BusinessDate
    maturity_days: int
    is_capped: bool
    score: Watched
    features: list[Watched]
    performance: Performance


async def watch_model(
    read: ReadSession, model_id: UUID, from_on: BusinessDate | None, to_on: BusinessDate | None, maturity_days: int
) -> ModelWatch:
    """A model over the decisions of these dates, by default of the last ``DAYS_MAX`` days; 50,000 take some three seconds.

    Raises ModelUnknown or Invalid.
    """
    known = await store.model(read, model_id)
    if known is None:
        raise ModelUnknown()
    to_on = to_on or read.business_date
    from_on = from_on or to_on - timedelta(days=DAYS_MAX - 1)
    if not 0 <= (to_on - from_on).days < DAYS_MAX:
        raise Invalid.field(
            "/from", "decisions.wrong_stretch", f"日期范围为 1 至 {DAYS_MAX} 天", f"From and to span 1 to {DAYS_MAX} days"
        )
    card, since, until = known.card, read.calendar.opening(from_on), read.calendar.opening(to_on + timedelta(days=1))
    score = input_name(card.key, known.version, "score")
    names = [feature.name for feature in card.features]
    seen = await store.values_seen(read, card.key, known.version, [score, *names], since, until)
    rows = await store.observed(read, card.key, known.version, since, until, maturity_days)
    return ModelWatch(
        model=known,
        from_on=from_on,
        to_on=to_on,
        maturity_days=maturity_days,
        is_capped=len(rows) == store.OBSERVED_MAX,
        score=_watched("score", card.baseline.score, seen[score]),
        features=[_watched(name, card.baseline.features[name], seen[name]) for name in names],
        performance=await asyncio.to_thread(performance, rows),
    )


def _watched(name: str, parts: Parts, counted: dict[credit.Value, int]) -> Watched:
    count = sum(counted.values())
    return Watched(
        name,
        count,
        credit.stability_index(credit.Base(parts.edges, parts.shares), counted),
        round(counted.get(None, 0) / count, 6) if count else None,
        parts.shares.get(credit.MISSING, 0.0),
    )
