"""Merging objects as the engine does, which knows not only values but which objects are one and the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from xinzu.middle.decisions.rules.replay.columns import (
    ABSENT,
    ARR,
    ASK,
    NO_VALUE,
    NOWHERE,
    NULL,
    NUM,
    OBJ,
    Column,
    Data,
    Mask,
    as_objects,
    bit,
    choose,
    new_identity,
    tagged,
    with_scale,
)


@dataclass(slots=True)
class InPlace:
    """A merge that changes objects: those that stand elsewhere too, and the rows where one of them would be changed."""

    shared: Data
    asked: Mask = field(default_factory=lambda: NOWHERE)


def merged(document: Column, patch: Column, *, in_place: InPlace | None = None) -> Column:
    """A JSON merge patch as the engine does it: objects merge, null takes a member away, at the top only objects and arrays count.

    An object merged with itself stays as it is, nulls included; so does one the patch would not change, and it remains the same object.
    Merged in place, every object remains the same, and would change in all its places: ``in_place`` is told the rows where it has others.
    """
    return _merge(document, patch, in_place, top=True)[0]


def _merge(document: Column, patch: Column, in_place: InPlace | None, *, top: bool) -> tuple[Column, Mask]:
    """The merged values, and where they are others than before."""
    if top and not patch.may_be(OBJ, ARR):
        return document, NOWHERE
    if patch.is_only(OBJ) and document.is_only(OBJ):
        return _merge_objects(document, patch, in_place, top=top)
    both = document.has(OBJ) & patch.has(OBJ)
    replaced = ~both & (patch.has(OBJ) | patch.has(ARR)) if top else ~both
    result = choose(np.broadcast_to(replaced, np.broadcast_shapes(replaced.shape, both.shape)), patch, document)
    changed = replaced & ~_same(document, patch)
    if both.any():
        inner, inner_changed = _merge_objects(as_objects(document), as_objects(patch), in_place, top=top)
        result, changed = choose(both, inner, result), changed | (both & inner_changed)
    return result, changed


def _merge_objects(document: Column, patch: Column, in_place: InPlace | None, *, top: bool) -> tuple[Column, Mask]:
    one: Mask = document.identity == patch.identity
    if one.all():
        return document, NOWHERE
    members, changed = dict(document.members), NOWHERE
    for name, value in patch.members.items():
        members[name], member_changed = _merge_member(members.get(name, NO_VALUE), value, in_place, top=top)
        changed = changed | member_changed
    changed = changed & ~one
    identity = document.identity if in_place is not None else np.where(changed, new_identity(), document.identity)
    made = Column(document.tags, document.data, bit(OBJ), members=members, identity=identity)
    if in_place is not None and len(in_place.shared):
        in_place.asked = in_place.asked | (changed & np.isin(identity, in_place.shared))
    return choose(one, document, made), changed


def _merge_member(old: Column, new: Column, in_place: InPlace | None, *, top: bool) -> tuple[Column, Mask]:
    if old is NO_VALUE:
        return (new, ~NOWHERE) if not new.may_be(NULL, ABSENT) else _merge_new(new)
    if new is old:
        if not new.may_be(NULL):
            return old, NOWHERE
    elif not new.may_be(NULL, ABSENT, OBJ):
        return new, ~_same(old, new)
    result, changed = _merge(old, new, in_place, top=False)
    if new.may_be(NULL):
        gone = new.has(NULL)
        result, changed = tagged(result, gone, ABSENT), np.where(gone, ~old.has(ABSENT), changed)
        if not top and old.may_be(NULL):  # were they one object after all, the null would have stayed
            result = tagged(result, gone & old.has(NULL), ASK)
    if new.may_be(ABSENT):
        kept = new.has(ABSENT)
        result, changed = choose(kept, old, result), changed & ~kept
    if old.may_be(ASK):
        result = tagged(result, old.has(ASK) & ~new.has(ABSENT), ASK)
    return result, changed


def _merge_new(new: Column) -> tuple[Column, Mask]:
    gone = new.has(NULL) | new.has(ABSENT)
    if new.present is None:
        new.present = tagged(new, new.has(NULL), ABSENT)
    return new.present, ~gone


def _same(a: Column, b: Column) -> Mask:
    """Where two values are surely the same; of arrays only one and the same column."""
    if a is b:
        return ~NOWHERE
    scale = max(a.scale if a.may_be(NUM) else 0, b.scale if b.may_be(NUM) else 0)
    (first, first_lost), (second, second_lost) = with_scale(a, scale), with_scale(b, scale)
    same = (a.tags == b.tags) & (first == second)
    for lost in (first_lost, second_lost):
        if lost is not None:
            same = same & ~lost
    if (a.kinds & b.kinds) & bit(OBJ, ARR):
        same = same & ~(a.has(OBJ) | a.has(ARR))
    return np.asarray(same | (a.has(NULL) & b.has(NULL)) | (a.has(ABSENT) & b.has(ABSENT)))


def shared_identities(columns: Sequence[Column]) -> Data:
    """The objects that stand in more than one place of some results, which are about to be merged in place.

    The same path of several results counts as one place, unless an array among them makes the merge begin anew.
    """
    if len(columns) < 2:
        return np.zeros(0, dtype=np.int64)
    anew = any(column.may_be(ARR) for column in columns)
    places: dict[tuple[Any, ...], list[Data]] = {}

    def visit(column: Column, path: tuple[Any, ...]) -> None:
        if column.may_be(OBJ):
            places.setdefault(path, []).append(np.unique(column.identity))
        for name, each in column.members.items():
            visit(each, (*path, name))
        for place, (_, item) in enumerate(column.items):
            visit(item, (*path, place))

    for place, column in enumerate(columns):
        visit(column, (place,) if anew else ())
    once_each = np.concatenate([np.unique(np.concatenate(found)) for found in places.values()] or [np.zeros(0, dtype=np.int64)])
    numbers, times = np.unique(once_each, return_counts=True)
    return numbers[times > 1]


def copied(column: Column, depth: int) -> Column:
    """The same values as other objects, to a depth."""
    if not column.may_be(OBJ):
        return column
    members = {name: copied(each, depth - 1) for name, each in column.members.items()} if depth else column.members
    return replace(column, members=members, identity=new_identity())
