"""The rows of one evaluation and the groups they part into at switches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from xinzu.middle.decisions.rules.replay.columns import ASK, FAIL, NULL, Column, Mask, Strings, bit, tagged
from xinzu.middle.decisions.rules.replay.scope import Scope
from xinzu.middle.decisions.rules.replay.walk import Walk


@dataclass(slots=True)
class Batch:
    """What the rows of one evaluation share: their texts, which failed and why, which the engine must decide."""

    count: int
    strings: Strings
    errors: dict[int, str] = field(default_factory=dict)
    ask: Mask = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    asked: dict[str, int] = field(default_factory=dict)
    hits: dict[tuple[str, str], Mask] | None = None  # where each row of a table hit, by node and row; None: nobody wants to know

    def __post_init__(self) -> None:
        self.ask = np.zeros(self.count, dtype=np.bool_)


@dataclass(slots=True)
class Group:
    """Rows that have gone the same way so far: the columns are as long as the batch, ``dead`` marks the rows that are not of the group."""

    batch: Batch
    dead: Mask
    outputs: dict[int, Column]
    walk: Walk

    def fail(self, where: Mask, text: str) -> None:
        """End the evaluation of rows with an error."""
        for row in np.flatnonzero(np.broadcast_to(where, self.dead.shape) & ~self.dead).tolist():
            self.batch.errors[row] = text
        self.dead = self.dead | where

    def ask(self, where: Mask) -> None:
        """Leave rows to the engine."""
        self.batch.ask |= where & ~self.dead
        self.dead = self.dead | where

    def hit(self, rule: tuple[str, str], where: Mask) -> None:
        """Note where a row of a table hit."""
        hits = self.batch.hits
        if hits is not None:
            hits[rule] = hits[rule] | where if rule in hits else where

    def settle(self, value: Column, text: str, where: Mask | None = None) -> Column:
        """A value without failed or asked rows: those have left the evaluation."""
        if not value.may_be(FAIL, ASK):
            return value
        bad = np.zeros(1, dtype=np.bool_)
        for tag in (ASK, FAIL):
            if value.may_be(tag):
                at = value.tags == tag if where is None else (value.tags == tag) & where
                if at.any():
                    self.fail(at, text) if tag == FAIL else self.ask(at)
                bad = bad | (value.tags == tag)
        value = tagged(value, bad, NULL) if bad.any() else value
        return replace(value, kinds=value.kinds & ~bit(FAIL, ASK) | bit(NULL))


def scope_of(group: Group, environment: Column, nodes: Mapping[str, Column], reference: Column | None = None) -> Scope:
    return Scope(environment, group.batch.count, group.batch.strings, reference, nodes, None, group.batch.asked)
