"""Transition tables: one per noun, in its module's ``model.py``. A move that is not in the table is a Conflict."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from xinzu.kernel.errors import Conflict

S = TypeVar("S", bound=StrEnum)


class IllegalMove(Conflict):
    code = "state.illegal_move"
    title_zh = "当前状态不允许此操作"
    title_en = "The current state does not allow this"


class Transitions(Generic[S]):
    """Which state may follow which. Every state must be a key; a final state maps to an empty set."""

    def __init__(self, noun: str, table: Mapping[S, frozenset[S] | set[S]]) -> None:
        self.noun = noun
        self.table: dict[S, frozenset[S]] = {state: frozenset(to) for state, to in table.items()}
        missing = {to for targets in self.table.values() for to in targets} - self.table.keys()
        if missing:
            raise ValueError(f"{noun}: states without a row: {sorted(missing)}")

    def allows(self, current: S, target: S) -> bool:
        return target in self.table[current]

    def move(self, current: S, target: S) -> S:
        """The target, when the table allows the move; raises IllegalMove otherwise."""
        if not self.allows(current, target):
            raise IllegalMove(
                f"{self.noun}处于 {current}，不能变为 {target}",
                f"{self.noun} is {current} and cannot become {target}",
                current=str(current),
                target=str(target),
            )
        return target

    def sources(self, target: S) -> list[S]:
        """The states from which the target may be reached: for set-based updates."""
        return sorted(state for state, targets in self.table.items() if target in targets)
