"""Indicators as they go over HTTP."""

from __future__ import annotations

from datetime import date

import msgspec

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import Instant
from xinzu.middle.credit.model import Definition, Snapshot, Status


class TextView(msgspec.Struct, kw_only=True):
    """A text in both languages."""

    zh: str
    en: str


class IndicatorView(msgspec.Struct, kw_only=True):
    """A declared indicator. ``state`` is computed or unavailable; the latter has a ``reason`` and never a value.

    ``range`` holds the least and the largest possible value, null without a bound; amounts are fen, ratios fractions. ``note`` says how it
    differs from the industry's definition.
    """

    id: str
    key: str
    group: str
    name: TextView
    type: str
    window: str
    entity: str
    source: str
    source_key: str
    definition: str
    range: list[float | None]
    values: list[str]
    owner: str
    version: int
    consent: str
    sensitivity: str
    state: str
    reason: TextView | None
    note: str | None


class IndicatorCatalogue(msgspec.Struct, kw_only=True):
    """Every declared indicator, with how many are computed here."""

    items: list[IndicatorView]
    declared: int
    computed: int
    catalogue_sha256: str


class IndicatorValueView(msgspec.Struct, kw_only=True):
    """A value as the decision saw it. ``age_seconds`` is how long before the decision the newest fact of its source lay."""

    key: str
    name: TextView
    source_key: str
    value: str | float | bool | None  # one schema must fit: an integer is a number
    status: str
    observed_at: Instant | None
    age_seconds: int | None


class SnapshotView(msgspec.Struct, kw_only=True):
    """What a decision was made on. ``sha256`` is what the decision keeps of it."""

    application_id: str
    as_of: Instant
    catalogue_sha256: str
    sha256: str
    duration_us: int
    indicators: list[IndicatorValueView]


class SourceHealthView(msgspec.Struct, kw_only=True):
    """A source over the last four weeks; a source nobody asked yet has nulls. See ``SourceHealth``."""

    source: str
    indicators: int
    snapshots: int
    hit_rate: float | None
    null_rate: float | None
    age_seconds_p50: int | None
    latency_ms_p50: float | None
    latency_ms_p99: float | None


class DriftView(msgspec.Struct, kw_only=True):
    """The population stability index of one indicator in one week against the frozen base. ``verdict`` is stable, watch, shifted or
    not_enough_data."""

    indicator: str
    week_on: date
    value_count: int
    psi: float | None
    verdict: str


class HealthView(msgspec.Struct, kw_only=True):
    """The sources, and the drift of every indicator that has a frozen base: without one ``drift`` is empty and ``drift_state`` says so."""

    sources: list[SourceHealthView]
    drift_state: str
    drift: list[DriftView]


class BaseBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The dates whose decisions are the base, both included."""

    first_on: date
    last_on: date


class BaseFrozen(msgspec.Struct, kw_only=True):
    """What later weeks are held against from now on."""

    first_on: date
    last_on: date
    indicators: int
    decisions: int


def indicator_view(definition: Definition) -> IndicatorView:
    reason = None
    if definition.reason_zh is not None and definition.reason_en is not None:
        reason = TextView(zh=definition.reason_zh, en=definition.reason_en)
    return IndicatorView(
        id=definition.id,
        key=definition.key,
        group=definition.group,
        name=TextView(zh=definition.name_zh, en=definition.name_en),
        type=definition.type,
        window=definition.window,
        entity=definition.entity,
        source=definition.source,
        source_key=definition.source_key,
        definition=definition.definition,
        range=[definition.minimum, definition.maximum],
        values=list(definition.values),
        owner=definition.owner,
        version=definition.version,
        consent=definition.consent,
        sensitivity=definition.sensitivity,
        state="computed" if definition.is_computed else "unavailable",
        reason=reason,
        note=definition.note,
    )


def snapshot_view(snapshot: Snapshot, definitions: list[Definition]) -> SnapshotView:
    """Every declared indicator, those without a source too: that they are not known is part of what was known."""
    return SnapshotView(
        application_id=public_id(Prefix.APPLICATION, snapshot.application_id),
        as_of=snapshot.as_of,
        catalogue_sha256=snapshot.catalogue_sha256,
        sha256=snapshot.sha256,
        duration_us=snapshot.duration_us,
        indicators=[_value_view(snapshot, definition) for definition in definitions],
    )


def _value_view(snapshot: Snapshot, definition: Definition) -> IndicatorValueView:
    said = snapshot.values.get(definition.key)
    observed_at = None if said is None else said.observed_at
    return IndicatorValueView(
        key=definition.key,
        name=TextView(zh=definition.name_zh, en=definition.name_en),
        source_key=definition.source_key,
        value=None if said is None else said.value,
        status=Status.UNAVAILABLE if said is None else said.status,
        observed_at=observed_at,
        age_seconds=None if observed_at is None else int((snapshot.as_of - observed_at).total_seconds()),
    )
