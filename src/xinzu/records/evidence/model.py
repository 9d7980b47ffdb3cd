"""Leaves as they are given to the log and as they are read from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from xinzu.kernel.time import Instant

KIND_FORM = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*){1,3}")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A fact to be recorded. ``kind`` reads ``module.noun.past_verb``; the subject is what it happened to.

    ``facts`` hold text, integers (the unit in the name), booleans, lists and objects; no floats, and no personal data: give
    ``salted_digest`` of a personal value. Id, instant, actor and tenant are added by the log.
    """

    kind: str
    subject_id: UUID
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fact:
    """A recorded leaf. ``body`` is the canonical JSON that was hashed; ``position`` is its place in the log, from 0."""

    id: UUID
    position: int
    kind: str
    subject_id: UUID
    recorded_at: Instant
    body: str


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A tree head with its signed note (C2SP), and the verifier key to check it with."""

    origin: str
    size: int
    root: bytes
    note: str
    vkey: str
