"""The tenant's policy."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from xinzu.back.collections import store
from xinzu.back.collections.errors import PolicyWeakerThanLaw
from xinzu.back.collections.model import LadderPolicy
from xinzu.back.collections.rules.policy import in_force, merge
from xinzu.back.collections.schemas import PolicyChange, PolicyView, policy_view
from xinzu.kernel.outcomes import Outcome
from xinzu.platform.uow import ReadSession, UnitOfWork


async def change_policy(uow: UnitOfWork, requests: Sequence[PolicyChange]) -> list[Outcome[PolicyView]]:
    """Replace the tenant's values; the last of a batch stands. Refuses with PolicyWeakerThanLaw naming each weaker value."""
    outcomes: list[Outcome[PolicyView]] = []
    for request in requests:
        values = {name: value for name, value in msgspec.structs.asdict(request).items() if value is not None}
        try:
            merged = merge(values)
        except PolicyWeakerThanLaw as problem:
            outcomes.append(problem)
            continue
        await store.save_overrides(uow, values)
        outcomes.append(policy_view(merged))
    return outcomes


async def policy_in_force(read: ReadSession) -> LadderPolicy:
    """The floor with the tenant's stricter values."""
    return in_force(await store.overrides(read))
