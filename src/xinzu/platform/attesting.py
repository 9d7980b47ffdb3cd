"""Facts that must be provable later, stated by code that the evidence log stands above or beside.

The log (``records.evidence``) says at its import that it keeps them. So the platform and modules that do not know the log can have a leaf
written in the transaction of the change (ADR 0003).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from xinzu.kernel.errors import invariant
from xinzu.platform.uow import UnitOfWork

Keeper = Callable[[UnitOfWork, str, UUID, Mapping[str, Any]], None]
_keepers: list[Keeper] = []


def kept_by(keeper: Keeper) -> None:
    """Name the log that keeps what is attested; a process has one, and naming it again changes nothing."""
    _keepers[:] = [keeper]


def attest(uow: UnitOfWork, kind: str, subject_id: UUID, facts: Mapping[str, Any]) -> None:
    """Have a fact about a subject kept as evidence with this transaction. ``kind`` reads ``module.noun.past_verb``; facts hold what a leaf
    may hold: no floats, no personal data. Without a log that keeps it, it is a programmer's error: proof must not be lost in silence.
    """
    invariant(_keepers, "no evidence log keeps what is attested: load the modules first")
    _keepers[0](uow, kind, subject_id, facts)
