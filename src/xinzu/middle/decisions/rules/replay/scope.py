"""What an expression sees while it is evaluated, and why a part of it may have to be asked of the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from xinzu.middle.decisions.rules.replay.columns import ASK, FAIL, NULL, OBJ, Column, Mask, Strings, choose, member, tagged
from xinzu.middle.decisions.rules.replay.comparing import ASKED, NOTHING


class NeedsEngine(ValueError):
    """The graph uses something whose value the replay cannot know; every row of it is decided by the engine."""


class NoVectorForm(ValueError):
    """This part of an expression is asked of the engine; ``whole``: together with all that surrounds it."""

    def __init__(self, why: str, *, whole: bool = False) -> None:
        super().__init__(why)
        self.whole = whole


@dataclass(slots=True)
class Scope:
    """What an expression sees: the node's input, ``$``, the outputs of earlier nodes by name, and ``#`` inside a closure."""

    environment: Column
    count: int
    strings: Strings
    reference: Column | None = None
    nodes: Mapping[str, Column] = field(default_factory=dict)
    item: Column | None = None
    asked: dict[str, int] = field(default_factory=dict)  # part of an expression: distinct combinations asked


Run: TypeAlias = Callable[[Scope], Column]


def reference_of(scope: Scope) -> Column:
    found = scope.reference if scope.reference is not None else NOTHING
    if scope.environment.is_only(OBJ, NULL):
        return found
    return choose(np.asarray(scope.environment.has(OBJ) | scope.environment.has(NULL)), found, ASKED)


def of_environment(scope: Scope, name: str) -> Column:
    environment = scope.environment
    if environment.is_only(OBJ):
        return member(environment, name)
    return choose(np.asarray(environment.has(OBJ) | environment.has(NULL)), member(environment, name), ASKED)


def with_trouble(result: Column, parts: Sequence[Column], mask: Mask | None = None) -> Column:
    """A value made of parts fails where one fails and is asked where one is asked."""
    for tag in (FAIL, ASK):
        for part in parts:
            if part.may_be(tag):
                at = part.tags == tag
                result = tagged(result, at if mask is None else at & mask, tag)
    return result
