"""Results of a batch: one per item, in order. An item is refused without disturbing its neighbours."""

from __future__ import annotations

from typing import TypeAlias, TypeVar

from xinzu.kernel.errors import Problem

T = TypeVar("T")
Outcome: TypeAlias = T | Problem


def accepted(outcome: Outcome[T]) -> T:
    """The value of an outcome; raises its Problem when it was refused. For callers with a batch of one."""
    if isinstance(outcome, Problem):
        raise outcome
    return outcome
