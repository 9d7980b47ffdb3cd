"""How the ids of facts and subjects are spelled outside. The ledger knows no noun; whoever posts a kind of entry says what it is about."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from xinzu.kernel.ids import Prefix, public_id

_SOURCES: dict[str, Prefix] = {}
_SUBJECTS: dict[str, Prefix] = {}


def name_facts(subject: Prefix, kinds: Iterable[tuple[str, Prefix | None]]) -> None:
    """Say of which nouns the sources and the subjects of some kinds of entries are; None when a source has no public id."""
    for kind, source in kinds:
        _SUBJECTS[kind] = subject
        if source is not None:
            _SOURCES[kind] = source


def source_of(kind: str, source_id: UUID) -> str:
    """The public id of a fact, or its bare UUID when nobody named the kind."""
    return _spelled(_SOURCES.get(kind), source_id)


def subject_of(kind: str, subject_id: UUID) -> str:
    """The public id of what an entry of a kind is about, or its bare UUID."""
    return _spelled(_SUBJECTS.get(kind), subject_id)


def _spelled(prefix: Prefix | None, value: UUID) -> str:
    return str(value) if prefix is None else public_id(prefix, value)
